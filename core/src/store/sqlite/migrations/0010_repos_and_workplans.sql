-- Repositories whose state others are shown, and what workplan files say of items. Only commands
-- and hooks write both, so the store records it.
--
-- places is where a repository lies: {"<machine>": {"host": …, "path": …}}. The state is that of
-- its STATE.md, secrets replaced; it comes last, so that nobody reads it who asks for the rest.
CREATE TABLE repos (
    slug          TEXT NOT NULL PRIMARY KEY COLLATE NOCASE
                  CHECK (length(slug) BETWEEN 1 AND 64 AND slug NOT GLOB '*[^A-Za-z0-9._-]*'
                         AND slug NOT GLOB '[._-]*' AND slug NOT GLOB '*..*'),
    passive       INTEGER NOT NULL DEFAULT 0 CHECK (passive IN (0, 1)),
    places        TEXT NOT NULL DEFAULT '{}'
                  CHECK (json_valid(places) AND json_type(places) = 'object'),
    created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    synced_at     TEXT,
    synced_by     TEXT,
    source_digest TEXT,
    digest        TEXT,
    redacted      INTEGER,
    summary       TEXT,
    content       TEXT
) STRICT;

-- The id that a file carries for an item, and what the file says of it beyond the item's own
-- columns: the text below it, and its planning as canonical JSON.
CREATE TABLE workplan_links (
    item        TEXT NOT NULL PRIMARY KEY,
    link        TEXT NOT NULL UNIQUE,
    digest      TEXT NOT NULL,
    planning    TEXT NOT NULL CHECK (json_valid(planning) AND json_type(planning) = 'object'),
    description TEXT NOT NULL
) STRICT, WITHOUT ROWID;
