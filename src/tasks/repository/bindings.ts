/** The names of what every statement may refer to. The context binds them: to the caller, the moment and the quotas. */
import { type Placeholder, sql } from "drizzle-orm";

export const userId = sql.placeholder("userId");
export const sessionId = sql.placeholder("sessionId");
/** Unix milliseconds. */
export const now = sql.placeholder("now");
/** The number of the day, in UTC. */
export const today = sql.placeholder("today");
/** When the oldest task in the trash was deleted. */
export const trashStart = sql.placeholder("trashStart");
export const maxTasks = sql.placeholder("maxTasks");
export const maxBytes = sql.placeholder("maxBytes");
export const maxChanges = sql.placeholder("maxChanges");

/** A value of one statement's own. */
export function value(name: string): Placeholder {
  return sql.placeholder(name);
}
