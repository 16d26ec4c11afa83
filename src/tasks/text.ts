/** One way to compare text without regard to case, in any script. */

/** What texts share that differ in case, or are compatible forms of each other, as full-width letters are. */
export function foldText(text: string): string {
  // A final sigma is a sigma: which of the two a word ends with depends on what follows it.
  return text.normalize("NFKC").toLowerCase().replaceAll("ς", "σ");
}
