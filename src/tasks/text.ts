/** One way to compare text without regard to case, in any script. */

/**
 * Normalizing puts the marks on a letter in order, in quadratic time. A joiner between so many keeps it from doing so. The
 * half-width sound marks of kana become marks on the way.
 * @see https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
 */
const MANY_MARKS = /[\p{M}\uFF9E\uFF9F]{30}(?=[\p{M}\uFF9E\uFF9F])/gu;
const JOINER = "\u034F";

/** What texts share that differ in case, or are compatible forms of each other, as full-width letters are. */
export function foldText(text: string): string {
  // A final sigma is a sigma: which of the two a word ends with depends on what follows it.
  return text.replace(MANY_MARKS, `$&${JOINER}`).normalize("NFKC").toLowerCase().replaceAll("ς", "σ");
}
