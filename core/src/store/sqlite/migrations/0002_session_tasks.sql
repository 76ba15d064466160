-- The task lists of sessions: the client names a task's subject once, when it is made, and
-- later speaks of its number alone.

CREATE TABLE session_tasks (
    session_id TEXT NOT NULL REFERENCES claude_sessions (session_id),
    task_id    TEXT NOT NULL,
    subject    TEXT NOT NULL,
    PRIMARY KEY (session_id, task_id)
) STRICT, WITHOUT ROWID;
