/** Thrown when a statement finds that the caller's session is not active: signed out, revoked or expired. */
export class SessionEnded extends Error {
  override readonly name = "SessionEnded";
}
