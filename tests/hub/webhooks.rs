//! Telling a receiver what needs a person: a real hub, a real receiver, and what can go wrong between.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use support::home::Home;
use support::network::http_server::{HttpServer, Reply, Request};

use super::documents::{code_block, run_python};
use super::hub_process::{HubProcess, prepare_hub, run_hub};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// What stands in the path of the receiver and must be shown nowhere.
const PATH_SECRET: &str = "s3cret-path-c0ffee";

/// The secret that messages are signed with.
const SIGNING_SECRET: &str = "whsec_test_d00d";

fn session(number: usize) -> String {
    format!("0a1b2c3d-0000-4000-8000-0000000001{number:02}")
}

/// Lets a session offer an item that nobody takes.
fn raise(home: &Home, number: usize) {
    let session = session(number);
    let start = home.payload("session-start.startup").for_session(&session);
    let run = home.prepare_run("session-start-sync").payload(&start).without("CLAUDE_PID");
    assert_eq!(run.wait().code, Some(0));
    let item = format!("SD-{number}");
    trueup(home, &["claim", &item, "--create", "--session", &session]);
    trueup(home, &["handoff", "create", "PLAN-TO-EXEC", "--session", &session]);
}

/// Withdraws what it offered.
fn settle(home: &Home, number: usize) {
    trueup(home, &["release", &format!("SD-{number}"), "--session", &session(number)]);
}

fn trueup(home: &Home, arguments: &[&str]) {
    let output = home.prepare_run("trueup").args(arguments).wait();
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
}

/// A receiver that refuses until it is told otherwise, and the address that a hub sends to.
struct Receiver {
    server: HttpServer,
    accepts: Arc<AtomicBool>,
    url: String,
}

impl Receiver {
    fn start(accepts: bool) -> Self {
        let accepts = Arc::new(AtomicBool::new(accepts));
        let flag = Arc::clone(&accepts);
        let server = HttpServer::start(move |_| {
            if flag.load(Ordering::SeqCst) {
                Reply::new("204 No Content", "", "")
            } else {
                Reply::new("503 Service Unavailable", "", "later")
            }
        });
        let url = format!("http://127.0.0.1:{}/{PATH_SECRET}", server.port);
        Self { server, accepts, url }
    }

    fn accept(&self) {
        self.accepts.store(true, Ordering::SeqCst);
    }

    /// Waits until requests are there that are enough.
    #[track_caller]
    fn wait_until(&self, is_enough: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        let begun = Instant::now();
        loop {
            let requests = self.server.requests();
            if is_enough(&requests) {
                return requests;
            }
            assert!(begun.elapsed() < PATIENCE, "only {:?}", summarize(&requests));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    let mut lines = request.headers.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| *found == name).map(|(_, value)| value).expect(name)
}

fn message(request: &Request) -> Json {
    serde_json::from_str(&request.body).unwrap()
}

/// Returns event and item of each request.
fn summarize(requests: &[Request]) -> Vec<String> {
    let line = |request: &Request| {
        let message = message(request);
        format!("{} {}", message["event"].as_str().unwrap(), message["need"]["item"])
    };
    requests.iter().map(line).collect()
}

fn start_hub(home: &Home, receiver: &Receiver) -> HubProcess {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--webhook", &receiver.url];
    let run = prepare_hub(home, &arguments).env("TRUEUP_WEBHOOK_SECRET", SIGNING_SECRET);
    HubProcess::begin(run)
}

#[test]
fn what_needs_a_person_is_told_and_that_it_is_settled() {
    let home = Home::new();
    let receiver = Receiver::start(true);
    let hub = start_hub(&home, &receiver);
    raise(&home, 1);
    receiver.wait_until(|requests| requests.len() == 1);
    settle(&home, 1);
    let requests = receiver.wait_until(|requests| requests.len() == 2);
    assert_eq!(summarize(&requests), ["raised \"SD-1\"", "settled \"SD-1\""]);
    let raised = message(&requests[0]);
    assert_eq!(raised["need"]["kind"], "open_handoff");
    assert_eq!(raised["text"], raised["need"]["line"]);
    assert_eq!(requests[0].line, format!("POST /{PATH_SECRET}"));
    for request in &requests {
        assert_eq!(header(request, "content-type"), "application/json");
        assert_eq!(header(request, "trueup-delivery"), message(request)["delivery"]);
    }
    assert_ne!(message(&requests[0])["delivery"], message(&requests[1])["delivery"]);
    drop(hub);
}

/// The guide's own program decides what a valid signature is.
#[test]
fn the_guides_program_accepts_the_signature_and_refuses_others() {
    let home = Home::new();
    let receiver = Receiver::start(true);
    let _hub = start_hub(&home, &receiver);
    raise(&home, 1);
    let requests = receiver.wait_until(|requests| requests.len() == 1);
    let (signature, body) = (header(&requests[0], "trueup-signature"), &requests[0].body);
    let program = code_block("hub.md", "python", "def is_genuine");
    let check = |secret: &str, signature: &str, body: &str, now: &str| {
        let call = "\nimport sys\nargs = sys.argv[1:]\n\
                    print(is_genuine(args[0], args[1], args[2].encode(), float(args[3])))";
        run_python(&format!("{program}{call}"), &[secret, signature, body, now])
    };
    let signed_at = signature.strip_prefix("t=").unwrap().split(',').next().unwrap();
    let much_later = (signed_at.parse::<u64>().unwrap() + 3_600).to_string();
    assert_eq!(check(SIGNING_SECRET, signature, body, signed_at), "True");
    assert_eq!(check("another", signature, body, signed_at), "False");
    assert_eq!(check(SIGNING_SECRET, signature, &body.replace("SD-1", "SD-2"), signed_at), "False");
    assert_eq!(check(SIGNING_SECRET, signature, body, &much_later), "False");
}

#[test]
fn what_a_receiver_refused_comes_again_after_a_kill_in_order_under_the_same_id() {
    let home = Home::new();
    let receiver = Receiver::start(false);
    let hub = start_hub(&home, &receiver);
    raise(&home, 1);
    receiver.wait_until(|requests| !requests.is_empty());
    hub.kill();
    // Meanwhile it is over: both are still told, the raising first.
    settle(&home, 1);
    let hub = start_hub(&home, &receiver);
    raise(&home, 2);
    receiver.wait_until(|requests| summarize(requests).contains(&"raised \"SD-2\"".to_owned()));
    receiver.accept();
    let before = receiver.server.requests().len();
    let settled = |requests: &[Request]| summarize(requests).contains(&"settled \"SD-1\"".into());
    let requests = receiver.wait_until(|requests| {
        settled(requests) && summarize(&requests[before..]).contains(&"raised \"SD-2\"".to_owned())
    });
    let about_first: Vec<_> =
        requests.iter().filter(|request| message(request)["need"]["item"] == "SD-1").collect();
    let ids: std::collections::BTreeSet<&str> = about_first
        .iter()
        .filter(|request| message(request)["event"] == "raised")
        .map(|request| header(request, "trueup-delivery"))
        .collect();
    assert_eq!(ids.len(), 1, "one thing has one id, however often it is sent");
    assert!(about_first.len() > 2, "it was tried before and after");
    let first_settled =
        about_first.iter().position(|request| message(request)["event"] == "settled").unwrap();
    let raised_after =
        about_first[first_settled..].iter().any(|request| message(request)["event"] == "raised");
    assert!(!raised_after, "{:?}", summarize(&requests));
    drop(hub);
}

#[test]
fn nobody_is_told_unless_a_receiver_is_named() {
    let home = Home::new();
    let hub = HubProcess::start(&home);
    raise(&home, 1);
    hub.terminate();
    let (is_well, printed) = hub.wait();
    assert!(is_well && !printed.contains("tells"), "{printed}");
    for name in ["webhooks", "webhook-secret"] {
        assert!(!home.trueup_home().join(name).exists(), "{name}");
    }
}

#[test]
fn one_line_of_the_configuration_switches_it_on_and_a_secret_is_made() {
    let home = Home::new();
    let receiver = Receiver::start(true);
    let line = format!("webhook = \"{}\"\n", receiver.url);
    fs::write(home.trueup_home().join("config.toml"), line).unwrap();
    let _hub = HubProcess::start(&home);
    raise(&home, 1);
    receiver.wait_until(|requests| requests.len() == 1);
    let secret = home.trueup_home().join("webhook-secret");
    assert!(fs::read_to_string(&secret).unwrap().starts_with("whsec_"));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&secret).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn of_two_hubs_of_a_machine_one_sends_and_the_other_takes_over() {
    let home = Home::new();
    let receiver = Receiver::start(true);
    let first = start_hub(&home, &receiver);
    raise(&home, 1);
    receiver.wait_until(|requests| requests.len() == 1);
    let _second = start_hub(&home, &receiver);
    first.kill();
    raise(&home, 2);
    let requests = receiver.wait_until(|requests| requests.len() >= 2);
    assert_eq!(summarize(&requests), ["raised \"SD-1\"", "raised \"SD-2\""]);
}

#[test]
fn a_redirect_is_not_followed() {
    let home = Home::new();
    let elsewhere = Receiver::start(true);
    let headers = format!("Location: {}\r\n", elsewhere.url);
    let server = HttpServer::start(move |_| Reply::new("307 Temporary Redirect", &headers, ""));
    let url = format!("http://127.0.0.1:{}/", server.port);
    let receiver = Receiver { server, accepts: Arc::default(), url };
    let _hub = start_hub(&home, &receiver);
    raise(&home, 1);
    receiver.wait_until(|requests| requests.len() >= 2);
    assert!(elsewhere.server.requests().is_empty());
}

#[test]
fn neither_address_nor_secret_is_shown_or_kept() {
    let home = Home::new();
    let receiver = Receiver::start(false);
    let hub = start_hub(&home, &receiver);
    raise(&home, 1);
    receiver.wait_until(|requests| requests.len() >= 2);
    receiver.accept();
    let count = receiver.server.requests().len();
    receiver.wait_until(|requests| requests.len() > count);
    let printed = hub.kill();
    let shown = format!("webhook to http://127.0.0.1:{}", receiver.server.port);
    assert!(printed.contains(&format!("{shown}: it answered 503")), "{printed}");
    let mut texts = vec![printed];
    collect_texts(&home.trueup_home(), &mut texts);
    assert!(texts.len() > 3, "the database and the queue are there");
    for text in texts {
        assert!(!text.contains(PATH_SECRET) && !text.contains(SIGNING_SECRET), "{text}");
    }
}

fn collect_texts(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_texts(&path, texts);
        } else {
            texts.push(String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
        }
    }
}

#[test]
fn an_address_that_cannot_be_used_is_told_at_the_start_and_not_repeated() {
    let home = Home::new();
    for (url, expected) in [
        ("http://hooks.example/s3cret", "http:// is for this machine alone"),
        ("ftp://hooks.example/s3cret", "expected https://HOST/PATH"),
        ("s3cret", "expected https://HOST/PATH"),
    ] {
        let output = run_hub(&home, &["serve", "--listen", "127.0.0.1:0", "--webhook", url]);
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(output.stderr.contains(expected), "{output:?}");
        assert!(!output.stderr.contains("s3cret"), "{output:?}");
    }
}
