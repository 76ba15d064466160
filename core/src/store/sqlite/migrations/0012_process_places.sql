-- A process number means something within one machine, one boot and one pid namespace. Rows
-- from before name neither machine nor namespace: nothing is known of their processes until
-- their owners give the next sign of life.
ALTER TABLE claude_sessions ADD COLUMN machine_id TEXT;
ALTER TABLE claude_sessions ADD COLUMN pid_namespace TEXT;
ALTER TABLE orchestrators ADD COLUMN machine_id TEXT;
ALTER TABLE orchestrators ADD COLUMN pid_namespace TEXT;
ALTER TABLE port_reservations ADD COLUMN machine_id TEXT;
ALTER TABLE port_reservations ADD COLUMN pid_namespace TEXT;

-- Sweeps look at what no sweep has settled: leases that are over, sessions that ended, and
-- times that a wrong clock wrote. All of it is in the index.
DROP INDEX claude_sessions_lease;
CREATE INDEX claude_sessions_lease
    ON claude_sessions (lease_expires_at, status, heartbeat_at, session_id) WHERE settled = 0;
