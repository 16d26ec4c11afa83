/** The token of a mailed link stands behind the #, which no server and no referrer sees. */

const LINK_PAGES = ["/verify-email", "/reset-password"];

/** The token. It leaves the address at once, so that neither history nor a copied address holds it. */
export const linkToken = takeToken();

function takeToken(): string {
  if (!LINK_PAGES.includes(location.pathname)) return "";
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return token;
}
