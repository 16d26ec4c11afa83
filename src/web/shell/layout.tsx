/** The frame of the pages behind sign-in: where one can go, and what is not on the server yet. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Refusal } from "../../client/replica/index.ts";
import { person } from "../account/session.ts";
import { path } from "../router.ts";
import { isOnline, status, tasks } from "../tasks/store.ts";
import { addressOf, counts, tagFilter, tags, VIEWS, type ViewName, view } from "../tasks/views.ts";
import { openDialog } from "./dialog.tsx";
import { reloadForUpdate, updateIsReady } from "./service-worker.ts";

const SLOW_MS = 1500;

export function Layout({ title, children }: { title: string; children: ComponentChildren }) {
  const views = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow page the views are a row that scrolls.
    views.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [title]);
  return (
    <div class="app">
      <a class="skip" href="#main">
        Skip to the tasks
      </a>
      <header class="top">
        <a class="wordmark" href="/">
          Edge Tasks
        </a>
        <button type="button" class="quiet" onClick={() => openDialog("commands")}>
          Commands
        </button>
        <a href="/account" class="me" aria-current={path.value === "/account" ? "page" : undefined}>
          {person.value?.name ?? "Account"}
        </a>
      </header>
      <nav ref={views} class="views" aria-label="Views">
        {(Object.entries(VIEWS) as [ViewName, string][]).map(([name, text]) => (
          <a
            key={name}
            href={addressOf(name)}
            aria-current={path.value === "/" && view.value === name ? "page" : undefined}
          >
            {text} <span class="count">{counts.value[name] || ""}</span>
          </a>
        ))}
        <a href="/trash" aria-current={path.value === "/trash" ? "page" : undefined}>
          Trash
        </a>
        {tags.value.length > 0 && <h2>Tags</h2>}
        {tags.value.slice(0, 40).map((tag) => (
          <a
            key={tag}
            class="tag-link"
            dir="auto"
            href={`/?view=all&tag=${encodeURIComponent(tag)}`}
            aria-current={tagFilter.value === tag ? "true" : undefined}
          >
            {tag}
          </a>
        ))}
      </nav>
      <main id="main" tabIndex={-1} aria-label={title}>
        <SyncState />
        {children}
      </main>
    </div>
  );
}

/** What the person has to know about the server, and nothing when all is well. */
function SyncState() {
  const current = status.value;
  const isSlow = useSignal(false);
  const isWaiting = (current?.waiting ?? 0) > 0;
  useEffect(() => {
    // What is sent within a moment is not worth a sentence.
    const timer = setTimeout(
      () => {
        isSlow.value = isWaiting;
      },
      isWaiting ? SLOW_MS : 0,
    );
    return () => clearTimeout(timer);
  }, [isWaiting]);
  const conflicts = tasks.value?.conflicts().length ?? 0;
  const refusals = tasks.value?.refusals() ?? [];
  return (
    <div class="sync" data-waiting={isWaiting || undefined}>
      <p role="status">{current && sentenceOf(current, isSlow.value)}</p>
      {current && !current.isStored && (
        <p class="warning">This device cannot store your changes. Keep this tab open until they are sent.</p>
      )}
      {conflicts > 0 && (
        <p class="warning">
          {conflicts === 1 ? "One task was" : `${conflicts} tasks were`} changed here and elsewhere.{" "}
          <button type="button" onClick={() => openDialog("conflicts")}>
            Choose what stays
          </button>
        </p>
      )}
      {refusals.map((refusal) => (
        <p key={refusal.key} class="warning">
          {refusal.code === "replaced"
            ? "This was replaced by another change of yours in"
            : "The server refused a change of"}{" "}
          “<bdi>{refusal.task.title}</bdi>”: {refusalWords(refusal)}{" "}
          <button type="button" onClick={() => void tasks.value?.dismiss(refusal.key)}>
            Understood
          </button>
        </p>
      ))}
      {updateIsReady.value && (
        <p class="notice">
          A new version is ready. What you are typing is kept.{" "}
          <button type="button" onClick={reloadForUpdate}>
            Load it
          </button>
        </p>
      )}
    </div>
  );
}

function sentenceOf(current: NonNullable<typeof status.value>, isSlow: boolean): string {
  const { state, waiting, progress, isComplete, isOverDailyQuota } = current;
  const changes = waiting === 0 ? "" : `${waiting} ${waiting === 1 ? "change" : "changes"} waiting. `;
  if (!isComplete && progress) {
    const { loaded, total } = progress;
    return total ? `Fetching your tasks: ${Math.min(loaded, total)} of ${total}.` : "Fetching your tasks.";
  }
  if (state === "offline" || !isOnline.value) return `${changes}Offline: everything works, and is sent later.`;
  if (state === "unavailable") return `${changes}The server is not available. It is asked again soon.`;
  if (state === "signed-out") return `${changes}Your session has ended. Sign in again to send.`;
  if (state === "other-user") return `${changes}Somebody else is signed in. Sign in again to send.`;
  if (isOverDailyQuota) return `${changes}Today's limit of changes is reached. They are sent tomorrow (UTC).`;
  return isSlow ? `${changes}Sending.` : "";
}

function refusalWords({ code, errors, fields }: Pick<Refusal, "code" | "errors" | "fields">): string {
  if (code === "quota_exceeded") return "your account is full. Delete tasks, then make the change again.";
  if (code === "replaced") return `${Object.values(fields).join(", ")}.`;
  if (code === "not_found") return "the task does not exist any more.";
  return errors.length > 0 ? `${errors.map(({ path, message }) => `${path} ${message}`).join(", ")}.` : `${code}.`;
}
