//! States of repositories and their STATE.md.

use super::scene::Scene;
use super::{State, state};

/// The project is registered as `project`, and has a state.
fn registered(scene: &Scene) {
    scene.person();
    scene.write("STATE.md", "# All is well\n");
    scene.sh("trueup repo add .");
}

/// Creates a repository `other` beside the project.
fn beside(scene: &Scene) {
    scene.sh("git init --quiet ../other");
}

pub(super) fn states() -> Vec<State> {
    let mut all = missing_repos();
    all.extend(registrations());
    all.extend(given());
    all
}

fn missing_repos() -> Vec<State> {
    vec![
        state("RepoNotFound", Scene::person, "trueup state show gone"),
        state("RepoNotFound", Scene::person, "trueup check gone"),
        state("RepoNotFound", Scene::person, "trueup repo remove gone"),
        state("RepoNotFound", Scene::person, "trueup item list --repo gone"),
        state("RepoNotFound", Scene::person, "cd .. && trueup state show"),
        state(
            "RepoUnregistered",
            |s| {
                s.person();
                s.write("STATE.md", "# All is well\n");
            },
            "trueup state sync",
        ),
        state(
            "RepoElsewhere",
            |s| {
                registered(s);
                beside(s);
                s.sh("trueup repo add ../other && rm -r ../other");
            },
            "trueup state sync other",
        ),
        state(
            "RepoElsewhere",
            |s| {
                registered(s);
                s.home.execute_sql(
                    "UPDATE repos SET places = replace(places, substr(places, 3, 8), 'elsewher')",
                    [],
                );
            },
            "trueup check project",
        ),
    ]
}

fn registrations() -> Vec<State> {
    vec![
        state(
            "RepoPassive",
            |s| {
                registered(s);
                s.sh("trueup repo add . --passive");
            },
            "trueup state sync",
        ),
        state(
            "RepoPassiveByFile",
            |s| {
                registered(s);
                s.write(".trueup.toml", "passive = true\n");
            },
            "trueup state sync",
        ),
        state(
            "NoRepository",
            |s| {
                s.person();
                s.sh("mkdir '../with space'");
            },
            "trueup repo add '../with space'",
        ),
        state("PathTaken", registered, "trueup repo add . --slug another"),
        state(
            "SlugTaken",
            |s| {
                registered(s);
                beside(s);
            },
            "trueup repo add ../other --slug project",
        ),
        state(
            "SameRepository",
            |s| {
                registered(s);
                s.sh("git worktree add --quiet ../tree");
            },
            "trueup repo add ../tree --slug another",
        ),
    ]
}

fn given() -> Vec<State> {
    vec![
        state("NoState", registered, "trueup state show project"),
        state(
            "NoStateFromHere",
            |s| {
                registered(s);
                beside(s);
                s.sh("trueup repo add ../other");
            },
            "trueup state show other",
        ),
        state(
            "NoStateFile",
            |s| {
                registered(s);
                s.sh("rm STATE.md");
            },
            "trueup state sync",
        ),
        state(
            "StateUnfit",
            |s| {
                registered(s);
                s.write(".trueup.toml", "state_file = \".env\"\n");
                s.write(".env", "x");
            },
            "trueup state sync",
        ),
        state(
            "SecretsFound",
            |s| {
                registered(s);
                s.write("STATE.md", "token: ghp_abcdefghijklmnopqrstuvwxyz0123456789\n");
            },
            "trueup state sync --deny-secrets",
        ),
    ]
}
