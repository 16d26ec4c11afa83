/** What the properties of a to-do (RFC 5545, section 3.6.2) say of a task. */
import { type Found, type Priority, quoted } from "../fit.ts";
import type { FindZone } from "../zones.ts";
import type { Property } from "./lines.ts";
import { durationOf, timeOf } from "./times.ts";

/** Which properties say each field. Any other property is kept beside the task, but for BOOKKEEPING. */
export const PROPERTIES_OF = {
  title: ["SUMMARY"],
  description: ["DESCRIPTION"],
  completion: ["STATUS", "COMPLETED", "PERCENT-COMPLETE"],
  priority: ["PRIORITY"],
  due: ["DUE", "DURATION"],
  tags: ["CATEGORIES"],
  createdAt: ["CREATED"],
} as const;
export type Group = keyof typeof PROPERTIES_OF;

export const EXACTLY = "X-EDGE-TASKS";
/** What an export writes anew. */
export const BOOKKEEPING = new Set(["UID", "DTSTAMP", "LAST-MODIFIED", EXACTLY]);

/** Notes what a property says that cannot be read. */
export type NoteProperty = (property: Property, message: string) => void;

/** Reads the fields. A property that says nothing readable is as if it were not there. */
export function readTodo(properties: readonly Property[], findZone: FindZone, note: NoteProperty): Found {
  const first = (name: string) => properties.find((property) => property.name === name);
  const text = (name: string) => first(name)?.values[0];

  const time = (name: string): string | undefined => {
    const property = first(name);
    const read = timeOf(property, findZone);
    if (property && read && "fault" in read) note(property, read.fault);
    return read && "time" in read ? read.time : undefined;
  };
  const instant = (name: string): string | undefined => {
    const read = time(name);
    return read === undefined || read.includes("T") ? read : `${read}T00:00:00.000Z`;
  };

  return {
    title: text("SUMMARY"),
    description: text("DESCRIPTION"),
    ...completion(),
    priority: priority(),
    due: time("DUE") ?? dueByDuration(),
    tags: properties.filter(({ name }) => name === "CATEGORIES").flatMap(({ values }) => values),
    createdAt: createdAt(),
  };

  function completion(): Pick<Found, "completed" | "completedAt"> {
    const completedAt = instant("COMPLETED");
    const isFull = text("PERCENT-COMPLETE")?.trim() === "100";
    const completed = isCompleted() ?? (completedAt !== undefined || isFull);
    if (!completed) return { completed };
    return { completed, completedAt: completedAt ?? instant("LAST-MODIFIED") ?? instant("DTSTAMP") };
  }

  /** By the status, where it says so. What was cancelled is no longer open. */
  function isCompleted(): boolean | undefined {
    const property = first("STATUS");
    const status = property?.values[0]?.trim().toUpperCase().replaceAll(" ", "-") ?? "";
    if (status === "COMPLETED" || status === "CANCELLED") return true;
    if (status === "NEEDS-ACTION" || status === "IN-PROCESS") return false;
    if (property && status !== "") note(property, `${quoted(status)} is no status; it was ignored`);
    return undefined;
  }

  function priority(): Priority {
    const property = first("PRIORITY");
    const written = property?.values[0]?.trim() ?? "";
    if (!property || written === "") return "none";
    const number = /^\d$/.test(written) ? Number(written) : undefined;
    if (number === undefined) note(property, `${quoted(written)} is not from 0 to 9; it was ignored`);
    if (!number) return "none";
    if (number < 5) return "high";
    return number === 5 ? "medium" : "low";
  }

  function dueByDuration(): string | undefined {
    const property = first("DURATION");
    const written = property?.values[0]?.trim() ?? "";
    if (!property || written === "") return undefined;
    const duration = durationOf(property);
    const due = duration && timeOf(first("DTSTART"), findZone, duration);
    if (due && "time" in due) return due.time;
    const without = duration ? "has no start that can be read" : "is no duration";
    note(property, `${quoted(written)} ${without}; it was ignored`);
    return undefined;
  }

  /** A day does not tell when a task was created. */
  function createdAt(): string | undefined {
    const created = time("CREATED");
    const property = first("CREATED");
    if (created === undefined || !property || created.includes("T")) return created;
    note(property, "is a day and no instant; it was ignored");
    return undefined;
  }
}
