//! Who may ask.

use serde_json::json;
use support::home::Home;

use super::http_client::RawRequest;
use super::hub_process::{HubProcess, make_token};

#[test]
fn the_health_checks_need_no_token_and_the_rest_does() {
    let home = Home::new();
    let hub = HubProcess::start(&home);
    for (path, expected) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 401),
        ("/nowhere", 401),
        ("/rpc/load_lineage", 401),
        ("/api/items", 401),
        ("/ws", 401),
        ("/stream", 401),
    ] {
        let answer = hub.send(&RawRequest::new("GET", path));
        assert_eq!(answer.status, expected, "{path}");
    }
    let health = hub.send(&RawRequest::new("GET", "/healthz")).json();
    assert_eq!(health["service"], "trueup-hub");
}

#[test]
fn metrics_may_be_open() {
    let home = Home::new();
    let hub = HubProcess::start_with(&home, &["--listen", "127.0.0.1:0", "--open-metrics"]);
    let answer = hub.send(&RawRequest::new("GET", "/metrics"));
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("trueup_hub_request_seconds"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn the_page_takes_the_token_once() {
    let home = Home::new();
    let token = make_token(&home, "lead", "admin");
    let hub = HubProcess::start(&home);
    let log_in =
        |token: &str| hub.send(&RawRequest::new("POST", "/login").json(&json!({ "token": token })));
    assert_eq!(log_in("tuh_wrong").status, 401);
    let answer = log_in(&token);
    assert_eq!(answer.status, 204);
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("Secure"), "a browser would not send it by http: {cookie}");
    let pair = cookie.split(';').next().unwrap();
    let request = RawRequest::new("GET", "/metrics").header("cookie", pair);
    assert_eq!(hub.send(&request).status, 200);
    let out = hub.send(&RawRequest::new("POST", "/logout").header("cookie", pair));
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[test]
fn behind_a_proxy_the_cookie_is_secure() {
    let home = Home::new();
    let token = make_token(&home, "lead", "admin");
    let arguments = ["--listen", "127.0.0.1:0", "--behind-proxy", "--host", "hub.example"];
    let hub = HubProcess::start_with(&home, &arguments);
    let request = RawRequest::new("POST", "/login")
        .header("host", "hub.example")
        .header("origin", "https://hub.example")
        .json(&json!({ "token": token }));
    let answer = hub.send(&request);
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().contains("Secure"));
}

#[test]
fn an_address_with_many_wrong_tokens_has_to_wait() {
    let home = Home::new();
    let hub = HubProcess::start(&home);
    let wrong = RawRequest::new("GET", "/metrics").bearer("tuh_wrong");
    let statuses: Vec<u16> = (0..60).map(|_| hub.send(&wrong).status).collect();
    assert_eq!(statuses[0], 401, "{statuses:?}");
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused > 0, "{statuses:?}");
    let log_in = RawRequest::new("POST", "/login").json(&json!({ "token": "tuh_wrong" }));
    assert!([401, 429].contains(&hub.send(&log_in).status));
}

#[test]
fn a_token_that_asks_too_often_has_to_wait() {
    let home = Home::new();
    let token = make_token(&home, "loop", "agent");
    let other = make_token(&home, "calm", "agent");
    let hub = HubProcess::start_with(&home, &["--listen", "127.0.0.1:0", "--max-rate", "1"]);
    let answers: Vec<_> = (0..20).map(|_| hub.get("/metrics", &token)).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("one is refused");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(hub.get("/metrics", &other).status, 200);
}
