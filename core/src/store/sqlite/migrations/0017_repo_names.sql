-- The name under which rows of a repository are kept that nobody registered: clones of it have
-- directories of any name.
CREATE TABLE repo_names (
    identity TEXT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL COLLATE NOCASE UNIQUE
) STRICT, WITHOUT ROWID;

-- What comes next in a repository is found without a walk past the items of all others.
CREATE INDEX work_items_next_in_repo
    ON work_items (repo, parent, position IS NULL, position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');

DROP INDEX work_items_status;
CREATE INDEX work_items_status ON work_items (parent, status, repo);
