/** What is told of several measurements of the same thing. */
export type Range = { median: number; least: number; most: number };

export function rangeOf(values: number[]): Range {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1) };
}
