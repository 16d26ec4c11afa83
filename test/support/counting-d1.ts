/** D1 with its own counters read out: how many round trips a request made, and what they cost. */

export type Cost = { roundTrips: number; rowsRead: number; rowsWritten: number };

/** Wraps D1 so that every answer's `meta` is added up. */
export function countingD1(d1: D1Database): { d1: D1Database; spent: () => Cost } {
  let cost: Cost = { roundTrips: 0, rowsRead: 0, rowsWritten: 0 };
  const inner = new WeakMap<object, D1PreparedStatement>();

  function add(results: D1Result[]): void {
    cost.roundTrips += 1;
    for (const { meta } of results) {
      cost.rowsRead += meta.rows_read;
      cost.rowsWritten += meta.rows_written;
    }
  }

  function statement(real: D1PreparedStatement): D1PreparedStatement {
    const run = async () => {
      const result = await real.run<Record<string, unknown>>();
      add([result]);
      return result;
    };
    const counting = {
      bind: (...values: unknown[]) => statement(real.bind(...values)),
      run,
      all: run,
      first: async () => (await run()).results[0] ?? null,
      raw: async () => (await run()).results.map((row) => Object.values(row)),
    };
    inner.set(counting, real);
    // Drizzle and this project call these five methods and no other.
    return counting as unknown as D1PreparedStatement;
  }

  function queries(real: Pick<D1Database, "prepare" | "batch">) {
    return {
      prepare: (sql: string) => statement(real.prepare(sql)),
      batch: async (statements: D1PreparedStatement[]) => {
        const results = await real.batch(statements.map((counting) => inner.get(counting) ?? counting));
        add(results);
        return results;
      },
    };
  }

  const counted = {
    ...queries(d1),
    withSession: (constraint: string) => {
      const session = d1.withSession(constraint);
      return { ...queries(session), getBookmark: () => session.getBookmark() };
    },
  };

  return {
    d1: counted as unknown as D1Database,
    spent: () => {
      const spent = cost;
      cost = { roundTrips: 0, rowsRead: 0, rowsWritten: 0 };
      return spent;
    },
  };
}
