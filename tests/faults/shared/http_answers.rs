//! `https://` servers that answer otherwise than the function does, before or after they carried
//! a request out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::network::http_server::{HttpServer, Reply, Request};
use support::postgres::PostgresServer;

use super::scene::{Case, DOUBT, Ends, Failure, Scene, Server, new_key, run_failing, shows};

/// A page as proxies and logins answer it.
const PAGE: &str = "<!DOCTYPE html><html><body>Log in, s3cret</body></html>";

/// Carries a request out as PostgREST does, by the function.
pub(super) fn exchange(postgres: &PostgresServer, request: &Request) -> Reply {
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    let text = body["request"].as_str().unwrap().replace('\'', "''");
    let sql = format!("SET search_path = trueup; SELECT to_json(trueup.exchange('{text}'))::text");
    Reply::json(&postgres.run_sql("work", &sql))
}

pub(super) fn is_commit(request: &Request) -> bool {
    request.body.contains(r#"\"mode\":\"commit\""#)
}

/// An answer, and what a command says of it.
pub(super) struct Answer {
    pub(super) name: &'static str,
    pub(super) reply: fn() -> Reply,
    pub(super) failure: Failure,
}

const fn answer(name: &'static str, reply: fn() -> Reply, failure: Failure) -> Answer {
    Answer { name, reply, failure }
}

/// Answers that say that nothing was carried out.
pub(super) fn refusals() -> Vec<Answer> {
    const CREDENTIALS: &str = "check TRUEUP_API_KEY and TRUEUP_API_TOKEN";
    let refused = Failure::unavailable;
    vec![
        answer("401", || Reply::new("401 No", "", PAGE), refused("(HTTP 401)", CREDENTIALS)),
        answer(
            "403",
            || Reply::new("403 No", "", PAGE),
            Failure::not_permitted("(HTTP 403)", CREDENTIALS),
        ),
        answer(
            "404",
            || Reply::new("404 No", "", PAGE),
            refused("(HTTP 404)", "check the path of the URL"),
        ),
        answer(
            "409",
            || Reply::new("409 Conflict", "", PAGE),
            refused("(HTTP 409)", "try again").at_deadline(),
        ),
        answer(
            "429",
            || Reply::new("429 Slow", "Retry-After: 90\r\n", PAGE),
            Failure::contended("(HTTP 429)", "try again in 90 s"),
        ),
        answer(
            "302",
            || Reply::new("302 Found", "Location: http://127.0.0.1:1/s3cret\r\n", PAGE),
            refused("redirects to another address (HTTP 302)", "set the URL to the address"),
        ),
    ]
}

/// Answers after which nobody knows whether the request was carried out.
pub(super) fn doubts() -> Vec<Answer> {
    let failed = Failure::unavailable;
    vec![
        answer(
            "500",
            || Reply::new("500 Oops", "", PAGE),
            failed("the server failed (HTTP 500)", "try again later"),
        ),
        answer(
            "502",
            || Reply::new("502 Bad Gateway", "", PAGE),
            failed("the server failed (HTTP 502)", "try again later").at_deadline(),
        ),
        answer(
            "503",
            || Reply::new("503 Busy", "Retry-After: 90\r\n", PAGE),
            failed("the server failed (HTTP 503)", "try again in 90 s"),
        ),
        answer(
            "HTML",
            || Reply::new("200 OK", "", PAGE),
            failed("the answer is not JSON of trueup", "check the URL"),
        ),
        answer(
            "truncated",
            || Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n\"{"),
            failed("the answer was cut off", "try again").at_deadline(),
        ),
        answer(
            "endless",
            Reply::endless,
            failed("the answer is larger than 64 MiB", "ask for less"),
        ),
    ]
}

/// An answer that never ends, and of which nothing more comes.
pub(super) fn hanging() -> Answer {
    answer(
        "hanging",
        || Reply::hanging("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n\"{"),
        Failure::unavailable("timed out while reading the answer", "slow or stuck").at_deadline(),
    )
}

fn url_of(server: &HttpServer) -> String {
    format!("http://127.0.0.1:{}/s3cret/path?via=postgrest", server.port)
}

#[test]
fn an_answer_of_another_kind_is_named_and_leaves_nothing_half_done() {
    let Some(server) = Server::shared() else { return };
    let answers = refusals().into_iter().chain(doubts()).chain([hanging()]);
    let cases: Vec<Case> = answers
        .map(|Answer { name, reply, failure }| {
            Case::new(name, url_of(&HttpServer::start(move |_| reply())), failure)
        })
        .collect();
    Scene::new(server).check_all(&cases);
}

/// Starts a server that carries out every request, and answers those that commit otherwise.
fn start_forgetful_server(server: &'static Server, reply: fn() -> Reply) -> HttpServer {
    HttpServer::start(move |request| {
        let answer = exchange(&server.postgres, request);
        if is_commit(request) { reply() } else { answer }
    })
}

#[test]
fn a_commit_whose_answer_is_lost_takes_effect_once_and_the_command_finds_out() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(server);
    for Answer { name, reply, failure } in doubts().into_iter().chain([hanging()]) {
        let http = start_forgetful_server(server, reply);
        let key = new_key();
        let add = ["item", "add", &key, "--op-id", &key];
        // Of the others one asks for more time than there is, and one lets it pass.
        let has_time = !matches!(name, "503" | "hanging");
        let ends = if has_time { Ends::AtOnce } else { Ends::AtDeadline };
        let output = run_failing(name, scene.command(&url_of(&http), &add), ends);
        if has_time {
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{name}: {output:?}");
        } else {
            assert_eq!(output.code, Some(3), "{name}: {output:?}");
            assert!(shows(&output, failure.problem), "{name}: {output:?}");
            assert!(shows(&output, DOUBT), "{name}: {output:?}");
        }
        assert!(http.requests().iter().any(is_commit), "{name}: nothing was committed");
        scene.check_repetition(name, &add, &key);
        scene.check_secrets(name, &[output]);
    }
}

#[test]
fn a_server_that_is_busy_for_a_moment_is_asked_again_after_what_it_asks_for() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(server);
    for status in ["429 Slow", "503 Busy"] {
        let was_busy = AtomicBool::new(false);
        let http = HttpServer::start(move |request| {
            if was_busy.swap(true, Ordering::SeqCst) {
                return exchange(&server.postgres, request);
            }
            Reply::new(status, "Retry-After: 1\r\n", "")
        });
        let key = new_key();
        let begun = Instant::now();
        scene.command(&url_of(&http), &["item", "add", &key]).wait().ok();
        assert!(begun.elapsed() >= Duration::from_secs(1), "{status}");
        assert_eq!(scene.count(&key), (1, 1), "{status}");
    }
}
