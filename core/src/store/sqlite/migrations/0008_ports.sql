-- Pairs of ports that workflows reserve: fifteen slots on each host.

-- `session` and the process are of who asked. A removed row has no new one to say who removed
-- it: the operation announces itself in `release_op`.
CREATE TABLE port_reservations (
    id           TEXT NOT NULL
                 CHECK (length(id) BETWEEN 1 AND 64 AND id NOT GLOB '*[^A-Za-z0-9._-]*'
                        AND id NOT GLOB '[.-]*' AND id NOT GLOB '*..*'),
    host         TEXT NOT NULL,
    backend      INTEGER NOT NULL CHECK (backend BETWEEN 9100 AND 9114),
    frontend     INTEGER NOT NULL CHECK (frontend = backend + 100),
    session      TEXT,
    pid          INTEGER,
    pid_started  INTEGER,
    boot_id      TEXT,
    allocated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    last_actor   TEXT,
    last_reason  TEXT,
    last_op      TEXT,
    release_op   TEXT,
    facts        TEXT GENERATED ALWAYS AS (json_object(
                     'host', host, 'backend', backend, 'frontend', frontend, 'session', session,
                     'pid', pid, 'pid_started', pid_started, 'boot_id', boot_id,
                     'allocated_at', allocated_at)) VIRTUAL,
    PRIMARY KEY (host, id),
    UNIQUE (host, backend),
    UNIQUE (host, frontend)
) STRICT, WITHOUT ROWID;

-- REPLACE removes a row without a word.
CREATE TRIGGER port_reservations_insert BEFORE INSERT ON port_reservations
BEGIN
    SELECT CASE
        WHEN id = NEW.id
            THEN RAISE(ABORT, 'the id has its ports already: port_reservations.id is unique')
        ELSE RAISE(ABORT, 'the ports are another''s: port_reservations.backend is unique')
    END
    FROM port_reservations WHERE host = NEW.host AND (id = NEW.id OR backend = NEW.backend);
END;

CREATE TRIGGER port_reservations_fixed BEFORE UPDATE OF id, host, backend, frontend, allocated_at
ON port_reservations
BEGIN SELECT RAISE(ABORT, 'ports are released and reserved, never moved'); END;

CREATE TRIGGER port_reservations_added AFTER INSERT ON port_reservations
BEGIN
    INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
    VALUES (coalesce(NEW.last_actor, 'sql'), 'port', NEW.id, 'reserved', NEW.facts,
            NEW.last_reason, NEW.last_op);
END;

CREATE TRIGGER port_reservations_changed AFTER UPDATE ON port_reservations
WHEN NEW.facts <> OLD.facts
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'port', NEW.id, 'changed',
            OLD.facts, NEW.facts, iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
END;

CREATE TRIGGER port_reservations_removed AFTER DELETE ON port_reservations
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, reason, op_id)
    VALUES (iif(OLD.release_op IS NULL, 'sql', OLD.last_actor), 'port', OLD.id, 'released',
            OLD.facts, iif(OLD.release_op IS NULL, NULL, OLD.last_reason), OLD.release_op);
END;
