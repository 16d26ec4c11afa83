/** Makes the keys of older tasks anew, after the rules for them have changed (../text.ts). Nothing else of a task changes. */
import { KEYS_VERSION } from "../text.ts";
import { renewedKeys } from "./row.ts";
import { bytesOf } from "./statements.ts";

const CHUNK_ROWS = 250;
/** Of the parameter of a statement: D1 allows 2 MB. */
const CHUNK_BYTES = 500_000;
const MAX_CHUNKS = 80;

/** A task with old keys, as far as they are made from it. */
type Old = { userId: string; id: string; title: string; description: string | null; tags: string };

/** Once all keys are new, no row is read. */
const CHUNK = `select user_id as userId, id, title, description, tags from task indexed by task_old_keys
  where keys_version < ${KEYS_VERSION} order by user_id, id limit ${CHUNK_ROWS}`;

/** The lines whose task is as it was read. Join the task. */
const AS_READ = `task.user_id = line.value ->> 'userId' and task.id = line.value ->> 'id'
  and task.title = line.value ->> 'title' and task.description is line.value ->> 'description'
  and task.tags = line.value ->> 'tags'`;

/** What a task has beside the text that is in a line. */
const OTHER_BYTES = `coalesce(length(cast(task.uid as blob)), 0) + coalesce(length(cast(task.kept as blob)), 0)`;

/** Keys count as bytes. The row with a user's newest revision holds the totals. */
const UPDATE_TOTALS = `with growth as materialized (
    select user_id, sum(iif(is_live, bytes, 0)) as live, sum(iif(is_live, 0, bytes)) as trash from (
      select task.user_id, task.deleted_at is null as is_live,
        (line.value ->> 'bytes') + ${OTHER_BYTES} - task.bytes as bytes
      from json_each(?1) as line cross join task on ${AS_READ}) group by user_id)
  update task set bytes_total = max(0, bytes_total + growth.live), trash_total = max(0, trash_total + growth.trash)
  from growth where task.user_id = growth.user_id
    and task.revision = (select max(newest.revision) from task as newest where newest.user_id = growth.user_id)`;

const UPDATE_KEYS = `update task set title_key = line.value ->> 'titleKey', sort_key = line.value ->> 'sortKey',
    description_key = line.value ->> 'descriptionKey', tags = line.value ->> 'newTags', keys_version = ${KEYS_VERSION}
  from json_each(?1) as line where ${AS_READ}`;

/**
 * Makes old keys anew, some thousands in a run.
 * @returns how many tasks have new keys
 */
export async function renewKeys(d1: D1Database): Promise<number> {
  let renewed = 0;
  for (let count = 0; count < MAX_CHUNKS; count += 1) {
    const { results } = await d1.prepare(CHUNK).all<Old>();
    if (results.length === 0) break;
    const lines = linesOf(results);
    const [, updated] = await d1.batch([d1.prepare(UPDATE_TOTALS).bind(lines), d1.prepare(UPDATE_KEYS).bind(lines)]);
    renewed += updated?.meta.changes ?? 0;
  }
  return renewed;
}

/** As many lines as fit into a statement, and at least one. */
function linesOf(tasks: Old[]): string {
  let lines = "";
  for (const old of tasks) {
    const { tags: newTags, ...keys } = renewedKeys(old);
    const bytes = bytesOf({ ...old, ...keys, tags: newTags });
    const line = JSON.stringify({ ...old, ...keys, newTags, bytes });
    if (lines !== "" && Buffer.byteLength(lines) + Buffer.byteLength(line) > CHUNK_BYTES) break;
    lines += `${lines === "" ? "" : ","}${line}`;
  }
  return `[${lines}]`;
}
