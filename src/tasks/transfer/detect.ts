/** Tells the format of a file by its content. What the caller says of it is a hint. */
import { type Reader, UnreadableFile } from "./format.ts";

export type FormatName = "icalendar" | "csv" | "json" | "todo.txt";

/** A format, the program whose file it is, if it is another's and known, and how it is read. */
export type Detected = { format: FormatName; program?: string | undefined; read: Reader };

const WANTED = "must be iCalendar, CSV, JSON or todo.txt";
/** The first bytes of files that are no text, in hexadecimal. */
const SIGNATURES: [bytes: string, what: string][] = [
  ["504b0304", "a ZIP archive (or a spreadsheet or document in one); unpack it, or export it as CSV"],
  ["1f8b", "compressed with gzip; unpack it"],
  ["89504e47", "a PNG image"],
  ["ffd8ff", "a JPEG image"],
  ["47494638", "a GIF image"],
  ["25504446", "a PDF document"],
  ["d0cf11e0", "an old Office document; export it as CSV"],
  ["53514c69746520666f726d6174", "an SQLite database"],
];
const TEXTS: [form: RegExp, what: string][] = [
  [/^<!doctype html|^<html/i, "a web page (HTML); the download may need a sign-in"],
  [/^<\?xml|^<[a-z]+[\s>]/i, "XML"],
  [/^BEGIN:VCARD/i, "an address book (vCard)"],
  [/^--[\w'()+,./:=?-]{1,70}\r?\ncontent-disposition:/i, "a form (multipart); send the file alone as the body"],
];

/** Whether a media type can be one of a file of tasks, when the content does not tell. */
const HINTS = /^(?:text\/[\w.+-]+|application\/(?:[\w.+-]+\+)?json|application\/octet-stream|)$/;

/**
 * @param type the media type that the caller gives
 * @returns undefined if neither the content nor the type tells
 * @throws {UnreadableFile} for what is known to be something else
 */
export async function detectFormat(
  file: Uint8Array,
  type: string,
  text: () => Iterable<string>,
): Promise<Detected | undefined> {
  refuseOtherBytes(file);
  const beginning = beginningOf(text);
  const start = beginning.trimStart();
  if (start === "") throw new UnreadableFile(`${WANTED}, but is empty`);
  for (const [form, what] of TEXTS) if (form.test(start)) throw new UnreadableFile(`${WANTED}, but is ${what}`);
  if (/^BEGIN(?:;[^:\n]{0,200})?:V(?!CARD)/i.test(start)) return iCalendar();
  if (/^[{[]/.test(start) && !(type === "text/plain" && !/^(?:\{\s*["}]|\[\s*[[{"\]])/.test(start))) return json(text);
  const { csvFileOf, csvReader, separatorIn } = await import("./csv/read.ts");
  const csv = csvFileOf(beginning.replace(/^sep=.\r?\n/i, ""), type !== "text/plain");
  if (csv) return { format: "csv", program: csv.program, read: csvReader(csv.separator) };
  if (!HINTS.test(type)) return undefined;
  if (type === "text/calendar" || /^BEGIN:V(?:CALENDAR|TODO)\s*$/im.test(beginning)) return iCalendar();
  if (type === "text/csv") return { format: "csv", read: csvReader(separatorIn(beginning)) };
  if (type.endsWith("json")) return json(text);
  if (type === "application/octet-stream" || type === "") return undefined;
  const { readTodoTxt } = await import("./todo-txt.ts");
  return { format: "todo.txt", read: readTodoTxt };
}

async function iCalendar(): Promise<Detected> {
  const { readIcs } = await import("./icalendar/read.ts");
  return { format: "icalendar", read: readIcs };
}

async function json(text: () => Iterable<string>): Promise<Detected> {
  const { jsonReader, programOf } = await import("./json/read.ts");
  const program = programOf(text);
  return { format: "json", program: program?.name, read: jsonReader(program) };
}

function refuseOtherBytes(file: Uint8Array): void {
  const first = Buffer.from(file.subarray(0, 16)).toString("hex");
  for (const [bytes, what] of SIGNATURES) {
    if (first.startsWith(bytes)) throw new UnreadableFile(`${WANTED}, but is ${what}`);
  }
  const isUtf16 = first.startsWith("fffe") || first.startsWith("feff") || /^(?:00..|..00){4}/.test(first);
  if (isUtf16) throw new UnreadableFile("must be UTF-8, but is UTF-16; save the file as UTF-8");
}

function beginningOf(text: () => Iterable<string>): string {
  for (const piece of text()) return piece;
  return "";
}
