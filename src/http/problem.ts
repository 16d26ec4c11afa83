/** Refuses a request with a problem. */
import type { Context } from "hono";
import { originIn } from "../origin.ts";
import type { ProblemDetails, ProblemFacts } from "./problem-details.ts";
import { detailOf, type Kind, PROBLEMS, type ProblemCode } from "./problem-kinds.ts";

/** Throw it to refuse a request. */
export class Problem extends Error {
  override readonly name = "Problem";

  readonly code: ProblemCode;
  readonly facts: ProblemFacts;
  readonly headers: Record<string, string>;

  constructor(code: ProblemCode, facts: ProblemFacts = {}, headers: Record<string, string> = {}) {
    super(code);
    this.code = code;
    this.facts = facts;
    this.headers = headers;
  }
}

/** The refusal of one named field, parameter or header. */
export function invalidField(path: string, message: string): Problem {
  return new Problem("invalid_request", { errors: [{ path, message }] });
}

/** Refuses a request at once. Nothing is thrown, which would record a stack. */
export function refuse(c: Context, code: ProblemCode): Response {
  return problemResponse(c, { code, facts: {}, headers: {} });
}

/** Writes a problem as a response. Only `requestId` and `instance` tell equal problems apart. */
export function problemResponse(c: Context, problem: Pick<Problem, "code" | "facts" | "headers">): Response {
  const kind: Kind = PROBLEMS[problem.code];
  const { allowed: _, ...facts } = problem.facts;
  const requestId = c.get("requestId");
  const body: ProblemDetails = {
    type: `${originIn(c.req.url)}/problems/${problem.code}`,
    title: kind.title,
    status: kind.status,
    detail: detailOf(kind, problem.facts),
    instance: `/requests/${requestId}`,
    code: problem.code,
    requestId,
    ...facts,
  };
  return c.json(body, kind.status, {
    ...kind.headers,
    ...problem.headers,
    "Content-Type": "application/problem+json",
  });
}
