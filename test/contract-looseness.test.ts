/** Schemas that promise too little: every field that may be null or missing has been seen both ways. */
import { expect, it } from "vitest";
import { anonymous, someone } from "./support/client.ts";
import { components, operations } from "./support/contract.ts";

type Schema = {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
};

/** By the path of each field that may be null or missing: in which ways it was seen. */
const seen = new Map<string, Set<string>>();

function see(path: string, way: string, ways: string[]): void {
  const known = seen.get(path) ?? new Set(ways.map((each) => `not ${each}`));
  known.delete(`not ${way}`);
  seen.set(path, known);
}

function resolved(schema: Schema): Schema {
  if (schema.$ref) return resolved(components.schemas[schema.$ref.split("/").at(-1) ?? ""] as Schema);
  if (!schema.allOf) return schema;
  const parts = schema.allOf.map(resolved);
  return {
    ...schema,
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
    required: parts.flatMap(({ required = [] }) => required),
  };
}

function observe(path: string, written: Schema, value: unknown): void {
  const schema = resolved(written);
  const variants = schema.anyOf?.map(resolved);
  const mayBeNull = variants?.some(({ type }) => type === "null") ?? [schema.type].flat().includes("null");
  if (mayBeNull) see(path, value === null ? "null" : "a value", ["null", "a value"]);
  if (value === null) return;
  const shown = variants?.find(({ type }) => type !== "null") ?? schema;
  if (Array.isArray(value)) for (const item of value) observe(`${path}[]`, shown.items ?? {}, item);
  for (const [name, property] of Object.entries(shown.properties ?? {})) {
    const isThere = Object.hasOwn(value as object, name);
    if (!shown.required?.includes(name)) {
      see(`${path}.${name}`, isThere ? "there" : "missing", ["there", "missing"]);
    }
    if (isThere) observe(`${path}.${name}`, property, (value as Record<string, unknown>)[name]);
  }
}

it("R3 no field of an answer is said to be null or missing that never is", async () => {
  const who = await someone();
  const visit = async (operationId: string, path: string, init: Parameters<typeof who.call>[1] = {}) => {
    const answer = await (operationId === "health" || operationId === "ready" ? anonymous() : who).call(path, init);
    const operation = operations.find((each) => each.operationId === operationId);
    const content = operation?.responses[answer.status]?.content?.["application/json"];
    if (answer.status >= 300 || !content) throw new Error(`${operationId}: ${answer.status} ${await answer.text()}`);
    const body = await answer.json();
    observe(operationId, content.schema as Schema, body);
    return body as never;
  };
  const tasks = who.path;
  const import_ = (body: string, type: string) =>
    visit("importTasks", `${tasks}/import`, { method: "POST", body, headers: { "content-type": type } });
  const todo = (...lines: string[]) => `BEGIN:VTODO\r\nSUMMARY:x\r\n${lines.join("\r\n")}\r\nEND:VTODO\r\n`;

  const bare: { id: string } = await visit("createTask", tasks, { json: { title: "a" } });
  const full = { title: "b", description: "c", due: "2026-03-01", completed: true };
  const done: { id: string } = await visit("createTask", tasks, { json: full });
  for (const [id, json] of [
    [bare.id, { title: "a" }],
    [done.id, full],
  ] as const) {
    await visit("readTask", `${tasks}/${id}`);
    await visit("replaceTask", `${tasks}/${id}`, { method: "PUT", json });
    await visit("changeTask", `${tasks}/${id}`, { method: "PATCH", json });
    await visit("completeTask", `${tasks}/${id}/complete`, { method: "PATCH", json: { completed: id === done.id } });
    await who.remove(id);
    await visit("listTasks", `${tasks}?status=deleted`);
    await visit("restoreTask", `${tasks}/${id}/restore`, { method: "POST" });
  }
  await visit("listTasks", `${tasks}?limit=1`);
  await visit("listTasks", tasks);
  const removed = await who.create();
  await who.remove(removed.id);
  await visit("listChanges", `${tasks}/changes`);
  const batch = (operations: object[]) => visit("batch", `${tasks}/batch`, { json: { atomic: false, operations } });
  const created = await batch([
    { op: "create", task: full },
    { op: "create", task: { title: "x" } },
    { op: "patch", id: bare.id, ifMatch: '"1"', task: { title: "y" } },
    { op: "patch", id: bare.id, task: { title: "" } },
  ]);
  expect(created).toMatchObject({ results: [{ status: 201 }, { status: 201 }, { status: 412 }, { status: 400 }] });
  await import_('[{"description":"x","uuid":"1","status":"pending"}]', "application/json");
  await import_('{"tasks":[{"title":"x"},{"title":""}]}', "application/json");
  await import_(todo("UID:k@example.com", "RRULE:FREQ=DAILY", "PRIORITY:x"), "text/calendar");
  await import_(Array.from({ length: 120 }, (_, n) => todo(`UID:${n}`, "PRIORITY:x")).join(""), "text/calendar");
  await visit("exportTasks", `${tasks}/export`);
  await visit("readUsage", "/api/v1/users/me/usage");
  await visit("health", "/health");
  await visit("ready", "/ready");

  const unseen = [...seen].filter(([, ways]) => ways.size > 0).map(([path, ways]) => `${path}: ${[...ways]}`);
  // Only the trash shows tasks that were deleted, and an import ignores what only an export says.
  expect(unseen.filter((path) => !/\.deletedAt: not a value$/.test(path))).toEqual([]);
  expect(seen.size).toBeGreaterThan(40);
});
