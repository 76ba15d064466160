//! Names of hosts that are not found, or whose look-up hangs.

use support::home::Home;
use support::network::silent_resolver::{SilentResolver, run_in_namespaces};

use super::scene::{Failure, SECRET, check_failing, shows};

const URLS: [&str; 2] =
    ["postgres://agent:s3cret-p@slow.example/work", "https://slow.example/s3cret"];

#[test]
fn a_look_up_that_fails_or_hangs_is_named() {
    let case = "shared::name_lookup::look_up_without_an_answer";
    let Some(output) = run_in_namespaces(case) else { return };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "the other test of this module runs it"]
fn look_up_without_an_answer() {
    let home = Home::new();
    let check = |failure: Failure| {
        for url in URLS {
            let add = ["item", "add", "FAULT-001"];
            for output in check_failing(&home, url, url, &add, failure) {
                assert!(!shows(&output, SECRET), "{output:?}");
            }
        }
    };
    check(Failure::unavailable("the name of the host cannot be found", "check the host"));
    let _resolver = SilentResolver::start();
    let hangs = "timed out while looking up the name of the host";
    check(Failure::unavailable(hangs, "check the network").at_deadline());
}
