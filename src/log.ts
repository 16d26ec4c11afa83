/** One line of JSON in the Worker's log. */

/** Writes one line. `facts` must hold nothing secret or personal. */
export function logEvent(level: "info" | "error", message: string, facts: Record<string, unknown>): void {
  console[level](JSON.stringify({ level, message, ...facts }));
}
