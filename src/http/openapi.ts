/** The parts of an operation's description that every operation shares. */
import { z } from "@hono/zod-openapi";
import { type Kind, PROBLEMS, type ProblemCode, problemSchema } from "./problem.ts";

type ProblemStatus = (typeof PROBLEMS)[ProblemCode]["status"];

const text = (description: string) => ({ schema: { type: "string" as const }, description });

/** What stands on every answer, or on every one of a kind. */
const REQUEST_ID = { "X-Request-Id": text("Names the request in our log") };
const BY_STATUS: Partial<Record<ProblemStatus, Record<string, ReturnType<typeof text>>>> = {
  401: { "WWW-Authenticate": text("A bearer challenge (RFC 6750)") },
  412: { ETag: text("The task's revision, where the request was about one task") },
  429: { "Retry-After": text("When to come back, in seconds") },
  503: { "Retry-After": text("When to come back, in seconds") },
};

export const BOOKMARK = { "x-d1-bookmark": text("Send it back to read your own writes from any replica") };

/** The headers of a success, with those that every answer has. */
export function headers<Names extends string>(named: Record<Names, string>) {
  const described = Object.entries<string>(named).map(([name, description]) => [name, text(description)]);
  return { ...(Object.fromEntries(described) as Record<Names, ReturnType<typeof text>>), ...BOOKMARK, ...REQUEST_ID };
}

/** Describes the failures an operation may answer with; a mistake of ours is always among them. */
export function problems<Status extends ProblemStatus>(...statuses: Status[]) {
  const entries = [...statuses, 500 as const].map((status) => [status, describe(status)] as const);
  return Object.fromEntries(entries) as Record<Status | 500, ReturnType<typeof describe>>;
}

function describe(status: ProblemStatus) {
  const kinds: [string, Kind][] = Object.entries(PROBLEMS).filter(([, kind]) => kind.status === status);
  const codes = kinds.map(([code]) => code);
  const examples = Object.fromEntries(kinds.map(([code, kind]) => [code, { value: exampleOf(code, kind) }]));
  const schema = problemSchema
    .extend({ status: z.literal(status), code: z.enum(codes).openapi({ description: "Stable; decide by this one" }) })
    .openapi(`Problem${status}`);
  return {
    description: kinds.map(([code, { title }]) => `${title} (\`${code}\`)`).join(", "),
    headers: { ...BY_STATUS[status], ...REQUEST_ID },
    content: { "application/problem+json": { schema, examples } },
  };
}

function exampleOf(code: string, { title, status, detail }: Kind) {
  const requestId = "0195a3c0-7b1e-7c3a-9d41-0a52f3b7c1de";
  const type = `https://tasks.example.com/problems/${code}`;
  const example = { type, title, status, detail, instance: `/requests/${requestId}`, code, requestId };
  if (code === "invalid_request") return { ...example, errors: [{ path: "title", message: "must not be blank" }] };
  if (code === "quota_exceeded") {
    return { ...example, quota: { name: "tasks" as const, limit: 10_000, used: 10_000, renewsAt: null } };
  }
  if (code === "daily_quota_exceeded") {
    const renewsAt = "2026-03-02T00:00:00.000Z";
    return { ...example, quota: { name: "changesPerDay" as const, limit: 20_000, used: 20_000, renewsAt } };
  }
  return code === "precondition_failed" ? { ...example, revision: 7 } : example;
}
