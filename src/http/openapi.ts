/** The parts of an operation's description that every operation shares. */
import { PROBLEMS, problemSchema } from "./problem.ts";

type ProblemStatus = (typeof PROBLEMS)[keyof typeof PROBLEMS]["status"];

/** Describes the failures an operation may answer with. */
export function problems<Status extends ProblemStatus>(...statuses: Status[]) {
  const entries = statuses.map((status) => [status, describe(status)] as const);
  return Object.fromEntries(entries) as Record<Status, ReturnType<typeof describe>>;
}

function describe(status: ProblemStatus) {
  const codes = Object.entries(PROBLEMS).flatMap(([code, kind]) => (kind.status === status ? [`\`${code}\``] : []));
  return { description: codes.join(", "), content: { "application/problem+json": { schema: problemSchema } } };
}
