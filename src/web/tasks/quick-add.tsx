/** Adds tasks: a line each. Dates, priorities and tags in it show as chips, which can be taken off. */
import { computed, signal } from "@preact/signals";
import type { TargetedClipboardEvent } from "preact";
import { useRef } from "preact/hooks";
import { add } from "./actions.ts";
import { dueWords } from "./dates.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import { type Chip, chipsOf, type FindDate, linesOf, taskOf } from "./parse-line.ts";

const MAX_LINES = 100;
/** A task is added without its date rather than later. */
const DATES_WITHIN_MS = 3000;
const DRAFT = "line";

const line = signal(draftOf<string>(DRAFT) ?? "");
const refused = signal<string[]>([]);
const pasted = signal<string[]>([]);
const error = signal("");
const findDate = signal<FindDate | undefined>(undefined);
const chips = computed(() => chipsOf(line.value, findDate.value, refused.value));

/** Forgets what the former person typed. */
export function clearQuickAdd(): void {
  setLine("");
  pasted.value = [];
}

function setLine(text: string): void {
  line.value = text;
  error.value = "";
  if (text === "") refused.value = [];
  keepDraft(DRAFT, text || undefined);
  if (text !== "") void loadDates();
}

let loading: Promise<void> | undefined;
function loadDates(): Promise<void> {
  loading ??= import("./find-date.ts")
    .then((loaded) => {
      findDate.value = loaded.findDate;
    })
    // Without it, dates stay words of the title; the next letter tries again.
    .catch(() => {
      loading = undefined;
    });
  return loading;
}

/** Waits a moment until dates can be read. */
async function datesAreRead(): Promise<void> {
  const isLate = new Promise<void>((resolve) => setTimeout(resolve, DATES_WITHIN_MS));
  if (!findDate.value) await Promise.race([loadDates(), isLate]);
}

export function QuickAdd() {
  const field = useRef<HTMLInputElement>(null);
  /** What stands before and behind a pasted text. */
  const around = useRef(["", ""] as [string, string]);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const [text, kept] = [line.value, refused.value];
    if (text.trim() === "") return;
    setLine("");
    field.current?.focus();
    await datesAreRead();
    const failed = add([taskOf(text, chipsOf(text, findDate.value, kept))]);
    if (!failed) return;
    // Unless the next one is being typed already.
    if (line.value === "") {
      setLine(text);
      refused.value = kept;
    }
    error.value = failed;
  }

  function paste(event: TargetedClipboardEvent<HTMLInputElement>): void {
    const lines = linesOf(event.clipboardData?.getData("text/plain") ?? "");
    if (lines.length < 2) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = event.currentTarget;
    around.current = [value.slice(0, selectionStart ?? value.length), value.slice(selectionEnd ?? value.length)];
    pasted.value = lines;
    void loadDates();
  }

  async function addPasted(): Promise<void> {
    const texts = pasted.value.slice(0, MAX_LINES);
    pasted.value = pasted.value.slice(MAX_LINES);
    field.current?.focus();
    await datesAreRead();
    const failed = add(texts.map((text) => taskOf(text, chipsOf(text, findDate.value, []))));
    if (!failed) return;
    pasted.value = [...texts, ...pasted.value];
    error.value = failed;
  }

  function pasteAsOne(): void {
    const [before, after] = around.current;
    setLine(before + pasted.value.join(" ") + after);
    pasted.value = [];
    field.current?.focus();
  }

  return (
    <form class="quick-add" onSubmit={submit}>
      <label class="visually-hidden" for="quick-add">
        New task
      </label>
      <div class="quick-line">
        <input
          id="quick-add"
          ref={field}
          dir="auto"
          autocomplete="off"
          enterkeyhint="done"
          placeholder="Add a task: Pay rent tomorrow 9am !high #home"
          value={line.value}
          aria-describedby="quick-add-error"
          onInput={({ currentTarget }) => setLine(currentTarget.value)}
          onPaste={paste}
          onFocus={() => void loadDates()}
          onKeyDown={(event) => {
            if (event.key === "Escape") field.current?.blur();
          }}
        />
        <button type="submit" class="primary" disabled={line.value.trim() === ""}>
          Add
        </button>
      </div>
      {chips.value.length > 0 && (
        <ul class="chips" aria-label="Read from your line">
          {chips.value.map((chip) => (
            <li key={chip.text}>
              <button
                type="button"
                class={`chip ${chip.kind}`}
                aria-label={`Keep ${chip.text} in the title`}
                onClick={() => {
                  refused.value = [...refused.value, chip.text];
                  field.current?.focus();
                }}
              >
                {chipWords(chip)} <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {pasted.value.length > 0 && (
        <div class="offer" role="status">
          <span>{offerWords(pasted.value.length)}</span>
          <button type="button" class="primary" onClick={addPasted}>
            {addWords(Math.min(MAX_LINES, pasted.value.length))}
          </button>
          <button type="button" onClick={pasteAsOne}>
            Paste as one
          </button>
          <button
            type="button"
            onClick={() => {
              pasted.value = [];
              error.value = "";
              field.current?.focus();
            }}
          >
            Cancel
          </button>
        </div>
      )}
      <p class="error" id="quick-add-error" role="alert">
        {error.value}
      </p>
    </form>
  );
}

function chipWords({ kind, value }: Chip): string {
  if (kind === "due") return dueWords(value);
  return kind === "tag" ? value : `${value} priority`;
}

function addWords(count: number): string {
  return count === 1 ? "Add 1 task" : `Add ${count} tasks`;
}

function offerWords(count: number): string {
  if (count === 1) return "One line is left.";
  if (count <= MAX_LINES) return `This text has ${count} lines.`;
  return `This text has ${count} lines; at most ${MAX_LINES} are added at once.`;
}
