//! Requests that nobody should make, each with the refusal that is expected.

use support::home::Home;

use super::http_client::{RawRequest, send_bytes};
use super::hub_process::{HubProcess, make_token};

/// What is expected of a request.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// This status, with this code in the body.
    Refused(u16, &'static str),
    /// This status; what is in the body is the HTTP library's.
    Status(u16),
    /// This status or the end of the connection: what is wrong is the HTTP itself.
    StatusOrEnd(u16),
}

use Expected::{Refused, Status, StatusOrEnd};

/// A request in which `TOKEN`, `READER` and `HOST` stand for what they are called.
struct Case {
    what: &'static str,
    request: RawRequest,
    expected: Expected,
}

fn case(what: &'static str, request: RawRequest, expected: Expected) -> Case {
    Case { what, request, expected }
}

fn get(path: &str) -> RawRequest {
    RawRequest::new("GET", path)
}

fn post(path: &str) -> RawRequest {
    RawRequest::new("POST", path)
}

fn unauthorized() -> Vec<Case> {
    const NO: Expected = Refused(401, "unauthorized");
    let header = |value: &str| get("/metrics").header("authorization", value);
    vec![
        case("no token", get("/metrics"), NO),
        case("an empty token", header("Bearer "), NO),
        case("no scheme", header("TOKEN"), NO),
        case("another scheme", header("Basic TOKEN"), NO),
        case("a token of nobody", header("Bearer tuh_0000"), NO),
        case("a digest for a token", header(&format!("Bearer {}", "a".repeat(64))), NO),
        case("a token with more behind it", header("Bearer TOKENx"), NO),
        case("two tokens", header("Bearer TOKEN TOKEN"), NO),
        case("a very long token", header(&format!("Bearer {}", "x".repeat(5_000))), NO),
        case("SQL for a token", header("Bearer ' OR 1=1 --"), NO),
        case("a token in the path", get("/metrics?token=TOKEN"), NO),
        case("a cookie of another name", get("/metrics").header("cookie", "session=TOKEN"), NO),
        case(
            "a wrong token and a right cookie",
            header("Bearer tuh_0").header("cookie", "trueup_hub=TOKEN"),
            NO,
        ),
        case("a path that does not exist", get("/nowhere"), NO),
        case("a path above the root", get("/../../etc/passwd"), NO),
        case("a path above the root, escaped", get("/%2e%2e/%2e%2e/etc/passwd"), NO),
        case("a login with another token", post("/login").json(&login("tuh_0")), NO),
        case("a login with an empty token", post("/login").json(&login("")), NO),
    ]
}

fn login(token: &str) -> serde_json::Value {
    serde_json::json!({ "token": token })
}

fn wrong_hosts() -> Vec<Case> {
    const NO: Expected = Refused(421, "wrong_host");
    let host = |value: &str| get("/metrics").bearer("TOKEN").header("host", value);
    vec![
        case("a host of somebody else", host("evil.example"), NO),
        case("a name that leads here", host("127.0.0.1.evil.example"), NO),
        case("localhost as a part", host("localhost.evil.example"), NO),
        case("an address that is not ours", host("192.0.2.1"), NO),
        case("an address for everybody", host("0.0.0.0"), NO),
        case("a host with a user", host("localhost@evil.example"), NO),
        case("a host with a path", host("localhost/evil"), NO),
        case("a host with a bad port", host("localhost:port"), NO),
        case("an empty host", host(""), NO),
        case("two hosts", host("localhost").header("host", "evil.example"), NO),
        case("a health check of another name", get("/healthz").header("host", "evil.example"), NO),
        case(
            "the whole URL of another host",
            get("http://evil.example/metrics").bearer("TOKEN"),
            NO,
        ),
    ]
}

fn foreign_pages() -> Vec<Case> {
    const NO: Expected = Refused(403, "foreign_origin");
    let origin = |value: &str| get("/metrics").bearer("TOKEN").header("origin", value);
    let fetch = |site: &str| {
        get("/metrics").header("cookie", "trueup_hub=TOKEN").header("sec-fetch-site", site)
    };
    vec![
        case("a page of another site", origin("https://evil.example"), NO),
        case("a page of another port", origin("http://127.0.0.1:1"), NO),
        case("a page without an origin", origin("null"), NO),
        case("an origin that begins with ours", origin("http://HOST.evil.example"), NO),
        case("an origin with a user", origin("http://HOST@evil.example"), NO),
        case("a file", origin("file://"), NO),
        case("an extension", origin("chrome-extension://abcdef"), NO),
        case("an empty origin", origin(""), NO),
        case("bytes for an origin", origin("\u{fffd}"), NO),
        case("an image of another site", fetch("cross-site"), NO),
        case("a script of a sibling", fetch("same-site"), NO),
        case(
            "a form of another site",
            post("/login")
                .header("origin", "https://evil.example")
                .header("content-type", "text/plain")
                .with_body("{\"token\":\"TOKEN\"}"),
            NO,
        ),
        case(
            "a stream for another site",
            get("/ws")
                .header("cookie", "trueup_hub=TOKEN")
                .header("origin", "https://evil.example")
                .header("upgrade", "websocket"),
            NO,
        ),
        case(
            "a question beforehand",
            RawRequest::new("OPTIONS", "/metrics")
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "GET"),
            NO,
        ),
    ]
}

fn wrong_bodies() -> Vec<Case> {
    const NOT_JSON: Expected = Refused(415, "not_json");
    const BAD_JSON: Expected = Refused(400, "bad_json");
    let typed =
        |kind: &str| post("/login").header("content-type", kind).with_body("{\"token\":\"TOKEN\"}");
    let json = |body: &str| {
        post("/login").header("content-type", "application/json").with_body(body.as_bytes())
    };
    vec![
        case("a body without a type", post("/login").with_body("{\"token\":\"TOKEN\"}"), NOT_JSON),
        case("a form", typed("application/x-www-form-urlencoded"), NOT_JSON),
        case("plain text", typed("text/plain"), NOT_JSON),
        case("almost JSON", typed("application/jsonx"), NOT_JSON),
        case("JSON behind another type", typed("text/plain; application/json"), NOT_JSON),
        case("no JSON", json("token=TOKEN"), BAD_JSON),
        case("an empty body", json(""), BAD_JSON),
        case("a text", json("\"TOKEN\""), BAD_JSON),
        case("no token", json("{}"), BAD_JSON),
        case("a token that is a number", json("{\"token\":1}"), BAD_JSON),
        case("JSON that is cut", json("{\"token\":\"TOK"), BAD_JSON),
        case("a deep JSON", json(&"[".repeat(50_000)), BAD_JSON),
        case("a long body", json(&" ".repeat(100_000)), Refused(413, "too_large")),
        case(
            "a body that says that it is long",
            post("/login")
                .header("content-type", "application/json")
                .header("content-length", "9999999999"),
            StatusOrEnd(413),
        ),
        case(
            "a line break in a token",
            json("{\"token\":\"TOKEN\\r\\nset-cookie: a=b\"}"),
            Refused(401, "unauthorized"),
        ),
    ]
}

fn wrong_http() -> Vec<Case> {
    let line = |line: &str| RawRequest { line: line.to_owned(), ..get("/") };
    vec![
        case(
            "another method",
            RawRequest::new("DELETE", "/metrics").bearer("TOKEN"),
            Refused(405, "method_not_allowed"),
        ),
        case(
            "another method without a token",
            RawRequest::new("PUT", "/login"),
            Refused(405, "method_not_allowed"),
        ),
        case(
            "a path that does not exist",
            get("/nowhere").bearer("TOKEN"),
            Refused(404, "no_such_path"),
        ),
        case("a double slash", get("//metrics").bearer("TOKEN"), Refused(404, "no_such_path")),
        case("a null in a path", get("/metrics%00").bearer("TOKEN"), Refused(404, "no_such_path")),
        case(
            "a made-up method",
            RawRequest::new("EVIL", "/healthz"),
            Refused(405, "method_not_allowed"),
        ),
        case("no HTTP", line("hello"), StatusOrEnd(400)),
        case("another version", line("GET /healthz HTTP/3.0"), StatusOrEnd(400)),
        case("a header that is no header", get("/healthz").header("a b", "c"), StatusOrEnd(400)),
        case("long headers", get("/healthz").header("x", "y".repeat(100_000)), StatusOrEnd(431)),
        case("a long path", get(&format!("/{}", "x".repeat(100_000))), StatusOrEnd(431)),
        case(
            "two lengths",
            post("/login").header("content-length", "1").header("content-length", "2"),
            StatusOrEnd(400),
        ),
        case(
            "a length that is none",
            post("/login").header("content-length", "x"),
            StatusOrEnd(400),
        ),
        case("a proxy's method", line("CONNECT evil.example:443 HTTP/1.1"), Status(421)),
    ]
}

#[test]
fn each_is_refused_as_it_should_be_and_the_hub_goes_on() {
    let home = Home::new();
    let token = make_token(&home, "admin", "admin");
    let cases = [unauthorized(), wrong_hosts(), foreign_pages(), wrong_bodies(), wrong_http()];
    let cases: Vec<Case> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    // Each group has few wrong tokens, so that none is put off.
    for group in cases.chunks(15) {
        let hub = HubProcess::start(&home);
        let host = hub.address.to_string();
        for Case { what, request, expected } in group {
            let bytes = String::from_utf8(request.render(hub.address)).unwrap();
            let bytes = bytes.replace("HOST", &host);
            let bytes = fill_in_token(&bytes, &token);
            let answer = send_bytes(hub.address, bytes.as_bytes());
            match (*expected, answer) {
                (Refused(status, code), Some(answer)) => {
                    assert_eq!(answer.status, status, "{what}: {answer:?}");
                    assert_eq!(answer.error_code(), code, "{what}: {answer:?}");
                }
                (Status(status), Some(answer)) => assert_eq!(answer.status, status, "{what}"),
                (StatusOrEnd(status), Some(answer)) => {
                    let is_refused = answer.status == status || answer.status == 400;
                    assert!(is_refused, "{what}: {answer:?}");
                }
                (StatusOrEnd(_), None) => {}
                (_, None) => panic!("{what}: no answer"),
            }
        }
        assert_eq!(hub.get("/metrics", &token).status, 200, "the hub goes on");
    }
}

/// Puts the token in its place, and corrects the length of the body where it was correct before.
fn fill_in_token(request: &str, token: &str) -> String {
    let filled = request.replace("TOKEN", token);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (_, filled_body) = filled.split_once("\r\n\r\n").unwrap();
    let length = format!("content-length: {}", body.len());
    if body.is_empty() || !head.contains(&length) {
        return filled;
    }
    filled.replacen(&length, &format!("content-length: {}", filled_body.len()), 1)
}
