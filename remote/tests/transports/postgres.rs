//! `postgres://` against a real server: logging in, calling, and what the server refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use trueup_remote::{FailureKind, Transport as _};

use support::tied_process::free_port;

use crate::support::postgres_server::PostgresServer;
use crate::support::{REQUEST, assert_line, database, failure_of, late, open};

#[test]
fn an_exchange_is_a_call_of_the_function_by_tcp_and_by_socket() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut transport = open(&server.url("client", "work"));
    for text in [REQUEST, "", "null", &"x".repeat(1_000_000)] {
        assert_eq!(transport.exchange(text, late()).unwrap(), text);
    }
    let directory = server.socket_directory().display().to_string();
    let encoded = directory.replace('/', "%2F");
    for url in [
        format!("postgres:///work?host={directory}&port={}&user=client", server.port),
        format!("postgres://client@{encoded}:{}/work?sslmode=verify-full", server.port),
    ] {
        assert_eq!(open(&url).exchange(REQUEST, late()).unwrap(), REQUEST, "{url}");
    }
}

#[test]
fn the_connection_is_kept_and_made_again_once_it_is_broken() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.url("client", "work?application_name=kept");
    let mut transport = open(&url);
    let count = || {
        server
            .run_sql("work", "select count(*) from pg_stat_activity where application_name='kept'")
    };
    transport.exchange(REQUEST, late()).unwrap();
    transport.exchange(REQUEST, late()).unwrap();
    assert_eq!(count().trim(), "1");
    let end = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity \
               where application_name='kept'";
    server.run_sql("work", end);
    assert_eq!(count().trim(), "0");
    // Long enough for the transport to look at the connection before it uses it.
    std::thread::sleep(Duration::from_millis(110));
    assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST);
}

#[test]
fn a_connection_that_the_server_ends_during_the_call_is_ambiguous() {
    let Some(server) = PostgresServer::shared() else { return };
    server.run_sql("postgres", "create database ending owner client");
    server.run_sql(
        "ending",
        "create schema trueup authorization client; create function trueup.exchange(request text) \
         returns text language sql as $$ \
         select pg_terminate_backend(pg_backend_pid())::text $$",
    );
    let error = failure_of(&server.url("client", "ending"), late());
    let port = server.port;
    assert_line(
        &error,
        &format!(
            "postgres://localhost:{port}/ending: the connection was closed before the answer \
             came; the write may have been made"
        ),
    );
    assert!(error.may_have_committed() && error.is_retryable());
}

#[test]
fn what_the_server_refuses_is_said_in_one_line() {
    let Some(server) = PostgresServer::shared() else { return };
    let port = server.port;
    let wrong = format!("postgres://client:s3cret-wrong@localhost:{port}/work");
    let none = format!("postgres://client@localhost:{port}/work");
    let socket = server.socket_directory().display().to_string();
    let no_role = format!("postgres:///work?host={socket}&port={port}&user=s3cretrole");
    let shown_socket = socket.replace('/', "%2F");
    for (url, name, problem, hint) in [
        (
            wrong,
            "localhost",
            "/work: the server refused the password",
            "check user and password in the URL, PGPASSWORD or ~/.pgpass",
        ),
        (
            none,
            "localhost",
            "/work: the server asks for a password, and none is configured",
            "put the password into the URL, PGPASSWORD or ~/.pgpass",
        ),
        (
            no_role,
            &shown_socket,
            "/work: the role does not exist or may not log in",
            "check the user in the URL; trueup_client and its siblings do not log in",
        ),
        (
            server.url("client", "nowhere"),
            "localhost",
            "/nowhere: the database does not exist",
            "check the name of the database in the URL, or create it",
        ),
        (
            server.url("client", "empty"),
            "localhost",
            "/empty: this is not a trueup database",
            "trueup db migrate",
        ),
        (
            server.url("powerless", "work"),
            "localhost",
            "/work: permission denied",
            "GRANT trueup_client TO the role of the URL",
        ),
    ] {
        let error = failure_of(&url, late());
        assert_line(&error, &format!("postgres://{name}:{port}{problem}"));
        assert_eq!(error.hint(), hint);
        assert!(!error.may_have_committed() && !error.is_retryable(), "{error}");
    }
}

#[test]
fn a_server_without_connections_is_said_to_be_full() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.url("single", "work");
    let mut first = open(&url);
    first.exchange(REQUEST, late()).unwrap();
    let error = failure_of(&url, late());
    assert_line(
        &error,
        &format!("postgres://localhost:{}/work: the server has no connection left", server.port),
    );
    assert!(error.is_retryable() && !error.may_have_committed());
}

#[test]
fn errors_of_transactions_can_be_retried_and_others_are_quoted() {
    let Some(server) = PostgresServer::shared() else { return };
    server.run_sql("postgres", "create database raising");
    server.run_sql(
        "raising",
        "create schema trueup; grant usage on schema trueup to client; \
         create function trueup.exchange(request text) returns text language plpgsql as $$ begin \
         raise exception 'it said\n%', request using errcode = request; end $$",
    );
    let mut transport = open(&server.url("client", "raising"));
    for (code, problem, is_retryable) in [
        ("40001", "another transaction came first", true),
        ("40P01", "a deadlock with another transaction was broken up", true),
        ("55P03", "another transaction held a lock for too long", true),
        ("57014", "the server cancelled the statement", false),
        ("25006", "the server is read-only", false),
        ("TU001", "the database answered with error TU001: it said TU001", false),
    ] {
        let error = transport.exchange(code, late()).unwrap_err();
        let line = format!("postgres://localhost:{}/raising: {problem}", server.port);
        assert_line(&error, &line);
        assert_eq!(error.is_retryable(), is_retryable, "{code}");
        assert!(!error.may_have_committed(), "{code}");
    }
}

#[test]
fn hosts_are_tried_in_order_until_one_will_do() {
    let Some(server) = PostgresServer::shared() else { return };
    let (port, unused) = (server.port, free_port());
    let url = |host: &str, user: &str, attributes: &str| {
        format!(
            "postgres://{user}:s3cret@{host}:{unused},127.0.0.1:{port}/work\
             ?target_session_attrs={attributes}"
        )
    };
    for (user, attributes) in [
        ("client", "any"),
        ("client", "read-write"),
        ("client", "primary"),
        ("readonly", "read-only"),
    ] {
        let mut transport = open(&url("127.0.0.1", user, attributes));
        assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST, "{attributes}");
    }
    for (user, attributes) in
        [("readonly", "read-write"), ("client", "read-only"), ("client", "standby")]
    {
        let error = failure_of(&url("127.0.0.1", user, attributes), late());
        let problem = format!("the server is not {attributes}, as target_session_attrs asks");
        assert_line(&error, &format!("postgres://127.0.0.1:{port}/work: {problem}"));
    }
    let error = failure_of(&format!("postgres://client@127.0.0.1:{unused}/work"), late());
    assert_line(&error, &format!("postgres://127.0.0.1:{unused}/work: the connection was refused"));
    let error = failure_of("postgres://client@nowhere.invalid/work", late());
    assert_line(
        &error,
        "postgres://nowhere.invalid:5432/work: the name of the host cannot be found",
    );
    assert_eq!(error.kind, FailureKind::NameNotFound);
}

#[test]
fn the_password_may_be_in_the_password_file() {
    let Some(server) = PostgresServer::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pgpass");
    fs::write(&path, "localhost:*:work:client:s3cret\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut described = database(&format!("postgres://client@localhost:{}/work", server.port));
    described.passwords.file = Some(path.clone());
    let mut transport = described.open_transport().unwrap();
    assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = described.open_transport().unwrap().exchange(REQUEST, late()).unwrap_err();
    let shown = path.display();
    let problem = format!(
        "the server asks for a password, and {shown} is not used: others can read it (mode 644); \
         make it 600"
    );
    assert_line(&error, &format!("postgres://localhost:{}/work: {problem}", server.port));
    assert!(error.hint().contains(&format!("chmod 600 {shown}")), "{}", error.hint());
}

#[test]
fn a_direct_connection_runs_batches_and_tells_about_the_server() {
    let Some(server) = PostgresServer::shared() else { return };
    let described = database(&server.url("client", "work?sslmode=require"));
    let mut connection = described.connect_directly(late()).unwrap();
    let rows = connection
        .run_batch(
            "create temp table t (a int, b text); insert into t values (1, null); \
             select a, b from t",
            late(),
        )
        .unwrap();
    assert_eq!(rows, [[Some("1".to_owned()), None]]);
    let error = connection.run_batch("select 1; select nothing", late()).unwrap_err();
    let problem = r#"error 42703: column "nothing" does not exist"#;
    assert_line(
        &error,
        &format!("postgres://localhost:{}/work: the database answered with {problem}", server.port),
    );
    let facts = connection.server_facts(late()).unwrap();
    assert!(facts.version.starts_with(|c: char| c.is_ascii_digit()), "{facts:?}");
    assert!(facts.uses_tls && facts.certificate_days_left.unwrap() > 365, "{facts:?}");
    assert!(facts.clock_ahead.abs().as_secs() < 5, "{facts:?}");
    let error = database("https://localhost/").connect_directly(late()).unwrap_err();
    let problem = "this needs a direct connection, a postgres:// URL";
    assert_line(&error, &format!("https://localhost: {problem}"));
}

#[test]
fn a_url_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let error = database("postgres://me:s3cret@db:1/work?sslkey=s3cret").open_transport();
    let problem = "the URL of the database has an unsupported option: sslkey";
    assert_line(&error.unwrap_err(), &format!("postgres://db:1/work: {problem}"));
    let error = database("https://db.local/?s3cret=s3cret").open_transport().unwrap_err();
    let problem = "the URL of the database has an unsupported option: …";
    assert_line(&error, &format!("https://db.local: {problem}"));
}
