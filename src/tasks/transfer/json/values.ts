/** Values of other programs' JSON, read with care: anything may stand anywhere. */
import { isObject } from "../format.ts";

export type Values = Record<string, unknown>;

/** The member of an object, or of an object in it: `get(task, "due", "date")`. Only own members are read. */
export function get(value: unknown, ...names: (string | number)[]): unknown {
  return names.reduce<unknown>((inner, name) => {
    if (Array.isArray(inner)) return inner[Number(name)];
    return isObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined;
  }, value);
}

/** A text, or a number as text; undefined for nothing. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textsOf(value: unknown): string[] {
  return listOf(value).flatMap((each) => textOf(each) ?? []);
}

const ENTITIES = new Map(Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " }));

/** The text of simple HTML. */
export function textOfHtml(html: string): string {
  return html
    .replaceAll(/<br ?\/?>|<\/(?:p|div|li|h\d)>/gi, "\n")
    .replaceAll(/<li[^<>]{0,200}>/gi, "- ")
    .replaceAll(/<\/?[a-z][^<>]{0,2000}>/gi, "")
    .replaceAll(/&(?:#(\d{1,6})|(\w{1,6}));/g, (whole, code?: string, name?: string) =>
      code === undefined ? (ENTITIES.get(name ?? "") ?? whole) : String.fromCodePoint(Number(code)),
    )
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}
