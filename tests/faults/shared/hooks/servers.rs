//! Servers that refuse, hang, die and are followed by another one while a session goes on.

use support::home::Home;
use support::network::faulty_proxy::{Fault, FaultyProxy};
use support::postgres::{HeldTurn, PostgresServer};

use super::super::overload::{CONNECTIONS, IdleConnection, SHORT_LOCK_TIMEOUT};
use super::super::scene::{Server, url_by};
use super::fixture::{RemoteSession, await_event};
use super::outlast::Pulls;

/// How many steps a session does in each outage.
const STEPS: usize = 3;

/// A session that goes from one outage to the next.
struct Outages<'s> {
    session: RemoteSession<'s>,
    steps: usize,
}

impl<'s> Outages<'s> {
    fn start(server: &'s Server) -> Self {
        Self { session: RemoteSession::start(server, server.url()), steps: 0 }
    }

    /// Goes on through the next outage.
    fn outlast<G>(
        &mut self,
        name: &str,
        pulls: Pulls,
        begin: impl FnOnce() -> G,
        end: impl FnOnce(G),
    ) {
        let steps = self.steps..self.steps + STEPS;
        self.steps = steps.end;
        self.session.outlast(name, pulls, steps, begin, end);
    }
}

#[test]
fn a_server_that_lets_nobody_in_gets_everything_once_it_does() {
    let Some(server) = Server::start() else { return };
    let run = |sql: &str| drop(server.postgres.run_sql("work", sql));
    let mut outages = Outages::start(&server);
    for (name, refuse, permit) in [
        (
            "another password",
            "ALTER ROLE agent PASSWORD 's3cret-q'",
            "ALTER ROLE agent PASSWORD 's3cret-p'",
        ),
        ("a revoked login", "ALTER ROLE agent NOLOGIN", "ALTER ROLE agent LOGIN"),
        (
            "no right to connect",
            "REVOKE CONNECT ON DATABASE work FROM PUBLIC",
            "GRANT CONNECT ON DATABASE work TO PUBLIC",
        ),
        ("no rights", "REVOKE trueup_client FROM agent", "GRANT trueup_client TO agent"),
        (
            "read-only",
            "ALTER ROLE agent SET default_transaction_read_only = on",
            "ALTER ROLE agent RESET default_transaction_read_only",
        ),
        (
            "renamed",
            "ALTER FUNCTION trueup.exchange(text) RENAME TO absent",
            "ALTER FUNCTION trueup.absent(text) RENAME TO exchange",
        ),
    ] {
        outages.outlast(name, Pulls::Fail, || run(refuse), |()| run(permit));
    }
}

#[test]
fn a_server_that_dies_or_stands_still_gets_everything_once_it_runs() {
    let Some(server) = Server::start() else { return };
    let postgres = &server.postgres;
    let mut outages = Outages::start(&server);
    outages.outlast("killed", Pulls::Fail, || postgres.crash(), |()| postgres.start_again());
    outages.outlast("frozen", Pulls::Fail, || postgres.freeze(), |()| postgres.thaw());
}

#[test]
fn a_server_that_is_busy_gets_everything_once_it_is_not() {
    let Some(server) = Server::start_with(CONNECTIONS) else { return };
    server.postgres.run_sql("work", SHORT_LOCK_TIMEOUT);
    let mut outages = Outages::start(&server);
    let hold_turn = || HeldTurn::take(&server.postgres.admin_url("work"));
    outages.outlast("held", Pulls::Fail, hold_turn, HeldTurn::release);
    let fill = || {
        // Pulls that have just ended may hold a connection still.
        await_event(|| IdleConnection::open_all(&server.url()).ok_or("somebody is connected"))
    };
    outages.outlast("full", Pulls::Fail, fill, drop);
}

#[test]
fn a_standby_that_takes_over_gets_what_its_primary_did_not() {
    let Some(server) = Server::start() else { return };
    let standby = server.postgres.start_standby();
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let url = url_by("agent", proxy.port);
    let session = RemoteSession::start_in(Home::new(), &standby, url);
    await_replayed(&server.postgres, &standby);
    let begin = || {
        server.postgres.crash();
        network.set(Fault::Detour(standby.port));
    };
    let promote = |()| drop(standby.run_sql("work", "SELECT pg_promote()"));
    session.outlast("a standby", Pulls::Fail, 0..STEPS, begin, promote);
}

/// Waits until a standby has everything that its primary has.
fn await_replayed(primary: &PostgresServer, standby: &PostgresServer) {
    let end = primary.run_sql("work", "SELECT pg_current_wal_lsn()");
    let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{end}'");
    await_event(|| match standby.run_sql("work", &replayed).as_str() {
        "t" => Ok(()),
        other => Err(other.to_owned()),
    });
}
