/** One way to compare text without regard to case, in any script. */

/** What two texts share when they differ in case, width or composition only. */
export function foldText(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
