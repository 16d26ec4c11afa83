// Ends a script that fails with one sentence instead of a stack trace.

/** The exit code that shells give a program that a signal ended. */
export const EXIT_CODE_OF_SIGNAL = 130;

/** Ctrl-C or SIGTERM ended the command. Whoever sent it needs no message. */
export class Interrupted extends Error {}

process.on("uncaughtException", (error) => {
  if (error instanceof Interrupted) process.exit(EXIT_CODE_OF_SIGNAL);
  console.error(describe(error));
  process.exit(1);
});

/** @param {NodeJS.ErrnoException} error */
function describe({ code, path, message }) {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return `No permission for ${path} (${code}): change its owner, or copy the project to a folder that you may write to.`;
    case "EROFS":
      return `${path} is on a read-only file system: copy the project to a folder that you may write to.`;
    case "ENOSPC":
      return `The disk is full: free some space on it and run this command again.`;
    default:
      return message;
  }
}
