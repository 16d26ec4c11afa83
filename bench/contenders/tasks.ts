/** What two contenders share: the routes of a task list as tutorials write them, with Hono and Drizzle. */
import { and, asc, desc, eq, gt, isNull, sql } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";

export type Bindings = { DB: D1Database; BETTER_AUTH_SECRET: string };
export type Environment = { Bindings: Bindings; Variables: { userId: string; db: DrizzleD1Database } };

const task = sqliteTable("task", {
  userId: text("user_id").notNull(),
  id: text("id").notNull(),
  revision: integer("revision").notNull(),
  title: text("title").notNull(),
  titleKey: text("title_key").notNull(),
  description: text("description"),
  completedAt: integer("completed_at", { mode: "timestamp_ms" }),
  createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
  updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
  deletedAt: integer("deleted_at", { mode: "timestamp_ms" }),
  priority: integer("priority").notNull().default(0),
  due: text("due"),
  tags: text("tags", { mode: "json" }).notNull().default({}),
});

const latest = (userId: string) => sql`(select coalesce(max(revision), 0) + 1 from task where user_id = ${userId})`;

export const tasks = new Hono<Environment>()
  .use(async (c, next) => {
    c.set("db", drizzle(c.env.DB));
    await next();
  })
  .get("/", async (c) => {
    const isOwn = and(eq(task.userId, c.var.userId), isNull(task.deletedAt));
    return c.json({ data: await c.var.db.select().from(task).where(isOwn).orderBy(desc(task.createdAt)).limit(20) });
  })
  .get("/changes", async (c) => {
    const since = and(eq(task.userId, c.var.userId), gt(task.revision, Number(c.req.query("since"))));
    return c.json({ data: await c.var.db.select().from(task).where(since).orderBy(asc(task.revision)).limit(20) });
  })
  .get("/:id", async (c) => {
    const isOwn = and(eq(task.userId, c.var.userId), eq(task.id, c.req.param("id")), isNull(task.deletedAt));
    const [found] = await c.var.db.select().from(task).where(isOwn);
    return found ? c.json(found) : c.json({ error: "not found" }, 404);
  })
  .post("/", async (c) => {
    const { title } = await c.req.json<{ title: string }>();
    const { userId } = c.var;
    const now = new Date();
    const values = {
      userId,
      id: crypto.randomUUID(),
      title,
      titleKey: title.toLowerCase(),
      createdAt: now,
      updatedAt: now,
    };
    const [created] = await c.var.db
      .insert(task)
      .values({ ...values, revision: latest(userId) as never })
      .returning();
    return c.json(created, 201);
  })
  .patch("/:id/complete", async (c) => {
    const { completed } = await c.req.json<{ completed: boolean }>();
    const { userId } = c.var;
    const now = new Date();
    const isOwn = and(eq(task.userId, userId), eq(task.id, c.req.param("id")), isNull(task.deletedAt));
    const values = { completedAt: completed ? now : null, updatedAt: now, revision: latest(userId) as never };
    const [changed] = await c.var.db.update(task).set(values).where(isOwn).returning();
    return changed ? c.json(changed) : c.json({ error: "not found" }, 404);
  });
