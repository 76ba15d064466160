//! Name look-ups that hang: the wait for them ends at the deadline, and so does the program.

use std::time::{Duration, Instant};

use support::network::silent_resolver::{SilentResolver, run_in_namespaces};

use crate::support::{database, failure_of, soon};

/// Far more than the deadline of the test, far less than the system would wait.
const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_look_up_that_hangs_ends_at_the_deadline() {
    let began = Instant::now();
    let Some(output) = run_in_namespaces("name_lookup::look_up_without_an_answer") else { return };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(began.elapsed() < LIMIT, "the program waits for the look-up: {text}");
    let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("RESULT ")).collect();
    let problem = "timed out while looking up the name of the host";
    let expected = [
        format!("postgres://slow.example:5432/work: {problem}"),
        format!("postgres://slow.example:5432/work: {problem}"),
        format!("https://slow.example: {problem}"),
    ];
    assert_eq!(found, expected, "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "the other test of this module runs it"]
fn look_up_without_an_answer() {
    let _resolver = SilentResolver::start();
    let url = "postgres://me:s3cret@slow.example/work";
    for error in [
        failure_of(url, soon()),
        database(url).connect_directly(soon()).unwrap_err(),
        failure_of("https://slow.example/", soon()),
    ] {
        assert!(!error.may_have_committed());
        println!("RESULT {error}");
    }
}
