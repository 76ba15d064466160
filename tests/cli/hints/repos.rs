//! States of repositories and their STATE.md.

use super::scene::Scene;
use super::{State, state};

/// The project is registered as `project`, and has a state.
fn register_project(scene: &Scene) {
    scene.person();
    scene.write("STATE.md", "# All is well\n");
    scene.sh("trueup repo add .");
}

/// Creates a repository `other` beside the project.
fn create_repo_beside(scene: &Scene) {
    scene.sh("git init --quiet ../other");
}

pub(super) fn states() -> Vec<State> {
    let mut all = missing_repos();
    all.extend(registrations());
    all.extend(argument_states());
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
                register_project(s);
                create_repo_beside(s);
                s.sh("trueup repo add ../other && rm -r ../other");
            },
            "trueup state sync other",
        ),
        state(
            "RepoElsewhere",
            |s| {
                register_project(s);
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
                register_project(s);
                s.sh("trueup repo add . --passive");
            },
            "trueup state sync",
        ),
        state(
            "RepoPassiveByFile",
            |s| {
                register_project(s);
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
        state("PathTaken", register_project, "trueup repo add . --slug another"),
        state(
            "SlugTaken",
            |s| {
                register_project(s);
                create_repo_beside(s);
            },
            "trueup repo add ../other --slug project",
        ),
        state(
            "SameRepository",
            |s| {
                register_project(s);
                s.sh("git worktree add --quiet ../tree");
            },
            "trueup repo add ../tree --slug another",
        ),
    ]
}

fn argument_states() -> Vec<State> {
    vec![
        state("NoState", register_project, "trueup state show project"),
        state(
            "NoStateFromHere",
            |s| {
                register_project(s);
                create_repo_beside(s);
                s.sh("trueup repo add ../other");
            },
            "trueup state show other",
        ),
        state(
            "NoStateFile",
            |s| {
                register_project(s);
                s.sh("rm STATE.md");
            },
            "trueup state sync",
        ),
        state(
            "StateUnfit",
            |s| {
                register_project(s);
                s.write(".trueup.toml", "state_file = \".env\"\n");
                s.write(".env", "x");
            },
            "trueup state sync",
        ),
        state(
            "SecretsFound",
            |s| {
                register_project(s);
                s.write("STATE.md", "token: ghp_abcdefghijklmnopqrstuvwxyz0123456789\n");
            },
            "trueup state sync --deny-secrets",
        ),
    ]
}
