/** The revisions that a write may replace, and those that it may not. */
export type Precondition = {
  ifMatch?: readonly number[] | undefined;
  ifNoneMatch?: readonly number[] | "*" | undefined;
};

/** Tells whether a revision satisfies a precondition. */
export function satisfies(revision: number, { ifMatch, ifNoneMatch }: Precondition): boolean {
  if (ifMatch && !ifMatch.includes(revision)) return false;
  return ifNoneMatch === undefined || (ifNoneMatch !== "*" && !ifNoneMatch.includes(revision));
}
