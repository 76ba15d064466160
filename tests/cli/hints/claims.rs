//! States of refused claims, and of items that another session holds.

use support::home::SECOND_SESSION;

use super::scene::Scene;
use super::{State, state};

/// Makes the holder silent for longer than its lease and any ceiling.
fn silence(scene: &Scene) {
    scene.home.expire_lease(SECOND_SESSION, 7_200);
}

/// [`SESSION`] runs the commands; [`SECOND`] holds `SD-1`.
fn held(scene: &Scene, is_seen: bool) {
    scene.start();
    if is_seen {
        scene.second_alive();
    } else {
        scene.second(None);
    }
    scene.sh(&format!("trueup claim '#1' --create --session {SECOND_SESSION}"));
}

/// A claim of what [`SECOND`] holds.
const CLAIM: &str = "trueup claim '#1' --session 0a1b2c3d-0000-4000-8000-000000000001";

fn later(row: &'static str, make: fn(&Scene), failing: &'static str) -> State {
    State { wait: silence, ..state(row, make, failing) }
}

pub(super) fn states() -> Vec<State> {
    let mut states = refused_claims();
    states.extend(releases_and_moves());
    states
}

fn refused_claims() -> Vec<State> {
    vec![
        state("ItemToClaimNotFound", Scene::start, "trueup claim '#9'"),
        state(
            "ItemFinished",
            |s| {
                s.start();
                s.sh("trueup item add SD-1 && trueup item transition SD-1 cancelled");
            },
            "trueup claim SD-1",
        ),
        later("HeldByLive", |s| held(s, true), CLAIM),
        later(
            "HeldBySilent",
            |s| {
                held(s, false);
                s.home.expire_lease(SECOND_SESSION, 1_000);
            },
            CLAIM,
        ),
        later(
            "TakeoverNotAllowed",
            |s| held(s, true),
            "trueup claim '#1' --force --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "ClaimLost",
            |s| {
                s.start();
                s.sh("trueup claim SD-1 --create --op-id operation-1");
                s.second_alive();
                s.lost_to_second("SD-1");
            },
            "trueup claim SD-1 --op-id operation-1 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
    ]
}

fn releases_and_moves() -> Vec<State> {
    vec![
        state("NothingHeld", Scene::start, "trueup release"),
        state(
            "NotHolder",
            |s| {
                s.start();
                s.sh("trueup item add SD-1");
            },
            "trueup release SD-1",
        ),
        state(
            "NotHolder",
            |s| {
                s.person();
                s.sh("trueup item add SD-1");
            },
            "trueup release SD-1",
        ),
        state(
            "HeldByOther",
            |s| {
                s.start();
                s.sh("trueup claim SD-1 --create");
            },
            "cd .. && trueup release SD-1",
        ),
        state(
            "HeldByOther",
            |s| held(s, true),
            "trueup release '#1' --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "HeldByDead",
            |s| {
                held(s, false);
                silence(s);
            },
            "trueup release '#1' --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state("NoItem", Scene::start, "trueup interrupt"),
        state(
            "HoldsUnfinished",
            |s| {
                s.start();
                s.sh("trueup claim SD-1 --create && trueup item add SD-2");
            },
            "trueup next --claim",
        ),
        state(
            "HoldsUnfinished",
            |s| {
                s.start();
                s.sh("trueup item add SD-0 && trueup item add SD-2 --parent SD-0");
                s.sh("trueup claim SD-1 --create");
            },
            "trueup next --claim --parent SD-0 --all-repos",
        ),
        state(
            "HoldsWithoutEvidence",
            |s| {
                s.start();
                s.sh("trueup item add SD-1 --requires-evidence && trueup item add SD-2");
                s.sh("trueup claim SD-1");
            },
            "trueup next --claim",
        ),
    ]
}
