//! Networks that fail while a session goes on.

use std::time::Duration;

use support::certificates::{Authority, self_signed};
use support::network::faulty_proxy::{Fault, FaultyProxy};

use super::super::logins::{start_handshake_server, start_plain_server};
use super::super::network::{COMMIT, CUTS, REQUEST};
use super::super::scene::{Server, check_each, url_by};
use super::fixture::RemoteSession;
use super::outlast::Pulls;

/// How many steps a session does while its network fails.
const STEPS: usize = 4;

/// A network that fails, and whether pulls come through.
struct Case {
    fault: Fault,
    pulls: Pulls,
}

const fn case(fault: Fault, pulls: Pulls) -> Case {
    Case { fault, pulls }
}

/// Plays a fault on the connections to a URL, which is made from the port of a proxy.
fn check(server: &Server, case: &Case, url: impl FnOnce(u16) -> String) {
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(server, url(proxy.port));
    let name = format!("{:?}", case.fault);
    let (begin, end) = (|| network.set(case.fault), |()| network.set(Fault::None));
    session.outlast(&name, case.pulls, 0..STEPS, begin, end);
}

#[test]
fn a_network_that_fails_holds_no_hook_up_and_loses_nothing() {
    let Some(server) = Server::shared() else { return };
    let cases = [
        case(Fault::BlackHole, Pulls::Fail),
        case(Fault::Drip(Duration::from_millis(40)), Pulls::Fail),
        case(Fault::Delay(Duration::from_millis(50)), Pulls::MaySucceed),
        case(Fault::CutAfter(0), Pulls::Fail),
        case(Fault::CutAfter(1), Pulls::Fail),
        case(Fault::CutAfter(30), Pulls::Fail),
        case(Fault::ResetAt(REQUEST), Pulls::Fail),
        case(Fault::SilenceAt(REQUEST), Pulls::Fail),
        case(Fault::ResetAt(COMMIT), Pulls::Fail),
        case(Fault::SilenceAt(COMMIT), Pulls::Fail),
        // The server does what it is asked for, and nobody hears of it.
        case(Fault::CloseAt(COMMIT), Pulls::MaySucceed),
    ];
    check_each(&cases, |case| check(server, case, |port| url_by("agent", port)));
}

#[test]
fn connections_that_are_cut_anywhere_lose_nothing() {
    let Some(server) = Server::shared() else { return };
    let all = count_answered_bytes(server);
    let cases = (0..CUTS).map(|number| Fault::CutAfter(all * number / (CUTS - 1)));
    let cases: Vec<Case> = cases.map(|fault| case(fault, Pulls::MaySucceed)).collect();
    check_each(&cases, |case| check(server, case, |port| url_by("agent", port)));
}

/// Counts what the server answers to a pull that sends steps.
fn count_answered_bytes(server: &Server) -> usize {
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(server, url_by("agent", proxy.port));
    network.set(Fault::CutAfter(0));
    session.go_on("counted", 0..STEPS);
    network.set(Fault::None);
    let before = proxy.answered_bytes();
    session.pull();
    proxy.answered_bytes() - before
}

#[test]
fn a_server_that_cannot_be_trusted_gets_nothing_and_holds_no_hook_up() {
    let Some(server) = Server::shared() else { return };
    let authority = &server.authority;
    let root = authority.file().display().to_string();
    let url = |port: u16| {
        let place = format!("localhost:{port}/work?sslmode=verify-full&sslrootcert={root}");
        format!("postgres://agent:s3cret-p@{place}")
    };
    let identities = [
        Some(authority.sign_expired("localhost")),
        Some(authority.sign("elsewhere")),
        Some(self_signed("localhost")),
        Some(Authority::new().sign("localhost")),
        // It has no certificate at all.
        None,
    ];
    let ports = identities.map(start_handshake_server).into_iter().chain([start_plain_server()]);
    let cases: Vec<Case> = ports.map(|port| case(Fault::Detour(port), Pulls::Fail)).collect();
    check_each(&cases, |case| check(server, case, url));
}
