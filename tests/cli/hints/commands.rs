//! States of invalid command lines, and of commands without a session to act for.

use std::fs;

use support::home::FIRST_SESSION;

use super::scene::Scene;
use super::{State, state};

pub(super) fn states() -> Vec<State> {
    let mut states = command_lines();
    states.extend(sessions());
    states
}

fn command_lines() -> Vec<State> {
    vec![
        state("Usage", Scene::person, "trueup frobnicate"),
        state("Usage", Scene::person, "trueup queue list --status nowhere"),
        state("Usage", Scene::person, "trueup item"),
        state("Usage", Scene::person, "trueup set --metadata x"),
        state("Usage", Scene::start, "trueup set --metadata branch=x"),
        state("Usage", Scene::start, "trueup status --project /nowhere"),
        state("Usage", Scene::start, "trueup meta set wf-1 word"),
        state("Usage", Scene::start, "trueup check --format sarif"),
        state("Usage", Scene::start, "trueup queue add SD-1 --depends x"),
        state("Variable", Scene::person, "TRUEUP_SESSION_ID='a b' trueup status"),
        state(
            "Variable",
            |s| {
                s.start();
                s.sh("trueup item add SD-1 && trueup queue add SD-1");
            },
            "TRUEUP_ORCHESTRATOR_ID='a b' trueup queue start SD-1:1",
        ),
        state("KeepTooShort", Scene::person, "trueup db prune --keep 1h"),
        state("BadTime", Scene::person, "trueup log --since soon"),
        state(
            "OperationIdUsed",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 --op-id operation-1");
            },
            "trueup item add SD-2 --op-id operation-1",
        ),
    ]
}

fn sessions() -> Vec<State> {
    vec![
        state("NoSession", Scene::person, "trueup interrupt"),
        state("NoSession", Scene::person, "trueup claim SD-1"),
        state(
            "AmbiguousId",
            |s| {
                s.start();
                s.second(None);
            },
            "trueup status --session 0a1b2c3d",
        ),
        state(
            "SessionEnded",
            |s| {
                s.start();
                s.end();
                s.install_client();
            },
            "trueup set --phase PLAN --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "SessionDied",
            |s| {
                s.start();
                s.home.execute_sql("UPDATE claude_sessions SET host = 'far'", []);
                s.home.expire_lease(FIRST_SESSION, 7_200);
                s.install_client();
            },
            "trueup set --phase PLAN --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state("PhantomSession", Scene::person, "trueup set --phase PLAN --session nobody"),
        state("PhantomSession", Scene::person, "trueup sessions show nobody"),
        state(
            "ConfigurationUnreadable",
            |s| {
                s.person();
                fs::create_dir(s.home.trueup_home().join("config.toml")).unwrap();
            },
            "trueup item list",
        ),
        state(
            "Configuration",
            |s| {
                s.person();
                fs::write(s.home.trueup_home().join("config.toml"), "lease_seconds\n").unwrap();
            },
            "trueup item list",
        ),
    ]
}
