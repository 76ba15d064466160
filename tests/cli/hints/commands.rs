//! Command lines that make no sense, and nobody to speak for.

use std::fs;

use super::{State, state};

pub(super) fn states() -> Vec<State> {
    vec![
        state("Usage", |s| s.person(), "trueup frobnicate"),
        state(
            "Usage",
            |s| s.person(),
            "trueup queue list --status nowhere",
        ),
        state("Usage", |s| s.person(), "trueup item"),
        state("Usage", |s| s.person(), "trueup set --metadata x"),
        state("Usage", |s| s.start(), "trueup set --metadata branch=x"),
        state("Usage", |s| s.start(), "trueup status --project /nowhere"),
        state("Usage", |s| s.start(), "trueup meta set wf-1 word"),
        state("Usage", |s| s.start(), "trueup check --format sarif"),
        state("Usage", |s| s.start(), "trueup queue add SD-1 --depends x"),
        state(
            "Variable",
            |s| s.person(),
            "TRUEUP_SESSION_ID='a b' trueup status",
        ),
        state(
            "Variable",
            |s| {
                s.start();
                s.sh("trueup item add SD-1 && trueup queue add SD-1");
            },
            "TRUEUP_ORCHESTRATOR_ID='a b' trueup queue start SD-1:1",
        ),
        state("KeepTooShort", |s| s.person(), "trueup db prune --keep 1h"),
        state("BadTime", |s| s.person(), "trueup log --since soon"),
        state(
            "OperationIdUsed",
            |s| {
                s.person();
                s.sh("trueup item add SD-1 --op-id operation-1");
            },
            "trueup item add SD-2 --op-id operation-1",
        ),
        state("NoSession", |s| s.person(), "trueup interrupt"),
        state("NoSession", |s| s.person(), "trueup claim SD-1"),
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
            "PhantomSession",
            |s| s.person(),
            "trueup set --phase PLAN --session nobody",
        ),
        state(
            "PhantomSession",
            |s| s.person(),
            "trueup sessions show nobody",
        ),
        state(
            "Configuration",
            |s| {
                s.person();
                fs::write(s.home.trueup().join("config.toml"), "lease_seconds\n").unwrap();
            },
            "trueup item list",
        ),
    ]
}
