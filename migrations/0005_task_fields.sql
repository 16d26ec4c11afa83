-- What a task may say of itself (src/tasks/table.ts). Priority: 0 none to 3 high. Due: a day or an instant in UTC.
-- Tags: a JSON object from the tag without its case to the tag.
alter table task add column priority integer default 0 not null;
alter table task add column due text;
alter table task add column due_key text as (coalesce(due, '~')) virtual;
alter table task add column tags text default '{}' not null;

-- The texts without their case, for searching and sorting. SQLite folds ASCII; other letters of older tasks are folded
-- when their text is next written.
alter table task add column title_key text default '' not null;
alter table task add column description_key text;
update task set title_key = lower(title), description_key = lower(description);

-- One contiguous range for each way to list: all live tasks by creation and by due, and each status by everything.
drop index task_live;
create index task_creation on task (user_id, created_at, id) where deleted_at is null;
create index task_due on task (user_id, due_key, id) where deleted_at is null;
create index task_status_creation on task (user_id, completed_at is not null, created_at, id) where deleted_at is null;
create index task_status_due on task (user_id, completed_at is not null, due_key, id) where deleted_at is null;
create index task_status_priority on task (user_id, completed_at is not null, priority, id) where deleted_at is null;
create index task_status_change on task (user_id, completed_at is not null, revision) where deleted_at is null;
create index task_status_title on task (user_id, completed_at is not null, title_key, id) where deleted_at is null;

-- The trash, newest first. Only a deletion pays for it.
create index task_trash on task (user_id, deleted_at, id) where deleted_at is not null;

-- What came of a request with an idempotency key, so that its repetition is answered and not done again.
create table receipt (
  user_id text not null references user (id) on delete cascade,
  key text not null,
  request_digest text not null,
  results text not null,
  created_at integer not null,
  primary key (user_id, key)
) strict, without rowid;
