//! `postgres://` over a network that fails, and with servers that do not answer.

use std::time::{Duration, Instant};

use trueup_core::deadline::Deadline;
use trueup_remote::{FailureKind, Transport as _, TransportError};

use crate::support::postgres_server::PostgresServer;
use crate::support::{REQUEST, assert_line, database, failure_of, late, open, soon};
use support::network::faulty_proxy::{Fault, FaultyProxy};

/// What the call of the function looks like on the wire.
const CALL: &str = "trueup.exchange";

/// Makes one exchange through a proxy; returns its port and why the exchange fails.
fn fail_through(
    server: &PostgresServer,
    fault: Fault,
    deadline: Deadline,
) -> (u16, TransportError) {
    let proxy = FaultyProxy::start(server.port, fault);
    let url = format!("postgres://client:s3cret@127.0.0.1:{}/work?sslmode=disable", proxy.port);
    (proxy.port, failure_of(&url, deadline))
}

#[test]
fn a_connection_that_ends_before_the_request_is_not_ambiguous() {
    let Some(server) = PostgresServer::shared() else { return };
    // The server's first message asks for a way to log in.
    for bytes in [0, 1, 30] {
        let (port, error) = fail_through(&server, Fault::CutAfter(bytes), late());
        let problem = "the connection was closed before the request was sent";
        assert_line(&error, &format!("postgres://127.0.0.1:{port}/work: {problem}"));
        assert!(error.is_retryable() && !error.may_have_committed());
    }
}

#[test]
fn a_connection_that_ends_after_the_request_is_ambiguous() {
    let Some(server) = PostgresServer::shared() else { return };
    for fault in [Fault::CloseAt(CALL), Fault::ResetAt(CALL)] {
        let (port, error) = fail_through(&server, fault, late());
        let problem = "the connection was closed before the answer came; the write may have been \
                       made";
        assert_line(&error, &format!("postgres://127.0.0.1:{port}/work: {problem}"));
        assert!(error.is_retryable() && error.may_have_committed());
    }
}

#[test]
fn a_passed_deadline_tells_what_was_under_way() {
    let Some(server) = PostgresServer::shared() else { return };
    for (fault, activity, may_have_committed) in [
        (Fault::BlackHole, "logging in", false),
        (Fault::Drip(Duration::from_millis(20)), "logging in", false),
        (Fault::SilenceAt(CALL), "waiting for the answer; the write may have been made", true),
    ] {
        let began = Instant::now();
        let (port, error) = fail_through(&server, fault, soon());
        assert!(began.elapsed() < Duration::from_secs(5), "{fault:?}");
        let problem = format!("timed out while {activity}");
        assert_line(&error, &format!("postgres://127.0.0.1:{port}/work: {problem}"));
        assert_eq!(error.may_have_committed(), may_have_committed, "{fault:?}");
    }
}

#[test]
fn a_host_that_does_not_answer_leaves_time_for_the_next_one() {
    let Some(server) = PostgresServer::shared() else { return };
    let (hole, way) = (
        FaultyProxy::start(server.port, Fault::BlackHole),
        FaultyProxy::start(server.port, Fault::None),
    );
    let url =
        format!("postgres://client:s3cret@127.0.0.1:{},127.0.0.1:{}/work", hole.port, way.port);
    let mut transport = open(&url);
    let deadline = Deadline::after(Duration::from_secs(6));
    assert_eq!(transport.exchange(REQUEST, deadline).unwrap(), REQUEST);
    assert_eq!((hole.connections(), way.connections()), (1, 1));
    assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST);
    assert_eq!((hole.connections(), way.connections()), (1, 1));
    // The limit of one host ends the wait earlier.
    let mut transport = open(&format!("{url}?connect_timeout=1"));
    let began = Instant::now();
    assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_server_that_stands_still_is_not_waited_for_beyond_the_deadline() {
    let Some(server) = PostgresServer::start() else { return };
    server.run_sql(
        "postgres",
        "create role client login password 's3cret'; create schema trueup; \
         grant usage on schema trueup to client; \
         create function trueup.exchange(request text) returns text language sql \
         as $$ select pg_sleep(60)::text $$",
    );
    let url = server.url("client", "postgres");
    let line = |problem: &str| {
        format!("postgres://localhost:{}/postgres: timed out while {problem}", server.port)
    };
    let mut transport = open(&url);
    let error = transport.exchange(REQUEST, Deadline::after(Duration::from_secs(2))).unwrap_err();
    assert_line(&error, &line("waiting for the answer; the write may have been made"));
    server.freeze();
    let began = Instant::now();
    assert_line(&failure_of(&url, soon()), &line("logging in"));
    let error = database(&url).connect_directly(soon()).unwrap_err();
    assert_line(&error, &line("logging in"));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_server_that_was_shut_down_refuses() {
    let Some(mut server) = PostgresServer::start() else { return };
    server.run_sql(
        "postgres",
        "create role client login password 's3cret'; create schema trueup; \
         grant usage on schema trueup to client; \
         create function trueup.exchange(request text) returns text language sql \
         as $$ select request $$",
    );
    let mut transport = open(&server.url("client", "postgres"));
    transport.exchange(REQUEST, late()).unwrap();
    server.shut_down();
    // What the first one meets depends on how soon the end of the connection is seen.
    let _ = transport.exchange(REQUEST, late());
    let error = transport.exchange(REQUEST, late()).unwrap_err();
    assert_eq!(error.kind, FailureKind::Refused);
    let port = server.port;
    assert_line(
        &error,
        &format!("postgres://localhost:{port}/postgres: the connection was refused"),
    );
}

#[test]
fn an_answer_is_bounded() {
    let Some(server) = PostgresServer::shared() else { return };
    server.run_sql("postgres", "create database large");
    server.run_sql(
        "large",
        "create schema trueup; grant usage on schema trueup to client; \
         create function trueup.exchange(request text) returns text language sql \
         as $$ select repeat('x', request::int) $$",
    );
    let mut transport = open(&server.url("client", "large?sslmode=disable"));
    let mib = 1024 * 1024;
    for megabytes in [65, 80] {
        let size = (megabytes * mib).to_string();
        let error = transport.exchange(&size, late()).unwrap_err();
        let problem = "the answer is larger than 64 MiB";
        assert_line(&error, &format!("postgres://localhost:{}/large: {problem}", server.port));
        assert!(error.may_have_committed() && !error.is_retryable());
    }
    assert_eq!(transport.exchange("64", late()).unwrap().len(), 64);
}

/// A backend that waits for a lock does not notice that its client has gone.
#[test]
fn a_statement_that_nobody_waits_for_any_more_is_stopped_on_the_server() {
    let Some(server) = PostgresServer::shared() else { return };
    server.run_sql("postgres", "create database locked owner client");
    server.run_sql(
        "locked",
        "create schema trueup authorization client; create function trueup.exchange(request text) \
         returns text language sql as $$ select pg_advisory_lock(7)::text || request $$",
    );
    let mut holder = open(&server.url("client", "locked"));
    assert_eq!(holder.exchange(REQUEST, late()).unwrap(), REQUEST);
    let mut waiting = open(&server.url("client", "locked?application_name=waiting"));
    let deadline = Deadline::after(Duration::from_secs(2));
    let error = waiting.exchange(REQUEST, deadline).unwrap_err();
    assert!(matches!(error.kind, FailureKind::TimedOut(_)), "{error}");
    let count = "select count(*) from pg_stat_activity where application_name = 'waiting'";
    let begun = Instant::now();
    while server.run_sql("locked", count).trim() != "0" {
        assert!(begun.elapsed() < Duration::from_mins(1), "the backend still waits for the lock");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(holder);
}
