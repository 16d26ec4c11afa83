/** On what a write depends. */

/** The revisions that a write may replace, and those that it may not. */
export type Precondition = {
  ifMatch?: readonly number[] | undefined;
  ifNoneMatch?: readonly number[] | "*" | undefined;
};

/** Whether a write may replace this revision. */
export function holds(revision: number, { ifMatch, ifNoneMatch }: Precondition): boolean {
  if (ifMatch && !ifMatch.includes(revision)) return false;
  return ifNoneMatch === undefined || (ifNoneMatch !== "*" && !ifNoneMatch.includes(revision));
}
