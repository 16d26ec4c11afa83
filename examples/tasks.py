"""A program that needs nothing but Python: `API=https://tasks.example.com python3 examples/tasks.py`."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid

API = os.environ.get("API", "http://localhost:8787")
TASKS = "/api/v1/users/me/tasks"


class Refused(Exception):
    """A problem of the API; decide by its code."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or problem.get("message"))
        self.status = status
        self.code = problem.get("code")
        self.problem = problem


def call(method, path, body=None, **headers):
    """Sends a request, and again when it may be: what is safe, or has a key."""
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(API + path, data, {"Content-Type": "application/json", **names}, method=method)
    may_repeat = method == "GET" or "Idempotency-Key" in names
    for attempt in range(1, 5):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), answer.headers
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read() or b"{}")
            if error.code not in (429, 503) or not may_repeat or attempt == 4:
                raise Refused(error.code, problem) from None
            time.sleep(int(error.headers.get("Retry-After", "1")))
        except urllib.error.URLError:
            if not may_repeat or attempt == 4:
                raise
            time.sleep(2**attempt / 10)


def main():
    account = {"name": "Ada", "email": f"ada-{uuid.uuid4()}@example.com", "password": "correct horse battery"}
    _, headers = call("POST", "/api/auth/sign-up/email", account)
    auth = {"Authorization": "Bearer " + headers["set-auth-jwt"]}

    task, _ = call(
        "POST", TASKS, {"title": "Buy oat milk", "due": "2026-03-01"}, Idempotency_Key=str(uuid.uuid4()), **auth
    )
    etag = f'"{task["revision"]}"'
    call("PATCH", f"{TASKS}/{task['id']}", {"priority": "high"}, If_Match=etag, **auth)
    try:
        call("PATCH", f"{TASKS}/{task['id']}", {"priority": "low"}, If_Match=etag, **auth)
    except Refused as refused:
        print(refused.status, refused.code, "revision", refused.problem["revision"])

    page, _ = call("GET", TASKS + "?sort=-priority", **auth)
    for each in page["data"]:
        print(each["priority"], each["title"])


if __name__ == "__main__":
    main()
