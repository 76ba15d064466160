//! Faults as the hooks of a session meet them, whose database is on a server.
//!
//! No hook waits for the server, so no fault of it may be seen in one beyond a single line. What
//! must hold of a session that goes on meanwhile is checked in one place:
//! [`fixture::RemoteSession::outlast`].

mod clock_and_backup;
mod fixture;
mod full_disk;
mod https;
mod kills;
mod machines;
mod name_lookup;
mod network;
mod outage;
mod outlast;
mod replica_files;
mod schemas;
mod servers;
mod system_calls;
mod urls;
