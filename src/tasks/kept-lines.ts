/** The iCalendar lines that are kept beside a task: each is one that any reader of iCalendar takes. */

const CONTROLS = "\\x00-\\x08\\x0A-\\x1F\\x7F";
const VALUE = `(?:"[^"${CONTROLS}]*"|[^";:,${CONTROLS}]*)`;
/** A content line (RFC 5545, section 3.1), unfolded. */
const PROPERTY = new RegExp(`^([A-Za-z0-9-]{1,60})(?:;[A-Za-z0-9-]{1,60}=${VALUE}(?:,${VALUE})*)*:[^${CONTROLS}]*$`);
const EDGE = /^(BEGIN|END):([A-Za-z0-9-]{1,40})$/;
/** What an export writes anew. */
const OURS = new Set(["UID", "DTSTAMP", "LAST-MODIFIED", "X-EDGE-TASKS", "BEGIN", "END"]);
/** What stands beside a to-do, and not in one. */
const OUTER = /^V(?:CALENDAR|TODO|EVENT|JOURNAL|TIMEZONE|FREEBUSY)$/i;

/** Whether a line is a property that can be kept. */
export function isKeepable(line: string): boolean {
  const [, name] = PROPERTY.exec(line) ?? [];
  return name !== undefined && !OURS.has(name.toUpperCase());
}

/** Whether lines are properties, and behind them whole components such as alarms. */
export function areKeepable(lines: readonly string[]): boolean {
  const open: string[] = [];
  let hasComponent = false;
  for (const line of lines) {
    const [, edge, name = ""] = EDGE.exec(line) ?? [];
    if (edge === "BEGIN") {
      if (OUTER.test(name)) return false;
      open.push(name);
      hasComponent = true;
    } else if (edge === "END") {
      if (open.pop() !== name) return false;
    } else if (open.length > 0 ? !PROPERTY.test(line) : hasComponent || !isKeepable(line)) return false;
  }
  return open.length === 0;
}
