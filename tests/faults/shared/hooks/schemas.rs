//! A server whose schema is newer or older than the clients of a session that goes on.

use support::postgres::PostgresServer;
use trueup_core::store::SCHEMA_VERSION;

use super::super::scene::Server;
use super::fixture::RemoteSession;
use super::outlast::Pulls;

/// How many steps a session does before its clients and the server agree again.
const STEPS: usize = 4;

/// Gives the server another schema as far as clients can tell.
fn set_schema(postgres: &PostgresServer, version: i64) {
    let sql = format!(
        "CREATE OR REPLACE FUNCTION trueup.schema_version() RETURNS bigint
         LANGUAGE sql IMMUTABLE RETURN {version}::bigint"
    );
    postgres.run_sql("work", &sql);
}

#[test]
fn a_server_of_another_version_gets_everything_once_clients_know_its_schema() {
    let Some(server) = Server::start() else { return };
    let session = RemoteSession::start(&server, server.url());
    let mut steps = 0..STEPS;
    for (name, version) in [("newer", SCHEMA_VERSION + 1), ("older", SCHEMA_VERSION - 1)] {
        let begin = || set_schema(&server.postgres, version);
        let end = |()| set_schema(&server.postgres, SCHEMA_VERSION);
        session.outlast(name, Pulls::Fail, steps.clone(), begin, end);
        steps = steps.end..steps.end + STEPS;
    }
}
