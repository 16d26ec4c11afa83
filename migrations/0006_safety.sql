-- Links in mails (src/auth/mail/links.ts): each for one account, address and purpose, once.
create table mailed_link (
  digest text primary key not null,
  user_id text not null references user (id) on delete cascade,
  purpose text not null,
  email text not null,
  new_email text,
  session_id text,
  expires_at integer not null
) strict, without rowid;
create index mailed_link_user_id on mailed_link (user_id);

-- Nothing is kept in `verification` any more: links of before, which name no address, run out within an hour.
drop index verification_value;

-- Where an account was signed in from before (src/auth/throttling/throttle.ts).
create table known_source (
  user_id text not null references user (id) on delete cascade,
  source text not null,
  tries integer not null,
  blocked_until integer not null,
  used_at integer not null,
  primary key (user_id, source)
) strict, without rowid;

-- All other counts of tries and mails; those that are over lie together.
create table throttle (
  ends_at integer not null,
  account text not null,
  scope text not null,
  tries integer not null,
  blocked_until integer not null,
  last_try text not null,
  primary key (ends_at, account, scope)
) strict, without rowid;
drop table account_throttle;
drop table address_limit;

-- What is true of all of a user's tasks after a change stands in the row that the change wrote; the newest counts
-- (src/tasks/totals.ts). A row's bytes are those of its text, as it is stored.
alter table task add column live_total integer default 0 not null;
alter table task add column open_total integer default 0 not null;
alter table task add column bytes_total integer default 0 not null;
alter table task add column trash_total integer default 0 not null;
alter table task add column changes_total integer default 0 not null;
alter table task add column changes_day integer default 0 not null;
alter table task add column bytes integer as (
  length(cast(title as blob)) + length(cast(title_key as blob)) + length(cast(tags as blob))
  + coalesce(length(cast(description as blob)), 0) + coalesce(length(cast(description_key as blob)), 0)
) virtual;
update task set
  live_total = (select count(*) from task as own where own.user_id = task.user_id and own.deleted_at is null),
  open_total = (select count(*) from task as own
    where own.user_id = task.user_id and own.deleted_at is null and own.completed_at is null),
  bytes_total = (select coalesce(sum(own.bytes), 0) from task as own
    where own.user_id = task.user_id and own.deleted_at is null),
  trash_total = (select coalesce(sum(own.bytes), 0) from task as own
    where own.user_id = task.user_id and own.deleted_at is not null and own.title <> '')
where revision = (select max(newest.revision) from task as newest where newest.user_id = task.user_id);

-- The trash holds what can be restored: a deleted task that has been emptied is in no list.
drop index task_trash;
create index task_trash on task (user_id, deleted_at, id) where deleted_at is not null and title <> '';
