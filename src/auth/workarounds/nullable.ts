/**
 * Better Auth's OpenAPI generator writes `nullable: true`, as OpenAPI 3.0 did, into a document of OpenAPI 3.1, where readers
 * ignore it.
 * @see https://github.com/better-auth/better-auth/issues/6691 (closed; better-auth 1.7.25 still writes it)
 *
 * Delete this file once test/auth/workarounds.test.ts finds no `nullable` in the generated document.
 */

/** The same document with `null` as a type. */
export function withNullTypes<Document extends object>(document: Document): Document {
  return JSON.parse(JSON.stringify(document), (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !("nullable" in value)) return value;
    const { nullable, ...schema } = value as { nullable: boolean; type?: string | string[] };
    if (!nullable || schema.type === undefined) return schema;
    return { ...schema, type: [...new Set([schema.type, "null"].flat())] };
  });
}
