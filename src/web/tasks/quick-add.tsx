/** Adds tasks: a line each. Dates, priorities and tags in it show as chips, which can be taken off. */
import { computed, signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { add } from "./actions.ts";
import { dueWords } from "./dates.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import { type Chip, chipsOf, type FindDate, linesOf, taskOf } from "./parse-line.ts";

const MAX_LINES = 100;
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
  if (text !== "" && !findDate.value) loadDates();
}

let isLoading = false;
function loadDates(): void {
  if (isLoading) return;
  isLoading = true;
  import("./find-date.ts")
    .then((loaded) => {
      findDate.value = loaded.findDate;
    })
    // Without it, dates stay words of the title; the next letter tries again.
    .catch(() => {
      isLoading = false;
    });
}

export function QuickAdd() {
  const field = useRef<HTMLInputElement>(null);

  function submit(event: Event): void {
    event.preventDefault();
    if (line.value.trim() === "") return;
    const failed = add([taskOf(line.value, chips.value)]);
    if (failed) error.value = failed;
    else setLine("");
    field.current?.focus();
  }

  function paste(event: ClipboardEvent): void {
    const lines = linesOf(event.clipboardData?.getData("text/plain") ?? "");
    if (lines.length < 2) return;
    event.preventDefault();
    pasted.value = lines;
  }

  function addPasted(): void {
    const all = pasted.value.slice(0, MAX_LINES).map((text) => taskOf(text, chipsOf(text, findDate.value, [])));
    const failed = add(all);
    if (failed) error.value = failed;
    else pasted.value = pasted.value.slice(MAX_LINES);
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
            Add {Math.min(MAX_LINES, pasted.value.length)} tasks
          </button>
          <button
            type="button"
            onClick={() => {
              setLine(pasted.value.join(" "));
              pasted.value = [];
              field.current?.focus();
            }}
          >
            Paste as one
          </button>
          <button
            type="button"
            onClick={() => {
              pasted.value = [];
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

function offerWords(count: number): string {
  if (count <= MAX_LINES) return `This text has ${count} lines.`;
  return `This text has ${count} lines; at most ${MAX_LINES} are added at once.`;
}
