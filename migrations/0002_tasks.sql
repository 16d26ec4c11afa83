-- One user's tasks lie side by side, in the order of their time-ordered ids (src/tasks/table.ts).
create table task (
  user_id text not null references user (id) on delete cascade,
  id text not null,
  revision integer not null,
  title text not null,
  description text,
  completed_at integer,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer,
  primary key (user_id, id)
) strict, without rowid;

-- Allocates revisions, and is the order of a change feed.
create unique index task_revision on task (user_id, revision);

-- Lists live tasks: tombstones must not make a page dearer.
create index task_live on task (user_id, id) where deleted_at is null;
