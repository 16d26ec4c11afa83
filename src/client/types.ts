/** What travels, as the task API's document has it. A test holds these types against the server's own. */

export type Priority = "none" | "low" | "medium" | "high";

/** Every field that a caller may set. */
export type NewTask = {
  title: string;
  description?: string | null;
  completed?: boolean;
  priority?: Priority;
  /** `YYYY-MM-DD`, or an RFC 3339 instant. */
  due?: string | null;
  tags?: string[];
};

/** A task to create. `id` is a UUID that you choose; left out, the server makes one. */
export type CreateTask = NewTask & { id?: string };

export type TaskChanges = Partial<NewTask>;

/** A task. Times are RFC 3339, in UTC. */
export type Task = {
  id: string;
  title: string;
  description: string | null;
  completed: boolean;
  completedAt: string | null;
  priority: Priority;
  due: string | null;
  tags: string[];
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
  /** The task's ETag: pass it as `ifMatch` to change only what you have seen. */
  revision: number;
};

export type Sort =
  | "createdAt"
  | "-createdAt"
  | "due"
  | "-due"
  | "priority"
  | "-priority"
  | "updatedAt"
  | "-updatedAt"
  | "title";

export type ListQuery = {
  status?: "open" | "completed" | "all" | "deleted";
  sort?: Sort;
  /** Exclusive. */
  dueBefore?: string;
  /** Inclusive. */
  dueAfter?: string;
  priority?: Priority;
  /** Where the days of `dueAfter` and `dueBefore` begin: an IANA name. */
  timeZone?: string;
  tag?: string;
  q?: string;
  /** 1 to 100. */
  limit?: number;
  cursor?: string;
};

export type TaskPage = {
  data: Task[];
  nextCursor: string | null;
  /** Of all tasks, whatever the page shows: those not deleted, and the open ones of them. */
  total: { live: number; open: number };
};

/** What is used of each quota. */
export type Usage = {
  tasks: { used: number; limit: number; open: number };
  /** Of text, as it is stored; without the trash. */
  bytes: { used: number; limit: number };
  changesPerDay: { used: number; limit: number; renewsAt: string };
};

export type Change = { id: string; revision: number; deleted: boolean; task: Task | null };
export type ChangePage = { data: Change[]; nextToken: string; hasMore: boolean };

export type Operation =
  | { op: "create"; id?: string; task: CreateTask }
  | { op: "replace"; id: string; ifMatch?: string; task: NewTask }
  | { op: "patch"; id: string; ifMatch?: string; task: TaskChanges }
  | { op: "complete"; id: string; ifMatch?: string; completed: boolean }
  | { op: "delete"; id: string; ifMatch?: string }
  | { op: "restore"; id: string; ifMatch?: string };

export type OperationResult = {
  op: string;
  id: string;
  status: number;
  code?:
    | "invalid_request"
    | "not_found"
    | "id_taken"
    | "precondition_failed"
    | "quota_exceeded"
    | "daily_quota_exceeded";
  revision?: number;
  /** The invalid fields, on 400. */
  errors?: { path: string; message: string }[];
  task: Task | null;
};

/** What was left out or changed: at which line of the file, and under which name. */
export type ImportNote = { line: number; path: string; message: string };

export type ImportReport = {
  /** The format that was found. */
  format: "icalendar" | "csv" | "json" | "todo.txt";
  /** The program whose file it is, if it is another's and known. */
  program?: string;
  /** Whether nothing was written. */
  dryRun: boolean;
  imported: number;
  exists: number;
  invalid: number;
  lines: {
    /** The task's number in the file, and the line at which it begins. */
    task: number;
    line: number;
    status: "created" | "exists" | "invalid";
    id?: string;
    errors?: { path: string; message: string }[];
    notes?: ImportNote[];
  }[];
  /** What was left out of the file, beside its tasks. */
  notes: ImportNote[];
  /** How many errors and notes are not listed. */
  moreErrors?: number;
};

/** The codes of the API's problems. */
export type ProblemCode =
  | "malformed_request"
  | "invalid_request"
  | "credentials_missing"
  | "token_invalid"
  | "token_expired"
  | "session_ended"
  | "https_required"
  | "quota_exceeded"
  | "daily_quota_exceeded"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "id_taken"
  | "changes_expired"
  | "precondition_failed"
  | "body_too_large"
  | "unsupported_media_type"
  | "idempotency_key_reused"
  | "too_many_requests"
  | "internal_error"
  | "database_unavailable"
  | "database_not_migrated"
  | "database_daily_limit"
  | "not_configured";
