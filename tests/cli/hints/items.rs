//! States of items that are missing or refuse a command, and of their phases.

use super::scene::Scene;
use super::{State, state};

pub(super) fn states() -> Vec<State> {
    let mut all = items_and_keys();
    all.extend(items_in_use());
    all.extend(moves());
    all.extend(phases());
    all.extend(illegal_steps());
    all.extend(refused_starts());
    all.extend(logs());
    all
}

fn items_and_keys() -> Vec<State> {
    vec![
        state("ItemNotFound", Scene::person, "trueup item show SD-9"),
        state("ItemNotFound", Scene::person, "trueup item list --parent SD-9"),
        state("ItemNotFound", Scene::person, "trueup next --parent '#9'"),
        state("ItemNotFound", Scene::person, "trueup log --item SD-9"),
        state("ItemNotFound", Scene::person, "trueup blame SD-9"),
        state("ItemNotFound", Scene::person, "trueup queue list --item SD-9"),
        state("ItemToAddToNotFound", Scene::person, "trueup item add SD-1 --parent '#9'"),
        state("ItemToAddToNotFound", Scene::person, "trueup queue add SD-9"),
        state(
            "ItemExists",
            |s| {
                s.person();
                s.sh("trueup item add '#1'");
            },
            "trueup item add '#1'",
        ),
        state("KindNotFound", Scene::person, "trueup item list --kind story"),
        state(
            "NotDependent",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item add SD-2");
            },
            "trueup item depend SD-1 --on SD-2 --remove",
        ),
    ]
}

fn items_in_use() -> Vec<State> {
    vec![
        state(
            "DependencyCycle",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item add SD-2");
                s.sh("trueup item depend SD-1 --on SD-2");
            },
            "trueup item depend SD-2 --on SD-1",
        ),
        state(
            "SelfDependency",
            |s| {
                s.person();
                s.sh("trueup item add SD-1");
            },
            "trueup item depend SD-1 --on SD-1",
        ),
        state(
            "ParentCycle",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item add SD-2 --parent SD-1");
            },
            "trueup item edit SD-1 --parent SD-2",
        ),
        state(
            "ItemInUse",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item add SD-2 --parent SD-1");
            },
            "trueup item remove SD-1",
        ),
        state(
            "ItemNeeded",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item add SD-2 --depends SD-1");
            },
            "trueup item remove SD-1",
        ),
        state(
            "ItemStays",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item add SD-2 --parent SD-1");
                s.sh("trueup item transition SD-1 completed");
            },
            "trueup item remove SD-1",
        ),
        state(
            "ItemStays",
            |s| {
                s.start();
                s.second_alive();
                s.home.add_item("SD-1");
                s.lost_to_second("SD-1");
            },
            "trueup item remove SD-1 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
    ]
}

fn moves() -> Vec<State> {
    vec![
        state(
            "IllegalMove",
            |s| {
                s.start();
                s.sh("trueup claim SD-1 --create");
            },
            "trueup item transition SD-1 queued",
        ),
        state(
            "IllegalMove",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item transition SD-1 failed");
            },
            "trueup item transition SD-1 completed",
        ),
        state(
            "NothingToReopen",
            |s| {
                s.person();
                s.sh("trueup item add SD-1");
            },
            "trueup item reopen SD-1 --reason again",
        ),
        state(
            "DependenciesOpen",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup item add SD-2 --depends SD-1");
            },
            "trueup item transition SD-2 ready",
        ),
        state(
            "EvidenceRequired",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 --requires-evidence");
            },
            "trueup item transition SD-1 completed",
        ),
        state(
            "NotHolder",
            |s| {
                s.start();
                s.second_alive();
                s.home.add_item("SD-1");
                s.lost_to_second("SD-1");
            },
            "trueup item transition SD-1 completed --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "OwnClaimLost",
            |s| {
                s.start();
                s.second_alive();
                s.sh("trueup claim SD-1 --create --session 0a1b2c3d-0000-4000-8000-000000000001");
                s.lost_to_second("SD-1");
            },
            "trueup item transition SD-1 completed --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
    ]
}

fn phases() -> Vec<State> {
    vec![
        state("PhaseNotFound", Scene::person, "trueup queue start SD-9:1"),
        state(
            "PhasesExist",
            |s| {
                s.person();
                s.sh("trueup item add '#1' && trueup queue add '#1'");
            },
            "trueup queue add '#1'",
        ),
        state(
            "PhaseToDependOnNotFound",
            |s| {
                s.person();
                s.sh("trueup item add SD-1");
            },
            "trueup queue add SD-1 --phases plan,build --depends 2=7",
        ),
        state(
            "PhaseCycle",
            |s| {
                s.person();
                s.sh("trueup item add SD-1");
            },
            "trueup queue add SD-1 --phases plan,build --depends 1=2 --depends 2=1",
        ),
        state(
            "PhaseHeld",
            |s| {
                s.start();
                s.sh("trueup item add SD-1 && trueup queue add SD-1");
                s.second_alive();
                s.lost_to_second("SD-1");
            },
            "trueup queue start SD-1:1 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "PhaseTakenOver",
            |s| {
                s.start();
                s.sh("trueup claim SD-1 --create && trueup queue add SD-1");
                s.sh("trueup queue start SD-1:1");
                s.second_alive();
                s.lost_to_second("SD-1");
            },
            "trueup queue complete SD-1:1 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
    ]
}

fn illegal_steps() -> Vec<State> {
    vec![
        state(
            "IllegalStep",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan,build");
            },
            "trueup queue start SD-1:2",
        ),
        state(
            "IllegalStep",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan,build");
                s.sh("trueup queue start SD-1:1");
            },
            "trueup queue start SD-1:1",
        ),
        state(
            "PhaseOver",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan,build");
                s.sh("trueup queue complete SD-1:1");
            },
            "trueup queue fail SD-1:1 --error late",
        ),
        state(
            "PhaseBlocked",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan,build,test");
                s.sh("trueup queue fail SD-1:1 --error broken");
            },
            "trueup queue reopen SD-1:2 --reason again",
        ),
        state(
            "PhaseBlocked",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan,build,test");
                s.sh("trueup queue fail SD-1:1 --error broken");
            },
            "trueup queue start SD-1:3",
        ),
    ]
}

fn refused_starts() -> Vec<State> {
    vec![
        state(
            "PhaseRunning",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan,build");
                s.sh("trueup queue start SD-1:1");
            },
            "trueup queue remove SD-1:1 --all",
        ),
        state(
            "PhaseInUse",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan,build");
            },
            "trueup queue remove SD-1:1",
        ),
        state(
            "TooManyStarts",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases plan");
                for _ in 0..3 {
                    s.sh("trueup queue start SD-1:1");
                    s.sh("trueup queue reopen SD-1:1 --reason again");
                }
            },
            "trueup queue start SD-1:1",
        ),
        state(
            "PhaseContract",
            |s| {
                s.person();
                s.sh("trueup item add SD-1");
                s.sh("trueup queue add SD-1 --phases build --adw 77c90e61");
            },
            "trueup queue start SD-1:1",
        ),
        state(
            "PhaseWorkflow",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 && trueup queue add SD-1 --phases build");
                s.home.execute_sql("UPDATE phase_queue SET adw_id = '../x'", []);
            },
            "trueup queue start SD-1:1",
        ),
    ]
}

fn logs() -> Vec<State> {
    vec![
        state("EventKindNotFound", Scene::person, "trueup log --kind eaten"),
        state("EntityNotFound", Scene::person, "trueup log --entity cake"),
        state("ActorNotFound", Scene::person, "trueup log --actor nobody"),
    ]
}
