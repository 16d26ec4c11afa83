/** D1 in trouble: queries fail as D1's own do, all of them or from the n-th on. */
export function failingD1(d1: D1Database, message: string, healthyQueries = 0): D1Database {
  let left = healthyQueries;

  function query<Result>(real: () => Promise<Result>): Promise<Result> {
    left -= 1;
    return left >= 0 ? real() : Promise.reject(new Error(message));
  }

  function statement(real: D1PreparedStatement): D1PreparedStatement {
    return new Proxy(real, {
      get(target, name) {
        if (name === "bind") return (...values: unknown[]) => statement(target.bind(...values));
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => query(async () => member.apply(target, args));
      },
    });
  }

  function queries(real: Pick<D1Database, "prepare">) {
    return {
      prepare: (sql: string) => statement(real.prepare(sql)),
      // A batch of wrapped statements cannot be handed on; in these tests it only ever fails.
      batch: () => Promise.reject(new Error(message)),
    };
  }

  const failing = {
    ...queries(d1),
    withSession: (constraint: string) => {
      const session = d1.withSession(constraint);
      return { ...queries(session), getBookmark: () => session.getBookmark() };
    },
  };
  return failing as unknown as D1Database;
}
