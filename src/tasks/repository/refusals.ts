/** Why a change is refused, as the text that statements return and records store: a word, and the fact that belongs to it. */
import type { Refusal } from "../outcomes.ts";
import type { QuotaName } from "./totals.ts";

/** Parses `absent`, `id-taken`, `stale <revision>` or `over-quota <name>`. */
export function parseRefusal(text: string): Refusal {
  const [outcome, fact = ""] = text.split(" ") as [Refusal["outcome"], ...string[]];
  if (outcome === "stale") return { outcome, revision: Number(fact) };
  return outcome === "over-quota" ? { outcome, quota: fact as QuotaName } : { outcome };
}
