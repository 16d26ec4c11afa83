/** Days and times as the person sees them, in their own time zone. */
import { signal } from "@preact/signals";

const WEEK_DAYS = 7;

/** The present day, `YYYY-MM-DD`. */
export const today = signal(dayOf(new Date()));

/** Moves `today` at midnight, and when the page is looked at again. */
export function watchToday(): void {
  const read = () => {
    today.value = dayOf(new Date());
  };
  setInterval(read, 30_000);
  document.addEventListener("visibilitychange", read);
}

/** The day of a moment, here. */
export function dayOf(date: Date): string {
  const pad = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** The day on which a task is due, here: a due day is the same everywhere, a moment falls on some day here. */
export function dueDay(due: string): string {
  return due.length === 10 ? due : dayOf(new Date(due));
}

export function addDays(day: string, days: number): string {
  const date = noonOf(day);
  date.setDate(date.getDate() + days);
  return dayOf(date);
}

/** A due date in few words: Today, Tomorrow, Friday, 3 Mar; with the time, if it has one. */
export function dueWords(due: string): string {
  const words = dayWords(dueDay(due));
  if (due.length === 10) return words;
  return `${words}, ${new Date(due).toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" })}`;
}

export function dayWords(day: string): string {
  const now = today.value;
  if (day === now) return "Today";
  if (day === addDays(now, 1)) return "Tomorrow";
  if (day === addDays(now, -1)) return "Yesterday";
  const date = noonOf(day);
  const isNear = day > now && day < addDays(now, WEEK_DAYS);
  if (isNear) return date.toLocaleDateString(undefined, { weekday: "long" });
  const isThisYear = day.slice(0, 4) === now.slice(0, 4);
  return date.toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    ...(!isThisYear && { year: "numeric" }),
  });
}

/** A moment for the fields of a form, `YYYY-MM-DD` and `HH:MM`; the time is empty for a day. */
export function formValues(due: string | null): { day: string; time: string } {
  if (due === null) return { day: "", time: "" };
  if (due.length === 10) return { day: due, time: "" };
  const date = new Date(due);
  return { day: dayOf(date), time: date.toTimeString().slice(0, 5) };
}

/** The due date that a day and a time here make; null without a day. */
export function dueFrom(day: string, time: string): string | null {
  if (day === "") return null;
  if (time === "") return day;
  const date = new Date(`${day}T${time}`);
  return Number.isNaN(date.getTime()) ? day : date.toISOString();
}

/** When something happened. */
export function momentWords(instant: string): string {
  return new Date(instant).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** Noon is on the same day however clocks are put forward or back. */
function noonOf(day: string): Date {
  return new Date(`${day}T12:00`);
}
