/** The password hasher with parameters too weak to use, for tests that are about something else and sign in a lot. */
import { hashPassword, verifyPassword } from "../../src/auth/passwords/scrypt.ts";

const WEAK = { cost: 4, blockSize: 1, parallelism: 1 };

const hasher = {
  hash: (password: string) => hashPassword(password, WEAK),
  verify: (hash: string, password: string) => verifyPassword(hash, password),
};

// The two methods of the namespace that this project calls.
export const quickHasher = { idFromName: () => ({}), get: () => hasher } as unknown as Env["PASSWORD_HASHER"];
