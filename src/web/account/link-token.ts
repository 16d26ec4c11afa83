/** The token of a mailed link stands behind the #, which no server and no referrer sees. */

/** Takes the token out of the address, so that neither history nor a copied address holds it. */
export function takeToken(): void {
  if (location.hash) history.replaceState(null, "", location.pathname);
}
