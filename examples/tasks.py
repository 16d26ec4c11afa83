"""A program that needs only Python 3.8 or newer: `API=https://tasks.example.com python3 examples/tasks.py`."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

API = os.environ.get("API", "http://localhost:8787")
TASKS = "/api/v1/users/me/tasks"


class ApiError(Exception):
    """An error answer of the API. Programs decide by its code, people read its message."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or problem.get("message") or f"{API} answered {status}")
        self.status = status
        self.code = problem.get("code")
        self.problem = problem


def call(method, path, body=None, **headers):
    """Sends a request. Retries only reads and requests with an idempotency key, because others could run twice."""
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(API + path, data, {"Content-Type": "application/json", **names}, method=method)
    is_repeatable = method == "GET" or "Idempotency-Key" in names
    for attempt in range(1, 5):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), answer.headers
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503) or not is_repeatable or attempt == 4:
                raise ApiError(error.code, read_problem(error)) from None
            time.sleep(int(error.headers.get("Retry-After", "1")))
        except urllib.error.URLError:
            if not is_repeatable or attempt == 4:
                raise
            time.sleep(2**attempt / 10)


def read_problem(error):
    """Returns the error's JSON; a proxy or another server may answer with something else."""
    try:
        problem = json.loads(error.read())
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def main():
    account = {"name": "Ada", "email": f"ada-{uuid.uuid4()}@example.com", "password": "correct horse battery"}
    _, headers = call("POST", "/api/auth/sign-up/email", account)
    auth = {"Authorization": f"Bearer {headers['set-auth-jwt']}"}

    task, _ = call(
        "POST", TASKS, {"title": "Buy oat milk", "due": "2026-03-01"}, Idempotency_Key=str(uuid.uuid4()), **auth
    )
    etag = f'"{task["revision"]}"'
    call("PATCH", f"{TASKS}/{task['id']}", {"priority": "high"}, If_Match=etag, **auth)
    try:
        # The first change has made this ETag old, so the server rejects the second.
        call("PATCH", f"{TASKS}/{task['id']}", {"priority": "low"}, If_Match=etag, **auth)
    except ApiError as error:
        if error.code != "precondition_failed":
            raise
        print(error.status, error.code, "revision", error.problem["revision"])

    page, _ = call("GET", TASKS + "?sort=-priority", **auth)
    for each in page["data"]:
        print(each["priority"], each["title"])


if __name__ == "__main__":
    try:
        main()
    except ApiError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"No answer from {API} ({error}): run npm start in another terminal, or set API to a server.")
    except ValueError:
        sys.exit(f"{API} is not a server of Edge Tasks: set API to the address of one, such as http://localhost:8787.")
    except KeyboardInterrupt:
        sys.exit(130)
