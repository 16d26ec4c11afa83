/** The parts of an operation's description that every operation shares. */
import { z } from "@hono/zod-openapi";
import { BOOKMARK_HEADER } from "./headers.ts";
import { type ExceededQuota, problemSchema } from "./problem-details.ts";
import { detailOf, type Kind, PROBLEMS, type ProblemCode } from "./problem-kinds.ts";

type ProblemStatus = (typeof PROBLEMS)[ProblemCode]["status"];

const text = (description: string) => ({ schema: { type: "string" as const }, description });

/** The headers of every answer, and of every failure with a status. */
const REQUEST_ID = { "X-Request-Id": text("Names this request in the server's log") };
const BY_STATUS: Partial<Record<ProblemStatus, Record<string, ReturnType<typeof text>>>> = {
  401: { "WWW-Authenticate": text("A bearer challenge (RFC 6750)") },
  412: { ETag: text("The task's current ETag, on a request for one task") },
  429: { "Retry-After": text("Seconds to wait before retrying") },
  503: { "Retry-After": text("Seconds to wait before retrying") },
};

/** The header, as an answer carries it. */
export const BOOKMARK_RESPONSE_HEADER = {
  [BOOKMARK_HEADER]: text("Bookmark of the database. Send it with the next request to read your own writes"),
};

/** The headers of a success, with those that every answer has. */
export function headers<Names extends string>(named: Record<Names, string>) {
  const described = Object.entries<string>(named).map(([name, description]) => [name, text(description)]);
  return {
    ...(Object.fromEntries(described) as Record<Names, ReturnType<typeof text>>),
    ...BOOKMARK_RESPONSE_HEADER,
    ...REQUEST_ID,
  };
}

/** Describes the failures of an operation. An internal error is always among them. */
export function problems<Status extends ProblemStatus>(...statuses: Status[]) {
  const entries = [...statuses, 500 as const].map((status) => [status, descriptionOf(status)] as const);
  return Object.fromEntries(entries) as Record<Status | 500, Description>;
}

type Description = ReturnType<typeof describeStatus>;

/** Operations share a status's description: describing it for each would take a third of the Worker's start. */
const DESCRIPTIONS = new Map<ProblemStatus, Description>();

function descriptionOf(status: ProblemStatus): Description {
  const known = DESCRIPTIONS.get(status) ?? describeStatus(status);
  DESCRIPTIONS.set(status, known);
  return known;
}

function describeStatus(status: ProblemStatus) {
  const kinds: [string, Kind][] = Object.entries(PROBLEMS).filter(([, kind]) => kind.status === status);
  const codes = kinds.map(([code]) => code);
  const examples = Object.fromEntries(kinds.map(([code, kind]) => [code, { value: exampleOf(code, kind) }]));
  const schema = problemSchema
    .extend({ status: z.literal(status), code: z.enum(codes).openapi({ description: "Stable. Branch on this field" }) })
    .openapi(`Problem${status}`);
  return {
    description: kinds.map(([code, { title }]) => `${title} (\`${code}\`)`).join(", "),
    headers: { ...BY_STATUS[status], ...REQUEST_ID },
    content: { "application/problem+json": { schema, examples } },
  };
}

const EXAMPLE_QUOTAS: Partial<Record<string, ExceededQuota>> = {
  quota_exceeded: { name: "tasks", limit: 10_000, used: 10_000, renewsAt: null },
  daily_quota_exceeded: { name: "changesPerDay", limit: 20_000, used: 20_000, renewsAt: "2026-03-02T00:00:00.000Z" },
};

/** An answer with a problem of this kind. */
export function exampleOf(code: string, kind: Kind) {
  const { title, status } = kind;
  const requestId = "0195a3c0-7b1e-7c3a-9d41-0a52f3b7c1de";
  const quota = EXAMPLE_QUOTAS[code];
  const facts = {
    ...(code === "invalid_request" && { errors: [{ path: "title", message: "must not be blank" }] }),
    ...(code === "precondition_failed" && { revision: 7 }),
    ...(quota && { quota }),
  };
  const detail = detailOf(kind, { ...facts, allowed: ["GET", "HEAD", "POST"] });
  const type = `https://tasks.example.com/problems/${code}`;
  return { type, title, status, detail, instance: `/requests/${requestId}`, code, requestId, ...facts };
}
