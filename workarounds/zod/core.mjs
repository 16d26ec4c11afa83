/** What is used of Zod's core by its name. The whole of it holds the translations. */
export { $ZodRegistry } from "../../node_modules/zod/v4/core/registries.js";
export { $ZodObject, $ZodOptional } from "../../node_modules/zod/v4/core/schemas.js";
