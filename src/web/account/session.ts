/**
 * Who uses the app. The session is a cookie that no script sees, and the access token stays in memory. The browser remembers
 * only whose copy of the tasks to open: the user's id.
 */
import { effect, signal } from "@preact/signals";
import { createTasksClient, isTasksError } from "../../client/index.ts";
import { go, path } from "../router.ts";
import { closeTasks, deleteCopy, isOpen, openTasks, tasks } from "../tasks/store.ts";

export type Person = { id: string; name: string; email: string; emailVerified: boolean };

const LAST_USER = "edge-tasks user";
/** Whose copy is to be deleted, from before the session ends until it is done: the tab may be killed in between. */
const LEAVING = "edge-tasks leaving";
/** The pages of somebody's tasks: without them, they lead to signing in. */
const TASK_PAGES = ["/", "/account", "/trash"];

/** Whose the drafts of this tab are. */
const TAB_USER = "edge-tasks user";

/** What seems to be the end of the session may be another person's, or a late answer: the server tells. */
export const client = createTasksClient({ baseUrl: location.origin, onSignedOut: () => void refresh() });

/** Undefined until the server has told, and without a network. */
export const person = signal<Person | undefined>();
/** A sentence for the sign-in page. */
export const notice = signal("");

export function needsTasks(page: string): boolean {
  return TASK_PAGES.includes(page);
}

const whenLeft = new Set<() => void>();

/** Called when another person may be next: nothing of the former may be left on the page. */
export function onLeave(listener: () => void): void {
  whenLeft.add(listener);
}

function forgetPerson(): void {
  sessionStorage.clear();
  for (const listener of whenLeft) listener();
}

/** Makes the tab this person's. Nothing of another is left in it. */
function become(userId: string): void {
  if (sessionStorage.getItem(TAB_USER) !== userId) forgetPerson();
  sessionStorage.setItem(TAB_USER, userId);
  localStorage.setItem(LAST_USER, userId);
}

/** Opens the copy of who was here last, and asks the server who it is now. */
export async function start(): Promise<void> {
  const last = localStorage.getItem(LAST_USER);
  // Whoever was signing out when the tab was killed sees nothing until the server has told whether they are.
  if (last && last !== localStorage.getItem(LEAVING)) {
    become(last);
    await openTasks(client, last);
  }
  await refresh();
  // Wherever somebody goes from now on: without tasks, it leads to signing in.
  effect(() => {
    if (!isOpen.value && needsTasks(path.value)) go("/sign-in", { replaces: true });
  });
}

/** Another tab of this browser is somebody else's now. */
addEventListener("storage", ({ key, newValue }: StorageEvent) => {
  if (key === LAST_USER && newValue && newValue !== sessionStorage.getItem(TAB_USER)) void refresh();
});

let isLeaving = false;
/** Grows with each question who is signed in, and with each sign-in and sign-out. */
let turn = 0;
/** The newest of them that has told something: what was asked before it tells nothing any more. */
let told = 0;

/** Asks the server who is signed in. Without an answer, everything stays as it is. */
export async function refresh(): Promise<void> {
  if (!navigator.onLine || isLeaving) return;
  turn += 1;
  const mine = turn;
  let current: { user: Person } | undefined;
  try {
    current = await client.session();
  } catch (error) {
    if (!isTasksError(error) || error.code !== "session_ended") return;
  }
  if (mine < told) return;
  told = mine;
  await finishLeaving(current?.user);
  if (mine < told) return;
  if (current) await show(current.user);
  else await sessionEnded();
}

/** Whether the server has to tell who is signed in. */
export function isUnsure(): boolean {
  return person.value === undefined || localStorage.getItem(LEAVING) !== null;
}

/** Shows the tasks of somebody who has signed in on this page. What the same person had not sent yet is sent now. */
export async function enter(user: Person): Promise<void> {
  takeTurn();
  if (localStorage.getItem(LEAVING) === user.id) localStorage.removeItem(LEAVING);
  await show(user);
}

/** Somebody signs in or out here: no answer to a question from before counts. */
function takeTurn(): void {
  turn += 1;
  told = turn;
}

async function show(user: Person): Promise<void> {
  const { id, name, email, emailVerified } = user;
  notice.value = "";
  become(id);
  // The former person's copy is closed before anything of the next is shown.
  await openTasks(client, id);
  // Somebody else has signed in meanwhile.
  if (localStorage.getItem(LAST_USER) !== id) return;
  person.value = { id, name, email, emailVerified };
  tasks.value?.sync();
  if (["/sign-in", "/sign-up", "/forgotten-password"].includes(path.value)) go("/", { replaces: true });
}

/** The session has ended by itself: what waits stays on the device until the same person signs in again. */
async function sessionEnded(): Promise<void> {
  if (isLeaving) return;
  if (isOpen.value && !localStorage.getItem(LAST_USER)) return leftElsewhere();
  person.value = undefined;
  if (!needsTasks(path.value)) return closeTasks({ wipes: false });
  if (localStorage.getItem(LAST_USER)) {
    notice.value = "Your session has ended. Sign in again: what you typed and what was not sent yet is still here.";
  }
  go("/sign-in", { replaces: true });
  await closeTasks({ wipes: false });
}

/** Somebody else is signed in than this tab shows, so that nobody is signed out here. */
export class OtherPerson extends Error {}

/**
 * Ends the session, and deletes the copy from the device, in every tab. Throws if the server cannot be reached.
 * @param work ends the session: signing out, or deleting the account
 * @param sentence for the sign-in page
 * @throws {OtherPerson}
 */
export async function leave(work: () => Promise<void>, sentence = ""): Promise<void> {
  const [shown, last] = [sessionStorage.getItem(TAB_USER) ?? "", localStorage.getItem(LAST_USER)];
  if (last && last !== shown) {
    void refresh();
    throw new OtherPerson();
  }
  // While a tab holds the lock, it is at it; a mark without is of a tab that was killed.
  try {
    await navigator.locks.request(LEAVING, () => leaveNow(shown, work, sentence));
  } finally {
    // Somebody else may have signed in meanwhile, or nobody knows whether the session has ended.
    const isOther = ![null, shown].includes(localStorage.getItem(LAST_USER));
    if (isOther || localStorage.getItem(LEAVING)) void refresh();
  }
}

async function leaveNow(userId: string, work: () => Promise<void>, sentence: string): Promise<void> {
  localStorage.setItem(LEAVING, userId);
  isLeaving = true;
  takeTurn();
  const mine = turn;
  try {
    await work();
    if (localStorage.getItem(LAST_USER) === userId) localStorage.removeItem(LAST_USER);
    forgetPerson();
    const isShown = tasks.value !== undefined;
    await finish(() => closeTasks({ wipes: true }).then(() => (isShown ? undefined : deleteCopy(client, userId))));
    if (mine < told) return;
    person.value = undefined;
    notice.value = sentence;
    go("/sign-in", { replaces: true });
  } catch (error) {
    // Refused, or never sent. After any other failure, the server is asked whether the session has ended.
    const isRefused = isTasksError(error) && error.status >= 400 && error.status < 500;
    if (isRefused || !navigator.onLine) localStorage.removeItem(LEAVING);
    throw error;
  } finally {
    isLeaving = false;
  }
}

/** Deletes the copy of a person who has left. If that fails, the mark stays, and it is done when the app is opened again. */
async function finish(deleting: () => Promise<void>): Promise<void> {
  await deleting().then(
    () => localStorage.removeItem(LEAVING),
    () => {},
  );
}

/** Deletes the copy of somebody who signed out in a tab that was killed meanwhile, unless they are signed in after all. */
async function finishLeaving(current: Person | undefined): Promise<void> {
  const leaving = localStorage.getItem(LEAVING);
  const { held = [] } = leaving ? await navigator.locks.query() : {};
  if (!leaving || held.some(({ name }) => name === LEAVING)) return;
  if (current?.id === leaving) return localStorage.removeItem(LEAVING);
  if (localStorage.getItem(LAST_USER) === leaving) localStorage.removeItem(LAST_USER);
  await finish(() => deleteCopy(client, leaving));
}

/** Another tab has signed out, and deleted the copy. */
export async function leftElsewhere(): Promise<void> {
  takeTurn();
  forgetPerson();
  await closeTasks({ wipes: false });
  person.value = undefined;
  notice.value = "You signed out in another tab.";
  go("/sign-in", { replaces: true });
}
