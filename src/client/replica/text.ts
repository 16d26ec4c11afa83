/** Folds text as the server does, so that searching here finds what searching there does. */

// A letter with more than 30 marks is cut by a joiner: normalizing sorts marks in quadratic time.
const MANY_MARKS = /[\p{M}\uFF9E\uFF9F]{30}(?=[\p{M}\uFF9E\uFF9F])/gu;
const JOINER = "\u034F";

/** The same text for all variants of case and of compatible forms, such as full-width letters. */
export function foldText(text: string): string {
  return text.replace(MANY_MARKS, `$&${JOINER}`).normalize("NFKC").toLowerCase().replaceAll("ς", "σ");
}
