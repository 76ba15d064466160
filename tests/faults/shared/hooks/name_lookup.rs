//! Names of hosts that are not found, or whose look-up hangs, while a session goes on.

use support::network::silent_resolver::{SilentResolver, find_names_in, run_in_namespaces};

use super::super::scene::Server;
use super::fixture::RemoteSession;
use super::outlast::Pulls;

#[test]
fn a_look_up_that_fails_or_hangs_holds_no_hook_up() {
    let case = "shared::hooks::name_lookup::session_without_an_answer";
    let Some(output) = run_in_namespaces(case) else { return };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "the other test of this module runs it"]
fn session_without_an_answer() {
    let Some(server) = Server::start() else { return };
    find_names_in("files");
    let session = RemoteSession::start(&server, server.url().replace("127.0.0.1", "localhost"));
    let find_again = || find_names_in("files");
    session.outlast("not found", Pulls::Fail, 0..3, || find_names_in("dns"), |()| find_again());
    let hang = || {
        find_names_in("dns");
        SilentResolver::start()
    };
    session.outlast("no answer", Pulls::Fail, 3..6, hang, |_resolver| find_again());
}
