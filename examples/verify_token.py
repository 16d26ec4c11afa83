"""
How another service checks an access token of ours: with Debian's python3-jwt and the shared secret.

    BETTER_AUTH_SECRET=... API=https://tasks.example.com python3 examples/verify_token.py TOKEN

It tells who is calling, and that we said so; whether the session has ended since, only the task API knows.
"""

import os
import sys

import jwt

CLAIMS = ["iss", "aud", "sub", "sid", "email", "iat", "exp", "jti"]


def verify(token, secret, origin):
    """Returns the claims, or raises jwt.InvalidTokenError."""
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        # Other tokens are made with the same secret: links in mails, for instance.
        raise jwt.InvalidTokenError("not an access token")
    return jwt.decode(
        token, secret, algorithms=["HS256"], audience=origin, issuer=origin, options={"require": CLAIMS}
    )


if __name__ == "__main__":
    try:
        claims = verify(sys.argv[1], os.environ["BETTER_AUTH_SECRET"], os.environ["API"])
    except jwt.InvalidTokenError as error:
        sys.exit(f"refused: {error}")
    print(claims["sub"], claims["email"])
