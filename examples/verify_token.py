"""
Verifies an access token in another service that shares the secret, with Debian's python3-jwt.

    BETTER_AUTH_SECRET=... API=https://tasks.example.com python3 examples/verify_token.py TOKEN

The signature proves who the caller is until the token expires. Only the task API can tell that a session ended earlier.
"""

import os
import sys

try:
    from jwt import InvalidTokenError, decode, get_unverified_header
except ImportError:
    sys.exit("PyJWT is missing: install it with apt-get install python3-jwt or pip install pyjwt.")

CLAIMS = ["iss", "aud", "sub", "sid", "email", "iat", "exp", "jti"]


def verify(token, secret, origin):
    """Returns the claims, or raises jwt.InvalidTokenError."""
    if get_unverified_header(token).get("typ") != "at+jwt":
        # The same secret signs other tokens, such as those of links in mails.
        raise InvalidTokenError("not an access token")
    return decode(token, secret, algorithms=["HS256"], audience=origin, issuer=origin, options={"require": CLAIMS})


def main():
    missing = [name for name in ("BETTER_AUTH_SECRET", "API") if not os.environ.get(name)]
    if missing or len(sys.argv) != 2:
        sys.exit("Usage: BETTER_AUTH_SECRET=... API=https://tasks.example.com python3 examples/verify_token.py TOKEN")
    try:
        claims = verify(sys.argv[1], os.environ["BETTER_AUTH_SECRET"], os.environ["API"])
    except InvalidTokenError as error:
        sys.exit(f"Token rejected: {error}")
    print(claims["sub"], claims["email"])


if __name__ == "__main__":
    main()
