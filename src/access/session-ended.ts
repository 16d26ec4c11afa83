/** Thrown by any statement that finds no live session behind the caller: signed out, revoked or run out. */
export class SessionEnded extends Error {
  override readonly name = "SessionEnded";
}
