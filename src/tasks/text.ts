/** Folds text, so that it can be compared without regard to case in any script. */

/**
 * Normalizing sorts the marks of a letter in quadratic time. A joiner after every 30 marks bounds that. The half-width
 * sound marks of kana turn into marks.
 * @see https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
 */
const MANY_MARKS = /[\p{M}\uFF9E\uFF9F]{30}(?=[\p{M}\uFF9E\uFF9F])/gu;
const JOINER = "\u034F";

/** The same text for all variants of case and of compatible forms, such as full-width letters. */
export function foldText(text: string): string {
  // Lower case has two sigmas; which one depends on the letters around it.
  return text.replace(MANY_MARKS, `$&${JOINER}`).normalize("NFKC").toLowerCase().replaceAll("ς", "σ");
}
