//! `https://` over plain HTTP on this machine: what is sent, and what answers mean.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use trueup_core::settings::{CredentialSource, Secret};
use trueup_core::store::Provenance;
use trueup_remote::url::Flavour;
use trueup_remote::{FailureKind, FlavourMemory, OpenOptions, Transport as _};

use crate::support::{REQUEST, assert_line, database, failure_of, late, open, soon};
use support::network::faulty_proxy::{Fault, FaultyProxy};
use support::network::http_server::{HttpServer, Reply, Request};
use support::tied_process::free_port;

const SUPABASE: &str = "POST /rest/v1/rpc/trueup_exchange";
const POSTGREST: &str = "POST /rpc/trueup_exchange";
const HEALTH: &str = "GET /healthz";

/// A page such as a gateway answers.
pub(crate) const PAGE: &str = "<html><body>s3cret</body></html>";

/// What PostgREST answers for a path that it does not have.
const NO_PATH: &str = r#"{"code":"PGRST125","message":"Invalid path specified in request URL"}"#;

/// Answers as the function of the tests does: with the request, as a JSON string.
fn echo(request: &Request) -> Reply {
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    Reply::json(&body["request"].to_string())
}

/// Starts a server at whose path `function` the function is.
fn start_echo(function: &'static str) -> HttpServer {
    HttpServer::start(move |request| match request.line.as_str() {
        line if line == function => echo(request),
        HEALTH => Reply::new("404 Not Found", "", PAGE),
        _ => Reply::new("404 Not Found", "", NO_PATH),
    })
}

fn lines(server: &HttpServer) -> Vec<String> {
    server.requests().into_iter().map(|request| request.line).collect()
}

#[test]
fn what_answers_is_found_at_the_first_exchange_and_kept() {
    for (server, flavour, first) in [
        (start_echo(SUPABASE), Flavour::Supabase, vec![HEALTH, SUPABASE]),
        (start_echo(POSTGREST), Flavour::Postgrest, vec![HEALTH, SUPABASE, POSTGREST]),
    ] {
        let url = format!("http://127.0.0.1:{}", server.port);
        let mut transport = open(&url);
        assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST);
        assert_eq!(lines(&server), first);
        assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST);
        assert_eq!(lines(&server).len(), first.len() + 1);
        let mut said = open(&format!("{url}?via={}", flavour.name()));
        assert_eq!(said.exchange(REQUEST, late()).unwrap(), REQUEST);
        assert_eq!(lines(&server).len(), first.len() + 2);
    }
}

/// Starts a server that says that it is a hub.
fn start_hub() -> HttpServer {
    HttpServer::start(|request| match request.line.as_str() {
        HEALTH => Reply::json(r#"{"service":"trueup-hub","version":"1"}"#),
        "POST /rpc/find_repo_name" => Reply::json(r#"{"ok":"app"}"#),
        _ => Reply::new("404 Not Found", "", r#"{"error":{"code":"unknown_operation"}}"#),
    })
}

#[test]
fn a_hub_is_asked_for_operations_and_a_database_for_exchanges() {
    let folder = tempfile::tempdir().unwrap();
    let hub = start_hub();
    let mut described = database(&format!("http://127.0.0.1:{}", hub.port));
    let memory = FlavourMemory::of_url(&folder.path().join("servers"), &described.url);
    described.flavour_memory = Some(memory);
    let options = OpenOptions { deadline: late(), row_age: None, waits_for_server: false };
    let mut store = described.open_store(options).unwrap();
    assert_eq!(store.find_repo_name("r").unwrap().as_deref(), Some("app"));
    assert_eq!(lines(&hub), [HEALTH, "POST /rpc/find_repo_name"]);
    let request = hub.requests().pop().unwrap();
    assert_eq!(request.body, r#"{"identity":"r"}"#);
    // It is remembered that a hub answers, and an exchange is not for it.
    described.open_store(options).unwrap();
    assert_eq!(lines(&hub).len(), 2);
    let error = described.open_transport().unwrap().exchange(REQUEST, late()).unwrap_err();
    assert_eq!(error.kind, FailureKind::HubAnswers);
    let older = described.open_store(options).unwrap().load_lineage().unwrap_err();
    assert!(older.to_string().contains("older than this trueup"), "{older}");
}

#[test]
fn an_operation_whose_answer_is_lost_is_sent_again_under_its_id() {
    let hub = HttpServer::start(|_| Reply::new("502 Bad Gateway", "", PAGE));
    let described = database(&format!("http://127.0.0.1:{}?via=hub", hub.port));
    let deadline = soon();
    let options = OpenOptions { deadline, row_age: None, waits_for_server: false };
    let mut store = described.open_store(options).unwrap();
    let by = Provenance::new("user", "");
    let refused = store.record_refusal(&"A".parse().unwrap(), &by).unwrap_err();
    assert!(refused.to_string().ends_with("the write may have been made"), "{refused}");
    let sent = hub.requests();
    assert!(sent.len() > 1, "it was sent once");
    assert!(sent.iter().all(|request| request.body.contains(&by.op_id)));
}

#[test]
fn what_answers_is_remembered_for_its_url_until_something_else_answers() {
    let folder = tempfile::tempdir().unwrap();
    let open_with_memory = |url: &str| {
        let mut database = database(url);
        let memory = FlavourMemory::of_url(&folder.path().join("servers"), &database.url);
        database.flavour_memory = Some(memory);
        database.open_transport().unwrap()
    };
    let server = start_echo(POSTGREST);
    let url = format!("http://127.0.0.1:{}", server.port);
    open_with_memory(&url).exchange(REQUEST, late()).unwrap();
    assert_eq!(lines(&server), [HEALTH, SUPABASE, POSTGREST]);
    open_with_memory(&url).exchange(REQUEST, late()).unwrap();
    assert_eq!(lines(&server)[3..], [POSTGREST]);
    // Of another URL nothing is known, and a server that has moved is found again.
    open_with_memory(&format!("{url}/")).exchange(REQUEST, late()).unwrap();
    assert_eq!(lines(&server).len(), 7);
    let file = std::fs::read_dir(folder.path().join("servers")).unwrap().next().unwrap().unwrap();
    std::fs::write(file.path(), "supabase").unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    for _ in 0..2 {
        open_with_memory(&url).exchange(REQUEST, late()).unwrap();
        open_with_memory(&format!("{url}/")).exchange(REQUEST, late()).unwrap();
    }
    let searches = lines(&server).into_iter().filter(|line| line == HEALTH).count();
    assert_eq!(searches, 3);
}

#[test]
fn credentials_are_headers_and_are_sent_to_the_function_alone() {
    let server = start_echo("POST /team/rpc/trueup_exchange");
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "t0ken\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let mut described = database(&format!("http://localhost:{}/team/", server.port));
    described.credentials.key = CredentialSource::Value(Secret::new("s3cret"));
    described.open_transport().unwrap().exchange(REQUEST, late()).unwrap();
    described.credentials.token = CredentialSource::File(token.clone());
    described.open_transport().unwrap().exchange(REQUEST, late()).unwrap();
    let requests = server.requests();
    let [health, _, call, ..] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(health.line, "GET /team/healthz");
    assert!(!health.headers.contains("s3cret"), "{}", health.headers);
    for header in ["apikey: s3cret", "authorization: bearer s3cret", "user-agent: trueup/"] {
        assert!(call.headers.contains(header), "{}", call.headers);
    }
    assert_eq!(call.body, r#"{"request":"{\"é\":\"ü\"}"}"#);
    let last = requests.last().unwrap();
    assert!(last.headers.contains("apikey: s3cret\r\nauthorization: bearer t0ken\r\n"));
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let problem = "others can read it (mode 644); make it 600";
    assert_line(
        &described.open_transport().unwrap_err(),
        &format!("http://localhost:{}: {}: {problem}", server.port, token.display()),
    );
}

#[test]
fn the_wait_that_a_server_asks_for_is_returned() {
    let server = HttpServer::start(|_| Reply::new("429 Too Many", "Retry-After: 7\r\n", ""));
    let error = failure_of(&format!("http://127.0.0.1:{}?via=postgrest", server.port), late());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_retryable() && !error.may_have_committed());
}

#[test]
fn an_answer_that_stops_early_or_never_is_ambiguous() {
    let closed = "the connection was closed before the answer came; the write may have been made";
    let large = "the answer is larger than 64 MiB";
    let cut = "the answer was cut off; the write may have been made";
    let head = |length: u64| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    for (answer, problem) in [
        (Reply::raw(""), closed),
        (Reply::raw(&format!("{}\"abc", head(100))), cut),
        (Reply::endless(), large),
        (Reply::raw(&head(99_000_000)), large),
    ] {
        let server = HttpServer::start(move |_| answer.clone());
        let url = format!("http://127.0.0.1:{}?via=postgrest", server.port);
        let error = failure_of(&url, late());
        assert_line(&error, &format!("http://127.0.0.1:{}: {problem}", server.port));
        assert!(error.may_have_committed());
    }
}

#[test]
fn a_passed_deadline_tells_what_was_under_way() {
    let waiting = HttpServer::start(|_| Reply::hanging(""));
    let reading =
        HttpServer::start(|_| Reply::hanging("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\"a"));
    let whole = start_echo(POSTGREST);
    let dripping = FaultyProxy::start(whole.port, Fault::Drip(Duration::from_millis(20)));
    // The kernel takes its connections, and nobody reads from them.
    let stopped = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port_of_stopped = stopped.local_addr().unwrap().port();
    for (port, activity, may_have_committed) in [
        (waiting.port, "waiting for the answer; the write may have been made", true),
        (reading.port, "reading the answer; the write may have been made", true),
        (dripping.port, "waiting for the answer; the write may have been made", true),
        (port_of_stopped, "waiting for the answer; the write may have been made", true),
    ] {
        let began = Instant::now();
        let error = failure_of(&format!("http://127.0.0.1:{port}?via=postgrest"), soon());
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_line(&error, &format!("http://127.0.0.1:{port}: timed out while {activity}"));
        assert_eq!(error.may_have_committed(), may_have_committed);
    }
}

#[test]
fn what_cannot_be_connected_to_is_not_ambiguous() {
    let port = free_port();
    let error = failure_of(&format!("http://127.0.0.1:{port}"), late());
    assert_line(&error, &format!("http://127.0.0.1:{port}: the connection was refused"));
    assert!(!error.may_have_committed());
    let error = failure_of("https://nowhere.invalid/s3cret", late());
    assert_line(&error, "https://nowhere.invalid: the name of the host cannot be found");
    assert_eq!(error.kind, FailureKind::NameNotFound);
    let ssh = HttpServer::start(|_| Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"));
    let error = failure_of(&format!("http://127.0.0.1:{}?via=postgrest", ssh.port), late());
    let problem = "the server does not speak the protocol of the URL";
    assert_line(&error, &format!("http://127.0.0.1:{}: {problem}", ssh.port));
}
