#!/usr/bin/env bash
# Finding, writing many at once, and keeping a copy, with curl and jq-free shell.
#     API=https://tasks.example.com examples/tasks.sh
set -euo pipefail

API=${API:-http://localhost:8787}
TASKS="$API/api/v1/users/me/tasks"
JSON='Content-Type: application/json'

# Sign up; the access token comes in a header.
ACCOUNT='{ "name": "Ada", "email": "ada-'$(date +%s)-$$'@example.com", "password": "correct horse battery" }'
TOKEN=$(curl -sf -o /dev/null -w '%header{set-auth-jwt}' "$API/api/auth/sign-up/email" -H "$JSON" -d "$ACCOUNT")
AUTH="Authorization: Bearer $TOKEN"

# Three tasks in one transaction. With the key, sending it again would change nothing.
curl -sf "$TASKS/batch" -H "$AUTH" -H "$JSON" -H "Idempotency-Key: first-three" -o /dev/null -d '{ "operations": [
  { "op": "create", "task": { "title": "Buy oat milk", "tags": ["errands"], "due": "2026-03-01" } },
  { "op": "create", "task": { "title": "Call the bank", "priority": "high" } },
  { "op": "create", "task": { "title": "Write to Grace" } }
] }'

echo "By due date:"
curl -sf "$TASKS?status=open&sort=due" -H "$AUTH" | grep -o '"title":"[^"]*"'

echo "About milk:"
curl -sf -G "$TASKS" --data-urlencode "q=MILK" -H "$AUTH" | grep -o '"title":"[^"]*"'

# A copy starts from the beginning, and goes on from the token that each answer gives.
CHANGES=$(curl -sf "$TASKS/changes" -H "$AUTH")
NEXT=$(sed 's/.*"nextToken":"\([^"]*\)".*/\1/' <<<"$CHANGES")
curl -sf "$TASKS" -H "$AUTH" -H "$JSON" -o /dev/null -d '{ "title": "Later" }'
echo "Since then:"
curl -sf "$TASKS/changes?since=$NEXT" -H "$AUTH" | grep -o '"title":"[^"]*"'

echo "As a spreadsheet:"
curl -sf "$TASKS/export?format=csv" -H "$AUTH" | cut -d, -f2,6,7
