/**
 * D1 for a Worker under test: its HTTP protocol, spoken by Node's SQLite in a process of its own, so that the time of the
 * database is not the Worker's. Run it with the path of the database file; it prints its port.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

type Query = { sql: string; params: SQLInputValue[] };

const database = new DatabaseSync(process.argv[2] ?? ":memory:");
database.exec("pragma journal_mode = wal; pragma synchronous = off; pragma foreign_keys = on");
const prepared = new Map<string, StatementSync>();

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  const queries = JSON.parse(text) as Query | Query[];
  const answer = Array.isArray(queries) ? batch(queries) : run(queries);
  response.setHeader("content-type", "application/json");
  response.setHeader("x-cf-d1-session-commit-token", "00000001-00000001-00005000-00000000000000000000000000000000");
  response.end(JSON.stringify(answer));
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));

function run({ sql, params }: Query) {
  const statement = prepared.get(sql) ?? database.prepare(sql);
  prepared.set(sql, statement);
  statement.setReturnArrays(true);
  const rows = statement.all(...params);
  const columns = statement.columns().map(({ name }) => name);
  const meta = { duration: 0, rows_read: 0, rows_written: 0, changes: 0, last_row_id: 0, served_by: "bench" };
  return { success: true, results: { columns, rows }, meta };
}

function batch(queries: Query[]) {
  database.exec("begin");
  try {
    const results = queries.map(run);
    database.exec("commit");
    return results;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}
