//! Each status of HTTP, and each code of PostgREST, has its line and its hint.

use crate::https::PAGE;
use crate::support::{assert_line, failure_of, late};
use support::network::http_server::{HttpServer, Reply};

/// How long a server asks to wait.
const BUSY: &str = "Retry-After: 7\r\n";

const CREDENTIALS: &str = "check TRUEUP_API_KEY and TRUEUP_API_TOKEN, or the files that config.toml names; a hub takes what \
     `trueup-hub token create` printed, until it is revoked";

const WRONG_PAGE: &str = "check the URL; a proxy or a login page may answer in its place";

/// An answer, and what is said about it.
struct Case {
    status: &'static str,
    headers: &'static str,
    body: &'static str,
    problem: &'static str,
    hint: &'static str,
}

/// Makes a case of an answer without headers that matter.
const fn case(
    status: &'static str,
    body: &'static str,
    problem: &'static str,
    hint: &'static str,
) -> Case {
    Case { status, headers: "", body, problem, hint }
}

fn statuses() -> Vec<Case> {
    vec![
        Case {
            headers: "Location: http://127.0.0.1:1/\r\n",
            ..case(
                "301 Moved",
                "",
                "the server redirects to another address (HTTP 301)",
                "set the URL to the address that it redirects to",
            )
        },
        case(
            "401 Unauthorized",
            r#"{"message":"Invalid API key"}"#,
            "the server does not accept the credentials (HTTP 401)",
            CREDENTIALS,
        ),
        case("403 Forbidden", PAGE, "the server forbids the request (HTTP 403)", CREDENTIALS),
        case(
            "404 Not Found",
            PAGE,
            "there is no trueup database at this address (HTTP 404)",
            "check the path of the URL; ?via=hub, supabase or postgrest names the server",
        ),
        case("409 Conflict", "", "the request conflicts with another (HTTP 409)", "try again"),
        Case {
            headers: BUSY,
            ..case(
                "429 Too Many",
                "",
                "the server received too many requests (HTTP 429)",
                "try again in 7 s",
            )
        },
        case("500 Oops", PAGE, "the server failed (HTTP 500)", "try again later"),
        Case {
            headers: BUSY,
            ..case("503 Unavailable", "", "the server failed (HTTP 503)", "try again in 7 s")
        },
        case(
            "418 Teapot",
            "",
            "the server answered with HTTP 418",
            "check the URL, and the log of the server",
        ),
    ]
}

fn codes() -> Vec<Case> {
    vec![
        case(
            "404 Not Found",
            r#"{"code":"PGRST202","message":"s3cret"}"#,
            "this is not a trueup database",
            "trueup db migrate",
        ),
        case(
            "504 Timeout",
            r#"{"code":"PGRST003","message":"pool"}"#,
            "the server has no connection left",
            "try again; use a pooler, or raise max_connections",
        ),
        case(
            "400 Bad",
            r#"{"code":"40001","message":"x"}"#,
            "another transaction came first",
            "try again",
        ),
        case(
            "401 Unauthorized",
            r#"{"code":"42501","message":"x"}"#,
            "permission denied",
            "GRANT trueup_client TO the role of the URL",
        ),
        case(
            "405 No",
            r#"{"code":"25006","message":"x"}"#,
            "the server is read-only",
            "name the primary server in the URL, or all servers with \
             target_session_attrs=read-write",
        ),
    ]
}

fn unreadable_successes() -> Vec<Case> {
    let problem = "the answer is not JSON of trueup";
    vec![
        case("200 OK", PAGE, problem, WRONG_PAGE),
        case("200 OK", r#"{"a":1}"#, problem, WRONG_PAGE),
        case("204 No Content", "", problem, WRONG_PAGE),
    ]
}

/// Makes one exchange for each case, and checks what is said about it.
fn check(cases: Vec<Case>, is_ambiguous: impl Fn(&Case) -> bool) {
    for case in cases {
        let (status, headers, body) = (case.status, case.headers, case.body);
        let server = HttpServer::start(move |_| Reply::new(status, headers, body));
        let url = format!("http://127.0.0.1:{}/s3cret?via=supabase", server.port);
        let error = failure_of(&url, late());
        assert_line(&error, &format!("http://127.0.0.1:{}: {}", server.port, case.problem));
        assert_eq!(error.hint(), case.hint, "{status} {body}");
        assert_eq!(error.may_have_committed(), is_ambiguous(&case), "{status} {body}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn a_status_has_its_line_and_only_a_failed_server_may_have_written() {
    check(statuses(), |case| case.status.starts_with('5'));
}

#[test]
fn a_code_says_more_than_its_status() {
    check(codes(), |_| false);
}

#[test]
fn a_success_that_is_not_the_functions_may_have_written() {
    check(unreadable_successes(), |_| true);
}
