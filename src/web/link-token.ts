/** The token of a mailed link stands behind the #, which no server and no referrer sees. */

/** Takes the token out of the address, so that neither history nor a copied address holds it. */
export function takeToken(): string {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return token;
}
