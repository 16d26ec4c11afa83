/** How long account data is kept, and the rules that delete it. */
import type { CleanupRule } from "../db/cleanup.ts";
import { DAY_MS } from "../time.ts";

/** How long a device or address counts as known after it was last used. */
export const KNOWN_SOURCE_DAYS = 400;

export const accountCleanup: CleanupRule[] = [
  { name: "session", table: "session", key: "id", start: "", keepMs: 0, deleteWhere: "expires_at < ?2" },
  { name: "verification", table: "verification", key: "id", start: "", keepMs: 0, deleteWhere: "expires_at < ?2" },
  { name: "mailed_link", table: "mailed_link", key: "digest", start: "", keepMs: 0, deleteWhere: "expires_at < ?2" },
  { name: "throttle", table: "throttle", key: "ends_at", start: 0, keepMs: 0, candidateWhere: "ends_at < ?2" },
  {
    name: "known_source",
    table: "known_source",
    key: "user_id",
    start: "",
    keepMs: KNOWN_SOURCE_DAYS * DAY_MS,
    deleteWhere: "used_at < ?2",
  },
];
