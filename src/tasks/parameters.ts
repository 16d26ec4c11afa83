/** The path and query parameters that task routes share. */
import { z } from "@hono/zod-openapi";
import { listQuerySchema } from "./model.ts";

const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

export const userPath = z.object({
  userId: z.string().openapi({ description: "Your user id, or `me`", example: "me" }),
});
export const taskPath = userPath.extend({ id: z.string().toLowerCase().openapi({ description: "The task's id" }) });

const limit = z
  .string()
  .regex(/^\d{1,3}$/, `must be a whole number from 1 to ${MAX_PAGE_SIZE}`)
  .transform(Number)
  .pipe(
    z
      .int()
      .min(1, `must be a whole number from 1 to ${MAX_PAGE_SIZE}`)
      .max(MAX_PAGE_SIZE, `must be a whole number from 1 to ${MAX_PAGE_SIZE}`),
  )
  .default(DEFAULT_PAGE_SIZE)
  .openapi({ type: "integer", minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE });

export const listQuery = listQuerySchema
  .extend({ limit, cursor: z.string().optional().openapi({ description: "`nextCursor` of the previous page" }) })
  .refine(({ status, sort }) => status !== "deleted" || sort === undefined, {
    path: ["sort"],
    message: "must be left out with status=deleted: the trash is sorted by deletion, newest first",
  });

export const changesQuery = z.strictObject({
  since: z
    .string()
    .optional()
    .openapi({ description: "`nextToken` of the previous answer. Left out, all tasks are returned" }),
  limit,
});
