/** The app in the browser: shows the page of the address. */
import "./account/link-token.ts";
import { signal } from "@preact/signals";
import { type ComponentType, render } from "preact";
import { useEffect } from "preact/hooks";
import { ForgottenPassword, SignIn, SignUp } from "./account/entry-pages.tsx";
import { isUnsure, leftElsewhere, needsTasks, onLeave, refresh, start } from "./account/session.ts";
import { SignOutDialog } from "./account/sign-out-dialog.tsx";
import { path, watchLinks } from "./router.ts";
import { CommandBar, ShortcutHelp } from "./shell/command-bar.tsx";
import { closeDialog, dialog } from "./shell/dialog.tsx";
import { keepFocus } from "./shell/focus.ts";
import { Notices } from "./shell/notices.tsx";
import { registerServiceWorker } from "./shell/service-worker.ts";
import { watchKeys } from "./shell/shortcuts.ts";
import { forgetSteps } from "./shell/undo.ts";
import { Conflicts } from "./tasks/conflicts.tsx";
import { watchToday } from "./tasks/dates.ts";
import { ImportDialog } from "./tasks/import-dialog.tsx";
import { clearQuickAdd } from "./tasks/quick-add.tsx";
import { editing, selected } from "./tasks/selection.ts";
import { isOnline, onWiped, tasks } from "./tasks/store.ts";
import { TasksPage } from "./tasks/tasks-page.tsx";

/** The pages. Those that most visits do not need are loaded when they are opened. */
const PAGES: Record<string, ComponentType> = {
  "/": TasksPage,
  "/sign-in": SignIn,
  "/sign-up": SignUp,
  "/forgotten-password": ForgottenPassword,
  "/account": later(async () => (await import("./account/account-page.tsx")).AccountPage),
  "/trash": later(async () => (await import("./tasks/trash-page.tsx")).TrashPage),
  "/verify-email": later(async () => (await import("./account/link-pages.tsx")).VerifyEmail),
  "/reset-password": later(async () => (await import("./account/link-pages.tsx")).ResetPassword),
};

const DIALOGS = {
  commands: CommandBar,
  conflicts: Conflicts,
  help: ShortcutHelp,
  import: ImportDialog,
  "sign-out": SignOutDialog,
};

function App() {
  const Page = PAGES[path.value] ?? TasksPage;
  const isReady = tasks.value !== undefined || !needsTasks(path.value);
  const Open = isReady && dialog.value ? DIALOGS[dialog.value.name] : undefined;
  return (
    <>
      {isReady ? <Page /> : <main id="main" class="opening" aria-busy="true" />}
      {Open && <Open key={dialog.value} />}
      <Notices />
    </>
  );
}

function later(load: () => Promise<ComponentType>): ComponentType {
  const loaded = signal<ComponentType | undefined>(undefined);
  const failed = signal(false);
  return function Later() {
    useEffect(() => {
      if (loaded.value) return;
      load().then(
        (Page) => {
          loaded.value = Page;
        },
        () => {
          failed.value = true;
        },
      );
    }, []);
    if (failed.value) return <main class="entry">This page could not be loaded. Connect, then load it again.</main>;
    return loaded.value ? <loaded.value /> : <main id="main" class="opening" aria-busy="true" />;
  };
}

onWiped(() => void leftElsewhere());
onLeave(clearQuickAdd);
onLeave(() => {
  editing.value = undefined;
  selected.value = undefined;
  closeDialog();
});
// Nothing that was done in another copy can be undone in this one.
tasks.subscribe(forgetSteps);
watchToday();
watchLinks(Object.keys(PAGES));
addEventListener("popstate", closeDialog);
watchKeys(() => needsTasks(path.value) && tasks.value !== undefined);
addEventListener("online", () => {
  isOnline.value = true;
  catchUp();
});
addEventListener("offline", () => {
  isOnline.value = false;
});
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && catchUp());

/** Somebody may have signed in or out elsewhere meanwhile. */
function catchUp(): void {
  tasks.value?.sync();
  if (isUnsure()) void refresh();
}

const app = document.querySelector("#app");
if (app) {
  keepFocus(app);
  render(<App />, app);
}
await start();
void registerServiceWorker();
