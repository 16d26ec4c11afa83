/** The refusal of a change that would exceed a quota. */

import { Problem } from "../http/problem.ts";
import type { ExceededQuota } from "../http/problem-details.ts";
import type { ProblemCode } from "../http/problem-kinds.ts";

/** Daily quotas have a code of their own, since they renew by themselves. */
export function quotaCode(name: ExceededQuota["name"]): ProblemCode & ("quota_exceeded" | "daily_quota_exceeded") {
  return name === "changesPerDay" ? "daily_quota_exceeded" : "quota_exceeded";
}

/** @param operation index of the refused operation in a batch */
export function overQuota(quota: ExceededQuota, operation?: number): Problem {
  const facts = { quota, ...(operation !== undefined && { operation }) };
  if (quota.renewsAt === null) return new Problem("quota_exceeded", facts);
  const seconds = Math.max(1, Math.ceil((Date.parse(quota.renewsAt) - Date.now()) / 1000));
  return new Problem("daily_quota_exceeded", facts, { "Retry-After": String(seconds) });
}
