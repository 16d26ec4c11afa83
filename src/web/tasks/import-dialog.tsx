/** Chooses a file, and shows what became of each of its tasks. */
import { useSignal } from "@preact/signals";
import { closeDialog, Dialog } from "../shell/dialog.tsx";
import { type Imported, importFile } from "./files.ts";

const MAX_LINES = 100;

export function ImportDialog() {
  const outcome = useSignal<Imported | string | undefined>(undefined);
  const isBusy = useSignal(false);

  async function read(file: File | undefined): Promise<void> {
    if (!file) return;
    isBusy.value = true;
    outcome.value = undefined;
    try {
      outcome.value = await importFile(file);
    } finally {
      isBusy.value = false;
    }
  }

  return (
    <Dialog title="Import tasks">
      <p>
        From an export of this app, another tasks program, a calendar or a spreadsheet: .json, .ics, .csv or .txt, at
        most 10 MiB.
      </p>
      <label class="file">
        File
        <input
          type="file"
          accept=".json,.csv,.ics,.ical,.txt"
          disabled={isBusy.value}
          onChange={({ currentTarget }) => void read(currentTarget.files?.[0])}
        />
      </label>
      <div role="status">
        {isBusy.value && <p>Reading the file ...</p>}
        {typeof outcome.value === "string" && <p class="error">{outcome.value}</p>}
        {typeof outcome.value === "object" && <Report {...outcome.value} />}
      </div>
    </Dialog>
  );
}

function Report({ report, undo }: Imported) {
  const { imported, exists, invalid } = report;
  const remarks = [
    ...report.notes,
    ...report.lines.flatMap(({ line, errors = [], notes = [] }) => [
      ...errors.map((error) => ({ line, ...error })),
      ...notes,
    ]),
  ].slice(0, MAX_LINES);
  return (
    <>
      <p class="done">
        {imported} imported, {exists} were here already, {invalid} could not be read.
      </p>
      {undo && (
        <button
          type="button"
          onClick={() => {
            closeDialog();
            undo();
          }}
        >
          Undo the import
        </button>
      )}
      {remarks.length > 0 && (
        <ul class="report">
          {remarks.map(({ line, path, message }) => (
            <li key={`${line} ${path} ${message}`}>
              Line {line}: {path} {message}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
