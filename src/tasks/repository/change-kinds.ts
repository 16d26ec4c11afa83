/**
 * What kinds of changes have in common: each is one statement, and an expression that tells why it is refused. It writes
 * only for the owner, in an active session, if its precondition holds, and within the quotas.
 */
import { and, type Name, type SQL, sql } from "drizzle-orm";
import { type Statement, statement, statementsOf, type Values } from "../../db/statement.ts";
import type { Precondition } from "../precondition.ts";
import { now, userId, value } from "./bindings.ts";
import { hasActiveSession, type Query } from "./context.ts";
import { columns, type MaybeRow, type Row } from "./row.ts";
import { task } from "./table.ts";
import { exceededBy, type Growth, newestTotals, type Totals, totalsAfter, totalsBefore } from "./totals.ts";

/**
 * A kind of change: its statement, and an expression that tells why it is refused (refusals.ts). The expression may refer to
 * the task and to the totals `before`. It is null if the change is made, or changes nothing.
 */
export type Kind = { run: Statement<Row>; refusal: SQL };

/** A kind of creation. `happens`, which may refer to the totals `before`, tells whether it creates a task. */
export type CreationKind = Kind & { happens: SQL };

/** A change: its kind, the task's id and what it writes. */
export type Change<K extends Kind = Kind> = { kind: K; values: Values };

/** A task as it is before a change, with the totals. Without a task, its columns are null. */
export type Before = MaybeRow & Pick<Totals, "live" | "bytes" | "changes"> & { refusal: string | null };

/** The task that a change names. */
export const id = value("id");
const ifMatch = value("ifMatch");
const ifNoneMatch = value("ifNoneMatch");

export const isTask = sql`${task.userId} = ${userId} and ${task.id} = ${id}`;
const satisfiesPrecondition = sql`(
  (${ifMatch} is null or ${task.revision} in (select tag.value from json_each(${ifMatch}) as tag)) and
  (${ifNoneMatch} is null or ${task.revision} not in (select tag.value from json_each(${ifNoneMatch}) as tag)))`;

const readBeforeOf = statementsOf<Kind, Before>(
  ({ refusal }) => sql`select ${columns}, ${refusal} as refusal, before.live, before.bytes, before.changes
    from ${totalsBefore} as before left join ${task} on ${isTask}`,
);

/** Makes a change. It returns the task as it is then, or nothing. */
export function queryOf({ kind, values }: Change): Query<Row> {
  return { statement: kind.run, values };
}

/** Reads a task, if it exists, with the totals and why a change is refused. */
export function readBefore({ kind, values }: Change): Query<Before> {
  return { statement: readBeforeOf(kind), values };
}

/** A query for why a change is refused. Name it, and join it. */
export function refusalBefore({ refusal }: Kind): SQL {
  return sql`(select ${refusal} as refusal from ${totalsBefore} as before left join ${task} on ${isTask})`;
}

type KindParts = {
  fields: [string, SQL][];
  /** Whether the change would change the task. */
  condition: SQL | undefined;
  /** Whether the task is deleted for this change. */
  isGone: SQL;
  growth: Growth;
};

/** A kind of change of a task that exists. */
export function changeKind({ fields, condition, isGone, growth }: KindParts): Kind {
  const exceeded = exceededBy(growth);
  const updatedAt: [string, SQL] = ["updated_at", sql`max(${now}, ${task.updatedAt} + 1)`];
  const set = [...fields, updatedAt, ...totalsAfter(growth)].map(
    ([name, sqlValue]) => sql`${sql.identifier(name)} = ${sqlValue}`,
  );
  const isTarget = and(isTask, condition, satisfiesPrecondition, hasActiveSession, sql`${exceeded} is null`);
  return {
    // A task that is changed exists, and so does a newest row.
    run: statement<Row>(
      sql`update ${task} set ${joined(set)} from ${newestTotals} as before where ${isTarget} returning ${columns}`,
    ),
    refusal: sql`case when ${task.id} is null or ${isGone} then 'absent'
      when not ${satisfiesPrecondition} then 'stale ' || ${task.revision}
      when ${condition} then 'over-quota ' || ${exceeded} end`,
  };
}

/** A precondition as two lists of revisions, or null: one parameter each, however many there are. */
export function revisionsOf({ ifMatch, ifNoneMatch }: Precondition): Values {
  if (ifNoneMatch === "*") return { ifMatch: "[]", ifNoneMatch: null };
  return {
    ifMatch: ifMatch ? JSON.stringify(ifMatch) : null,
    ifNoneMatch: ifNoneMatch ? JSON.stringify(ifNoneMatch) : null,
  };
}

/** Parts with commas between them. */
export function joined(parts: (SQL | Name)[]): SQL {
  return sql.join(parts, sql`, `);
}
