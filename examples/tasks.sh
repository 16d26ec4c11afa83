#!/usr/bin/env bash
# Searches, writes several tasks at once and syncs changes, with bash and curl 7.84 or newer.
#     API=https://tasks.example.com examples/tasks.sh
set -euo pipefail

API=${API:-http://localhost:8787}
TASKS="$API/api/v1/users/me/tasks"
JSON='Content-Type: application/json'

stop() {
  echo "$1" >&2
  exit 1
}
command -v curl >/dev/null || stop "curl is missing: install curl 7.84 or newer, then run this example again."
curl -s -o /dev/null "$API/health" || stop "No answer from $API: run npm start in another terminal, or set API to a server."

# Sign up. The access token is in a header of the answer.
ACCOUNT='{ "name": "Ada", "email": "ada-'$(date +%s)-$$'@example.com", "password": "correct horse battery" }'
TOKEN=$(curl -sSf -o /dev/null -w '%header{set-auth-jwt}' "$API/api/auth/sign-up/email" -H "$JSON" -d "$ACCOUNT")
[[ $TOKEN == *.*.* ]] || stop "No access token from $API: use curl 7.84 or newer, and set API to a server of Edge Tasks."
AUTH="Authorization: Bearer $TOKEN"

# Create three tasks in one transaction. The key makes it safe to repeat the request: it runs once.
curl -sSf "$TASKS/batch" -H "$AUTH" -H "$JSON" -H "Idempotency-Key: first-three" -o /dev/null -d '{ "operations": [
  { "op": "create", "task": { "title": "Buy oat milk", "tags": ["errands"], "due": "2026-03-01" } },
  { "op": "create", "task": { "title": "Call the bank", "priority": "high" } },
  { "op": "create", "task": { "title": "Write to Grace" } }
] }'

echo "By due date:"
curl -sSf "$TASKS?status=open&sort=due" -H "$AUTH" | grep -o '"title":"[^"]*"'

echo "With the word milk:"
curl -sSf -G "$TASKS" --data-urlencode "q=MILK" -H "$AUTH" | grep -o '"title":"[^"]*"'

# The first sync returns everything; each answer has the token from which the next sync continues.
CHANGES=$(curl -sSf "$TASKS/changes" -H "$AUTH")
NEXT=$(sed 's/.*"nextToken":"\([^"]*\)".*/\1/' <<<"$CHANGES")
curl -sSf "$TASKS" -H "$AUTH" -H "$JSON" -o /dev/null -d '{ "title": "Later" }'
echo "Changed since the first sync:"
curl -sSf "$TASKS/changes?since=$NEXT" -H "$AUTH" | grep -o '"title":"[^"]*"'

echo "As CSV:"
curl -sSf "$TASKS/export?format=csv" -H "$AUTH" | cut -d, -f2,6,7
