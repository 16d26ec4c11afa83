/** Where a text stops being JSON. */
import { parse, printParseErrorCode } from "jsonc-parser";

/** Where a fault is, by its line and column, both counted from 1, and what is wrong. */
export type JsonFault = { offset: number; line: number; column: number; what: string };

/**
 * Finds the first fault of a text that is not JSON.
 * @returns undefined if the text is JSON
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const errors: { error: number; offset: number; length: number }[] = [];
  try {
    parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  } catch {
    // The library calls itself for each level, and some texts have too many.
    return undefined;
  }
  const [first] = errors;
  if (!first) return undefined;
  const before = text.slice(0, first.offset).split("\n");
  const isAtEnd = text.slice(first.offset).trim() === "";
  return {
    offset: first.offset,
    line: before.length,
    column: (before.at(-1) ?? "").length + 1,
    what: isAtEnd
      ? "the text ends too early"
      : (WORDS.get(printParseErrorCode(first.error)) ?? "it cannot be read here"),
  };
}

/** The same as a sentence. @param at where the text begins in a longer one */
export function describeJsonFault(text: string, at: { line: number; column: number } = { line: 1, column: 1 }): string {
  const fault = findJsonFault(text);
  const column = fault?.line === 1 ? at.column + fault.column - 1 : fault?.column;
  return describeFault(fault && { ...fault, line: at.line + fault.line - 1, column: column ?? 1 });
}

export function describeFault(fault: JsonFault | undefined): string {
  if (!fault) return "must be JSON";
  return `must be JSON: in line ${fault.line}, column ${fault.column}, ${fault.what}`;
}

const WORDS = new Map(
  Object.entries({
    InvalidSymbol: "there is a symbol that JSON does not know; texts stand in double quotes",
    InvalidNumberFormat: "a number is written in another way than JSON's",
    PropertyNameExpected: "a name in double quotes is expected",
    ValueExpected: "a value is expected",
    ColonExpected: "a colon is expected",
    CommaExpected: "a comma is expected",
    CloseBraceExpected: "a closing brace is expected",
    CloseBracketExpected: "a closing bracket is expected",
    EndOfFileExpected: "there is more text behind the end",
    InvalidCommentToken: "there is a comment",
    UnexpectedEndOfString: "a text does not end",
    InvalidUnicode: "a \\u escape is incomplete",
    InvalidEscapeCharacter: "there is an escape that JSON does not know",
    InvalidCharacter: "a text holds a control character; write it as an escape",
  }),
);
