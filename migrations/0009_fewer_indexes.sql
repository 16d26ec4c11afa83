-- An index for an order costs a row at every write. docs/costs.md tells which pay; other orders read the user's own tasks.
drop index task_creation;
drop index task_due;
drop index task_status_due;
drop index task_status_priority;
drop index task_status_change;
drop index task_status_title;
