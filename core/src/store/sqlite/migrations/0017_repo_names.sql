-- The name under which rows of a repository are kept that nobody registered: clones of it have
-- directories of any name.
CREATE TABLE repo_names (
    identity TEXT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL COLLATE NOCASE
) STRICT, WITHOUT ROWID;

CREATE INDEX repo_names_name ON repo_names (name);

-- What was known by the name of its directory stays found from there.
INSERT OR IGNORE INTO repo_names (identity, name)
    SELECT 'place ' || host || ' ' || worktree, repo FROM claude_sessions
    WHERE host IS NOT NULL AND worktree IS NOT NULL AND repo IS NOT NULL
    ORDER BY heartbeat_at DESC;

-- What comes next in a repository is found without a walk past the items of all others.
CREATE INDEX work_items_next_in_repo
    ON work_items (repo, parent, position IS NULL, position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');

DROP INDEX work_items_status;
CREATE INDEX work_items_status ON work_items (parent, status, repo);
