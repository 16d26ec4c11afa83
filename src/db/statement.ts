/**
 * SQL whose text is built once, from the definitions of the tables. It holds names in place of values, which each request
 * binds: so no text can carry a value from one request to another.
 */
import { is, Placeholder, type SQL } from "drizzle-orm";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";

/** A text, and the names of its parameters in the order of their numbers. `Row` is what it returns. */
export type Statement<Row> = { readonly text: string; readonly names: readonly string[]; readonly row?: Row };

/** The values of a request, by name. */
export type Values = Readonly<Record<string, string | number | null>>;

/**
 * Builds a statement. A name that occurs several times is one parameter.
 * @throws {Error} if the query holds a value: use `sql.placeholder`, or `sql.raw` for a constant
 */
export function statement<Row>(query: SQL): Statement<Row> {
  const names: string[] = [];
  const escapeParam = (_: number, parameter?: unknown) => {
    if (!is(parameter, Placeholder)) throw new Error("A statement's text must not hold a value.");
    const name = String(parameter.name);
    if (!names.includes(name)) names.push(name);
    return `?${names.indexOf(name) + 1}`;
  };
  const { sql: text } = Object.assign(new SQLiteSyncDialect(), { escapeParam }).sqlToQuery(query);
  return { text, names };
}

/** Returns a function that builds the statement of each kind once, when it is first needed. */
export function statementsOf<Kind extends object, Row>(build: (kind: Kind) => SQL): (kind: Kind) => Statement<Row> {
  const built = new WeakMap<Kind, Statement<Row>>();
  return (kind) => {
    const known = built.get(kind) ?? statement<Row>(build(kind));
    built.set(kind, known);
    return known;
  };
}

/**
 * Binds values to a statement.
 * @throws {Error} for a name without a value
 */
export function bind(
  db: Pick<D1DatabaseSession, "prepare">,
  { text, names }: Statement<unknown>,
  values: Values,
): D1PreparedStatement {
  return db.prepare(text).bind(
    ...names.map((name) => {
      const value = values[name];
      if (value === undefined) throw new Error(`The parameter ${name} has no value.`);
      return value;
    }),
  );
}
