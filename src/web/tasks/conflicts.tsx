/** Tasks that were changed here and elsewhere: both versions side by side, and the person chooses. */
import { useSignal } from "@preact/signals";
import type { Conflict, Field, ShownTask } from "../../client/replica/index.ts";
import { closeDialog, Dialog } from "../shell/dialog.tsx";
import { say } from "../shell/undo.ts";
import { dueWords } from "./dates.ts";
import { moves, tasks } from "./store.ts";

const NAMES: Record<Field, string> = {
  ...{ title: "Title", description: "Notes", completed: "Completed", priority: "Priority", due: "Due", tags: "Tags" },
};

export function Conflicts() {
  moves.value;
  const all = tasks.value?.conflicts() ?? [];
  return (
    <Dialog title="Changed here and elsewhere">
      {all.length === 0 && (
        <>
          <p>All is settled.</p>
          <button type="button" class="primary" onClick={closeDialog}>
            Back to the tasks
          </button>
        </>
      )}
      {all.map((conflict) => (
        <ConflictForm
          key={`${conflict.id} ${conflict.kind}`}
          conflict={conflict}
          theirs={tasks.value?.get(conflict.id)}
        />
      ))}
    </Dialog>
  );
}

function ConflictForm({ conflict, theirs }: { conflict: Conflict; theirs: ShownTask | undefined }) {
  const { id, kind, fields, mine } = conflict;
  const names = Object.keys(fields) as Field[];
  const chosen = useSignal<Field[]>(names);

  async function settle(keepMine: boolean | Field[]): Promise<void> {
    const settled = await tasks.value?.settle(id, keepMine);
    if (settled) say(`Settled “${mine.title}”.`, settled.undo);
    else say("It has changed again meanwhile. Look at both versions once more.", undefined, { isBad: true });
  }

  if (kind !== "fields" || !theirs) {
    const isGone = kind !== "deleted-here";
    return (
      <section class="conflict">
        <h3>
          <bdi>{mine.title}</bdi>
        </h3>
        <p>
          {isGone
            ? "It was deleted elsewhere, and you have changed it here."
            : "You have deleted it here, and it was changed elsewhere."}
        </p>
        <div class="buttons">
          <button type="button" class="primary" onClick={() => void settle(isGone)}>
            {isGone ? "Restore it with my changes" : "Keep it"}
          </button>
          <button type="button" onClick={() => void settle(!isGone)}>
            {isGone ? "Let it go" : "Delete it"}
          </button>
        </div>
      </section>
    );
  }
  return (
    <section class="conflict">
      <h3>
        <bdi>{theirs.title}</bdi>
      </h3>
      {names.map((name) => (
        <fieldset key={name}>
          <legend>{NAMES[name]}</legend>
          {[true, false].map((isMine) => (
            <label key={String(isMine)} class="version">
              <input
                type="radio"
                name={`${id} ${name}`}
                checked={chosen.value.includes(name) === isMine}
                onChange={() => {
                  chosen.value = isMine ? [...chosen.value, name] : chosen.value.filter((other) => other !== name);
                }}
              />
              <span class="side">{isMine ? "Yours" : "The other"}</span>
              <span dir="auto">{valueWords(name, isMine ? fields[name] : theirs[name])}</span>
            </label>
          ))}
        </fieldset>
      ))}
      <div class="buttons">
        <button
          type="button"
          class="primary"
          onClick={() => void settle(chosen.value.length === 0 ? false : chosen.value)}
        >
          Use these
        </button>
      </div>
    </section>
  );
}

function valueWords(name: Field, value: unknown): string {
  if (name === "completed") return value ? "yes" : "no";
  if (name === "due") return typeof value === "string" ? dueWords(value) : "no date";
  if (Array.isArray(value)) return value.length > 0 ? value.join(", ") : "no tags";
  return typeof value === "string" && value !== "" ? value : "empty";
}
