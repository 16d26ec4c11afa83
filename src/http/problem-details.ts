/** The shape of a failure: problem details (RFC 9457), with our own members. */
import { z } from "@hono/zod-openapi";
import type { Quotas } from "../env.ts";

/** What is wrong with one field: its path, such as `tags.0`, and what it must be. */
export const fieldErrorSchema = z.object({ path: z.string(), message: z.string() });
export type FieldError = z.output<typeof fieldErrorSchema>;

const QUOTA_NAMES = ["tasks", "bytes", "changesPerDay"] as const satisfies (keyof Quotas)[];

/** A quota that a change would exceed: the limit, what is used, and when the count starts again. */
export const exceededQuotaSchema = z.object({
  name: z.enum(QUOTA_NAMES),
  limit: z.int(),
  used: z.int(),
  renewsAt: z.string().nullable(),
});
export type ExceededQuota = z.output<typeof exceededQuotaSchema>;

export const problemSchema = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().openapi({ description: "Stable. Branch on this field" }),
    requestId: z.string(),
    errors: z.array(fieldErrorSchema).optional().openapi({ description: "The first 100 invalid fields" }),
    moreErrors: z.int().optional().openapi({ description: "How many more fields are invalid" }),
    quota: exceededQuotaSchema.optional().openapi({ description: "The quota that the change would exceed" }),
    revision: z.int().optional().openapi({ description: "The task's current revision, on 412" }),
    operation: z.int().optional().openapi({ description: "The refused operation of a batch, counted from 0" }),
  })
  .openapi("Problem");

export type ProblemDetails = z.output<typeof problemSchema>;

/** What one problem says beyond its kind. */
export type ProblemFacts = Partial<
  Pick<ProblemDetails, "errors" | "moreErrors" | "quota" | "revision" | "operation">
> & {
  /** The methods of the path, for the detail of a 405. They are sent in `Allow`, not in the body. */
  allowed?: string[];
};
