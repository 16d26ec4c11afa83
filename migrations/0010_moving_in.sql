-- What a task has from another program: its UID there, and what no field stands for, as a JSON list of iCalendar lines.
alter table task add column uid text;
alter table task add column kept text;

-- The title as it is sorted, and by which rules the keys of a task were made (src/tasks/text.ts). Housekeeping makes older
-- keys anew; the index holds the tasks whose turn it is, and so in the end none.
alter table task add column sort_key text default '' not null;
alter table task add column keys_version integer default 0 not null;
create index task_old_keys on task (user_id, id) where keys_version < 1;

-- A virtual column holds nothing: it is defined anew, with all text that a task has now.
alter table task drop column bytes;
alter table task add column bytes integer as (
  length(cast(title as blob)) + length(cast(title_key as blob)) + length(cast(sort_key as blob))
  + length(cast(tags as blob)) + coalesce(length(cast(description as blob)), 0)
  + coalesce(length(cast(description_key as blob)), 0) + coalesce(length(cast(uid as blob)), 0)
  + coalesce(length(cast(kept as blob)), 0)
) virtual;
