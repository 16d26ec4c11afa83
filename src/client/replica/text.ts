/** Folds text as the server does, so that searching here finds what searching there does. */

// A letter with more than 30 marks is cut by a joiner: normalizing sorts marks in quadratic time.
const MANY_MARKS = /[\p{M}\uFF9E\uFF9F]{30}(?=[\p{M}\uFF9E\uFF9F])/gu;
const JOINER = "\u034F";
/** The dotless i is a letter of its own: its capital is that of i. */
const FOLDED_BY_CAPITALS = /[^ı]+/g;

/** The same text for all variants of case and of compatible forms, such as full-width letters. */
export function foldText(text: string): string {
  return text
    .replace(MANY_MARKS, `$&${JOINER}`)
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(FOLDED_BY_CAPITALS, (part) => part.toUpperCase().toLowerCase())
    .replaceAll("ς", "σ")
    .normalize("NFKC");
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
