/** Signing out deletes the copy from the device. What is not sent yet would be lost, so the person is asked. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { closeDialog, Dialog } from "../shell/dialog.tsx";
import { moves, tasks } from "../tasks/store.ts";
import { client, leave, OtherPerson } from "./session.ts";
import { failureOf } from "./words.ts";

export function SignOutDialog() {
  const error = useSignal("");
  const isBusy = useSignal(false);
  moves.value;
  const waiting = tasks.value?.status().waiting ?? 0;
  const conflicts = tasks.value?.conflicts().length ?? 0;
  const refusals = tasks.value?.refusals().length ?? 0;
  const isAllSent = waiting + conflicts + refusals === 0;
  useEffect(() => tasks.value?.sync(), []);
  useEffect(() => {
    if (isAllSent && !isBusy.value) void signOut();
  }, [isAllSent]);

  async function signOut(): Promise<void> {
    isBusy.value = true;
    try {
      await leave(() => client.signOut());
      closeDialog();
    } catch (failure) {
      const { text } = failureOf(failure);
      error.value = failure instanceof OtherPerson ? text : `${text} You are still signed in.`;
    } finally {
      isBusy.value = false;
    }
  }

  return (
    <Dialog title="Sign out">
      {!isAllSent && (
        <p>
          {waiting > 0 && `${waiting} ${waiting === 1 ? "change is" : "changes are"} not on the server yet. `}
          {conflicts > 0 && `${conflicts} ${conflicts === 1 ? "conflict is" : "conflicts are"} not settled. `}
          {refusals > 0 && `${refusals} ${refusals === 1 ? "change was" : "changes were"} refused by the server. `}
          Signing out deletes them from this device.
        </p>
      )}
      {isBusy.value && <p role="status">Signing out ...</p>}
      <p class="error" role="alert">
        {error.value}
      </p>
      <div class="buttons">
        <button type="button" class="danger" disabled={isBusy.value} onClick={() => void signOut()}>
          {isAllSent ? "Sign out" : "Sign out and delete them"}
        </button>
        <button type="button" onClick={closeDialog}>
          Stay
        </button>
      </div>
    </Dialog>
  );
}
