/** D1 with something around each round trip: its own counters read out, or trouble. */

/** Runs, or does not run, one round trip. */
type Around = (roundTrip: () => Promise<D1Result<Record<string, unknown>>[]>) => ReturnType<typeof roundTrip>;

export type Cost = { roundTrips: number; rowsRead: number; rowsWritten: number };

const NOTHING: Cost = { roundTrips: 0, rowsRead: 0, rowsWritten: 0 };

/** Adds up what D1 itself says that each query cost. */
export function countingD1(d1: D1Database): { d1: D1Database; spent: () => Cost } {
  let cost = NOTHING;
  const counted = intercept(d1, async (roundTrip) => {
    const results = await roundTrip();
    cost = results.reduce(
      ({ roundTrips, rowsRead, rowsWritten }, { meta }) => ({
        roundTrips,
        rowsRead: rowsRead + meta.rows_read,
        rowsWritten: rowsWritten + meta.rows_written,
      }),
      { ...cost, roundTrips: cost.roundTrips + 1 },
    );
    return results;
  });
  function spent(): Cost {
    const total = cost;
    cost = NOTHING;
    return total;
  }
  return { d1: counted, spent };
}

/** Fails as D1 does, from the beginning or after so many round trips. */
export function failingD1(d1: D1Database, message: string, healthyRoundTrips = 0): D1Database {
  let left = healthyRoundTrips;
  return intercept(d1, async (roundTrip) => {
    left -= 1;
    if (left < 0) throw new Error(message);
    return roundTrip();
  });
}

/** Fails as D1 does so many times, before or after it has done its work, and is well before and again. */
export function flakyD1(d1: D1Database, message: string, failures: number, wasDone: boolean, healthy = 0): D1Database {
  let count = 0;
  return intercept(d1, async (roundTrip) => {
    count += 1;
    if (count <= healthy || count > healthy + failures) return roundTrip();
    if (wasDone) await roundTrip();
    throw new Error(message);
  });
}

/** Does something else right before the round trip of that number, counted from 0. */
export function meddledD1(d1: D1Database, at: number, meddle: () => Promise<unknown>): D1Database {
  let count = 0;
  return intercept(d1, async (roundTrip) => {
    count += 1;
    if (count === at + 1) await meddle();
    return roundTrip();
  });
}

function intercept(d1: D1Database, around: Around): D1Database {
  const inner = new WeakMap<object, D1PreparedStatement>();

  function statement(real: D1PreparedStatement): D1PreparedStatement {
    const run = async () => {
      const [result] = await around(async () => [await real.run<Record<string, unknown>>()]);
      if (!result) throw new Error("no result");
      return result;
    };
    const intercepted = {
      bind: (...values: unknown[]) => statement(real.bind(...values)),
      run,
      all: run,
      first: async () => (await run()).results[0] ?? null,
      raw: async () => (await run()).results.map((row) => Object.values(row)),
    };
    inner.set(intercepted, real);
    // Drizzle and this project call these five methods and no other.
    return intercepted as unknown as D1PreparedStatement;
  }

  function queries(real: Pick<D1Database, "prepare" | "batch">) {
    return {
      prepare: (sql: string) => statement(real.prepare(sql)),
      batch: (statements: D1PreparedStatement[]) =>
        around(() => real.batch(statements.map((intercepted) => inner.get(intercepted) ?? intercepted))),
    };
  }

  const intercepted = {
    ...queries(d1),
    withSession: (constraint: string) => {
      const session = d1.withSession(constraint);
      return { ...queries(session), getBookmark: () => session.getBookmark() };
    },
  };
  // The methods that this project calls of a database; Drizzle calls two of them.
  return intercepted as unknown as D1Database;
}
