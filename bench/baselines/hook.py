"""What the first seed's hook did, in Python: the database wins over the cache."""

import json
import os
import sqlite3
import sys

database, session, cache = sys.argv[1:4]
payload = json.load(sys.stdin)

connection = sqlite3.connect(database, timeout=1)
connection.execute("PRAGMA foreign_keys = ON")
row = connection.execute(
    "SELECT s.metadata, w.key FROM claude_sessions s "
    "LEFT JOIN work_items w ON w.holder = s.session_id WHERE s.session_id = ?",
    (session,),
).fetchone()
connection.close()

if row is None:
    sys.exit(0)
state = json.loads(row[0]).get("execution_state", {})
truth = {**state, "currentSd": row[1]}
try:
    with open(cache, encoding="utf-8") as file:
        local = json.load(file)
except (OSError, ValueError):
    local = {}

wrong = [key for key, value in truth.items() if local.get(key) != value]
if wrong:
    draft = cache + ".tmp"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump({**local, **truth}, file, indent=2)
    os.replace(draft, cache)
    told = f"database says {truth['currentSd']}, file said {local.get('currentSd')}"
    print(f"[{payload.get('hook_event_name')}] mended {', '.join(wrong)}: {told}")
