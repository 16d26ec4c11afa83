/** D1 over Node's own SQLite: the same statements, thousands of them a second, for simulations. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

type Statement = { sql: string; values: SQLInputValue[] };

/** An empty database in memory. It has what Drizzle calls: `prepare`, `bind`, `all`, `raw`, `run` and `batch`. */
export function createSqliteD1() {
  const database = new DatabaseSync(":memory:");
  const prepared = new Map<string, StatementSync>();

  function prepare(sql: string, values: unknown[] = []) {
    const statement = { sql, values: values.map(toSqlite) };
    return {
      ...statement,
      bind: (...bound: unknown[]) => prepare(sql, bound),
      all: async () => run(statement),
      run: async () => run(statement),
      raw: async () => run(statement).results.map((row) => Object.values(row)),
    };
  }

  function run({ sql, values }: Statement) {
    const statement = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, statement);
    return { results: statement.all(...values), success: true, meta: {} };
  }

  async function batch(statements: Statement[]) {
    database.exec("begin");
    try {
      const results = statements.map(run);
      database.exec("commit");
      return results;
    } catch (error) {
      database.exec("rollback");
      throw error;
    }
  }

  return { d1: { prepare, batch } as unknown as D1Database, exec: (sql: string) => database.exec(sql) };
}

function toSqlite(value: unknown): SQLInputValue {
  return typeof value === "boolean" ? Number(value) : (value as SQLInputValue);
}
