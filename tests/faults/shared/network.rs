//! Networks that lose, delay, cut and swallow what is sent.

use std::thread;
use std::time::Duration;

use support::home::ProcessOutput;
use support::network::faulty_proxy::{Fault, FaultyProxy};

use super::scene::{
    Case, DOUBT, Ends, Failure, Scene, Server, new_key, run_failing, shows, url_by,
};

/// What a request looks like on the wire, and one that commits.
pub(super) const REQUEST: &str = "trueup.exchange";
pub(super) const COMMIT: &str = r#""mode":"commit""#;

/// How many connections of the loops are cut, at places spread over a whole command.
pub(super) const CUTS: usize = 18;

#[test]
fn a_network_that_fails_is_named_and_leaves_nothing_half_done() {
    let Some(server) = Server::shared() else { return };
    let unavailable = |problem, hint| Failure::unavailable(problem, hint).at_deadline();
    let closed_early = unavailable("closed before the request was sent", "try again");
    let cases = [
        (Fault::BlackHole, unavailable("timed out while logging in", "slow or stuck")),
        (
            Fault::Drip(Duration::from_millis(40)),
            unavailable("timed out while logging in", "TRUEUP_DEADLINE_MS raises the limit"),
        ),
        (Fault::CutAfter(0), closed_early),
        (Fault::CutAfter(1), closed_early),
        (Fault::CutAfter(30), closed_early),
        (Fault::ResetAt(REQUEST), unavailable("closed before the answer came", "try again")),
        (Fault::SilenceAt(REQUEST), unavailable("timed out while waiting", "slow or stuck")),
        (Fault::ResetAt(COMMIT), unavailable(DOUBT, "try again")),
        (Fault::SilenceAt(COMMIT), unavailable(DOUBT, "TRUEUP_DEADLINE_MS")),
    ];
    let cases = cases.map(|(fault, failure)| {
        let proxy = FaultyProxy::start(server.postgres.port, fault);
        Case::new(format!("{fault:?}"), url_by("agent", proxy.port), failure)
    });
    Scene::new(server).check_all(&cases);
}

#[test]
fn a_network_that_is_slow_or_fails_once_only_delays_a_command() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(server);
    for fault in [
        Fault::Delay(Duration::from_millis(50)),
        Fault::CloseAt(COMMIT),
        Fault::ResetAt(REQUEST),
        Fault::ResetAt(COMMIT),
    ] {
        let proxy = match fault {
            Fault::Delay(_) => FaultyProxy::start(server.postgres.port, fault),
            _ => FaultyProxy::start_once(server.postgres.port, fault),
        };
        let key = new_key();
        let url = url_by("agent", proxy.port);
        scene.command(&url, &["item", "add", &key]).wait().ok();
        assert_eq!(scene.count(&key), (1, 1), "{fault:?}");
    }
}

/// Adds an item through a proxy; returns the output.
fn add_through(scene: &Scene<'_>, proxy: &FaultyProxy, key: &str, ends: Ends) -> ProcessOutput {
    let url = url_by("agent", proxy.port);
    let run = scene.command(&url, &["item", "add", key, "--op-id", key]);
    run_failing(key, run, ends)
}

/// Returns the places of the cuts, in bytes of the server's: from before the first one to behind
/// the last one of a command.
fn find_cuts(scene: &Scene<'_>, server: &Server) -> Vec<usize> {
    let proxy = FaultyProxy::start(server.postgres.port, Fault::None);
    add_through(scene, &proxy, &new_key(), Ends::AtOnce).ok();
    let all = proxy.answered_bytes();
    (0..CUTS).map(|number| all * number / (CUTS - 1)).collect()
}

/// A command that reports success has added the item, and one that fails without a word about
/// doubt has not.
#[test]
fn a_connection_that_is_always_cut_tells_the_truth() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(server);
    let cuts = find_cuts(&scene, server);
    let check = |after: usize| {
        let proxy = FaultyProxy::start(server.postgres.port, Fault::CutAfter(after));
        let key = new_key();
        let output = add_through(&scene, &proxy, &key, Ends::AtDeadline);
        let told = format!("cut after {after} bytes: {output:?}");
        match (output.code, scene.count(&key)) {
            (Some(0), (1, 1)) => {}
            (Some(3), (0, 0)) => assert_eq!(output.stderr.lines().count(), 2, "{told}"),
            (Some(3), (1, 1)) => assert!(shows(&output, DOUBT), "{told}"),
            (_, counts) => panic!("{counts:?}, {told}"),
        }
        scene.check_repetition(&told, &["item", "add", &key, "--op-id", &key], &key);
        scene.check_secrets(&told, &[output]);
    };
    thread::scope(|scope| {
        for part in cuts.chunks(CUTS / 6) {
            scope.spawn(move || part.iter().copied().for_each(check));
        }
    });
}

#[test]
fn a_connection_that_is_cut_once_is_made_again_and_the_command_takes_effect_once() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(server);
    for after in find_cuts(&scene, server) {
        let proxy = FaultyProxy::start_once(server.postgres.port, Fault::CutAfter(after));
        let key = new_key();
        add_through(&scene, &proxy, &key, Ends::AtOnce).ok();
        assert_eq!(scene.count(&key), (1, 1), "cut after {after} bytes");
    }
}
