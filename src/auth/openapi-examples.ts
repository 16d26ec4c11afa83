/** Bodies that work as they are, also where Better Auth would name an address to be led to: an operator has to list those. */
import { ENDPOINTS } from "./endpoints.ts";

const EMAIL = "ada@example.com";
const PASSWORD = "correct horse battery";
const NEW_PASSWORD = "a new and better one";
/** Stands where a value of the caller's own is needed. */
const OWN_TOKEN = "the token";

const EXAMPLES: Record<string, object> = {
  [ENDPOINTS.signUp.path]: { name: "Ada", email: EMAIL, password: PASSWORD },
  [ENDPOINTS.signIn.path]: { email: EMAIL, password: PASSWORD },
  [ENDPOINTS.revokeSession.path]: { token: OWN_TOKEN },
  [ENDPOINTS.changePassword.path]: {
    currentPassword: PASSWORD,
    newPassword: NEW_PASSWORD,
    revokeOtherSessions: true,
  },
  [ENDPOINTS.requestPasswordReset.path]: { email: EMAIL },
  [ENDPOINTS.resetPassword.path]: { token: OWN_TOKEN, newPassword: NEW_PASSWORD },
  [ENDPOINTS.sendVerificationEmail.path]: { email: EMAIL },
  [ENDPOINTS.changeEmail.path]: { newEmail: "ada.lovelace@example.com" },
  [ENDPOINTS.updateUser.path]: { name: "Ada Lovelace" },
  [ENDPOINTS.deleteUser.path]: { password: PASSWORD },
};

/** The fields that a body must have, where Better Auth's description says otherwise. */
const REQUIRED = new Map<string, string[]>([
  [ENDPOINTS.resetPassword.path, ["newPassword", "token"]],
  [ENDPOINTS.deleteUser.path, ["password"]],
]);

/** The fields that a body may have, where Better Auth's description names others, which are for what is closed here. */
const FIELDS = new Map<string, string[]>([
  [ENDPOINTS.signOut.path, []],
  [ENDPOINTS.deleteUser.path, ["password"]],
]);

export const requiredFieldsOf = (path: string): string[] | undefined => REQUIRED.get(path);
export const fieldsOf = (path: string): string[] | undefined => FIELDS.get(path);

/** The example of an endpoint's body; an empty one where every field may be left out. */
export function exampleBodyOf(path: string): object {
  return EXAMPLES[path] ?? {};
}
