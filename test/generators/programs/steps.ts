/** The address of the server that a program talks to, as esbuild puts it in. */
declare const API: string;
export const baseUrl = API;

export const person = {
  name: "Ada",
  email: `${crypto.randomUUID()}@example.com`,
  password: "correct horse battery",
};

/** Every `op` that a batch's result may have. */
export type ResultOf = "create" | "replace" | "patch" | "complete" | "delete" | "restore" | "";

/** Fails while the program runs, where a value is not as its type says. */
export function expectEqual<Value>(what: string, value: Value, expected: Value): void {
  if (value !== expected) throw new Error(`${what}: ${JSON.stringify(value)} is not ${JSON.stringify(expected)}`);
}
