/** Keys of texts: folded to be compared without regard to case, and to be sorted as people expect. */

/** The version of the keys. Housekeeping makes older keys anew: raise it with any change of what is made here. */
export const KEYS_VERSION = 1;

/**
 * Normalizing sorts the marks of a letter in quadratic time. A joiner after every 30 marks bounds that. The half-width
 * sound marks of kana turn into marks.
 * @see https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
 */
const MANY_MARKS = /[\p{M}\uFF9E\uFF9F]{30}(?=[\p{M}\uFF9E\uFF9F])/gu;
const JOINER = "\u034F";

/** The dotless i is a letter of its own: its capital is that of i. */
const FOLDED_BY_CAPITALS = /[^ı]+/g;

/**
 * The same text for all variants of case and of compatible forms, such as ß and SS, or full-width letters. JavaScript has
 * no case folding; the small letters of the capitals are equal wherever folded letters are.
 * @see https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt
 */
export function foldText(text: string): string {
  return normalize(text)
    .toLowerCase()
    .replaceAll(FOLDED_BY_CAPITALS, (part) => part.toUpperCase().toLowerCase())
    .replaceAll("ς", "σ")
    .normalize("NFKC");
}

function normalize(text: string): string {
  return text.replace(MANY_MARKS, `$&${JOINER}`).normalize("NFKC");
}

/** Longer keys would make cursors too long for a URL. */
const MAX_SORT_KEY_CHARACTERS = 300;
/** Marks of Latin, Greek and Cyrillic letters. In other scripts a mark may be a vowel. */
const ACCENTS = /[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF]/g;
/** Letters that people look for beside another, but that Unicode does not take apart. */
const BESIDE = new Map(
  Object.entries({ ø: "o", ł: "l", đ: "d", ð: "d", ħ: "h", ŧ: "t", ı: "i", æ: "ae", œ: "oe", й: "и\uFFFD" }),
);
const HAS_NEIGHBOUR = new RegExp(`[${[...BESIDE.keys()].join("")}]`, "g");
/** More digits than these are compared from the left, as text. */
const NUMBER = /\p{Nd}{1,30}/gu;

/** A key that sorts texts without regard to case and accents, and numbers in them by value. */
export function sortKey(text: string): string {
  const letters = foldText(text)
    .replaceAll(HAS_NEIGHBOUR, (letter) => BESIDE.get(letter) ?? letter)
    .normalize("NFD")
    .replaceAll(ACCENTS, "");
  const key = letters.replaceAll(NUMBER, (digits) => {
    const value = [...digits]
      .map(digitOf)
      .join("")
      .replace(/^0+(?=\d)/, "");
    // The number of digits first: two digits sort after one.
    return `0${String.fromCharCode(0x40 + value.length)}${value}`;
  });
  return [...key].slice(0, MAX_SORT_KEY_CHARACTERS).join("");
}

/** The value of a decimal digit in any script: each has its ten digits in a row. */
function digitOf(digit: string): number {
  let code = digit.codePointAt(0) ?? 0;
  const last = code;
  while (last - code < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - 1))) code -= 1;
  return last - code;
}
