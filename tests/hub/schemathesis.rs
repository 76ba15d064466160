//! What the hub says of itself, tried by schemathesis: requests that the document allows and that it
//! forbids, and whether the answers are the described ones.

use std::fs;
use std::process::{Command, Stdio};

use support::home::Home;
use support::python::install_package;

use super::hub_process::{HubProcess, make_token};

/// The version whose checks the hub passes.
const VERSION: &str = "4.32.5";

/// Makes a missing tool a failure.
const REQUIRED: &str = "TRUEUP_REQUIRE_SCHEMATHESIS";

/// Requests that each path gets at random, beside those that follow from its description. The time
/// of a run follows from it, and no clock has to end one.
const EXAMPLES: &str = "10";

/// What the document cannot say, or what cannot be tried at random.
///
/// Which cursors of events lie ahead depends on the database, so that a number is refused which the
/// document allows.
const CONFIGURATION: &str = r#"
[[operations]]
include-path = "/api/events"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404]
"#;

/// What is described and not tried: streams do not end; a wrong token too many keeps the tester out;
/// and what the operations of the store take is checked by the suites of the store, through the hub.
const NOT_TRIED: [&str; 4] = ["/ws", "/stream", "/login", "/rpc/{operation}"];

/// A few of everything, so that there is something in every list.
const WORK: &str = "
    INSERT INTO claude_sessions (session_id, host, repo) VALUES ('s1', 'box', 'r'), ('s2', NULL, NULL);
    INSERT INTO work_items (key, title, repo) VALUES ('A', 'a title', 'r'), ('B', NULL, NULL);
    UPDATE work_items SET holder = 's1' WHERE key = 'A';
    INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, phase_data)
        VALUES ('A:1', 'A', 1, 'build', '{\"a\": [1]}');
    INSERT INTO plans (plan_id, path) VALUES ('p', '/p');
    INSERT INTO repos (slug, places) VALUES ('r', '{\"m\": {\"host\": \"box\", \"path\": \"/r\"}}');";

#[test]
fn answers_are_those_that_the_document_describes() {
    let packages = match install_package("schemathesis", VERSION) {
        Ok(packages) => packages,
        Err(problem) => {
            let is_required = std::env::var_os(REQUIRED).is_some_and(|value| value == "1");
            assert!(!is_required, "schemathesis is needed: {problem}");
            eprintln!("SKIPPED: the OpenAPI document is not checked: {problem}");
            return;
        }
    };
    let home = Home::without_git();
    let token = make_token(&home, "tester", "admin");
    home.open_database().execute_batch(WORK).unwrap();
    let hub = HubProcess::start_with(&home, &["--listen", "127.0.0.1:0", "--max-rate", "1000000"]);
    fs::write(home.root().join("schemathesis.toml"), CONFIGURATION).unwrap();
    let output = Command::new("python3")
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("http://{}/api/openapi.json", hub.address))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "all", "--phases", "examples,coverage,fuzzing"])
        .args(["--generation-deterministic", "--max-examples", EXAMPLES, "--no-color"])
        .args(["--warnings", "off"])
        .args(NOT_TRIED.iter().flat_map(|path| ["--exclude-path", path]))
        .env("PYTHONPATH", packages)
        .current_dir(home.root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}\n{problem}");
    assert!(report.contains("Tested: "), "nothing was tested: {report}");
}
