-- Finds a user's one-time links, to end them with a password reset or the account.
create index verification_value on verification (value);

-- Finds tombstones by age. Only a deletion pays for it.
create index task_tombstone on task (deleted_at, user_id, id) where deleted_at is not null;
