-- Pairs of ports that workflows reserve: fifteen slots on each host. Who asked is named by its
-- session when there is one, and by the process. Only commands reserve and release, so the
-- store records it.
CREATE TABLE port_reservations (
    id           TEXT NOT NULL,
    host         TEXT NOT NULL,
    backend      INTEGER NOT NULL CHECK (backend BETWEEN 9100 AND 9114),
    frontend     INTEGER NOT NULL CHECK (frontend = backend + 100),
    session      TEXT,
    pid          INTEGER,
    pid_started  INTEGER,
    boot_id      TEXT,
    allocated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (host, id),
    UNIQUE (host, backend)
) STRICT, WITHOUT ROWID;
