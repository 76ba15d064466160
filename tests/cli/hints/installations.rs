//! States of installations that cannot be upgraded. Their hints advise no command.

use std::fs;

use super::scene::Scene;
use super::{State, state};

pub(super) fn states() -> Vec<State> {
    vec![
        state("NotInstalled", Scene::person, "trueup upgrade"),
        state(
            "ReleaseUnreachable",
            |s| {
                s.person();
                let record = s.home.trueup_home().join("install-manifest.json");
                fs::write(record, "{\"origin\": {\"kind\": \"archive\"}}").unwrap();
            },
            "TRUEUP_RELEASES_URL=http://127.0.0.1:1 trueup upgrade",
        ),
        state(
            "Downgrade",
            |s| {
                s.person();
                let dir = s.home.project_dir().join("trueup-0.0.1-x86_64-unknown-linux-musl");
                fs::create_dir(&dir).unwrap();
                fs::write(dir.join("install.sh"), "exit 9\n").unwrap();
            },
            "trueup upgrade --from trueup-0.0.1-x86_64-unknown-linux-musl",
        ),
        state("ArchiveUnusable", Scene::person, "trueup upgrade --from /nowhere"),
    ]
}
