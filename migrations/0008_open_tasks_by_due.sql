-- Open tasks by due date. Completing a task takes it out: deleting from an index costs no written row.
create index if not exists task_open_due on task (user_id, due_key, id) where deleted_at is null and (completed_at is not null) = 0;
