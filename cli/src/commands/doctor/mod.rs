//! `trueup doctor`: what is in place, what is not, and what ends each finding. It takes no lock
//! twice and changes nothing without `--fix`.

mod client;
mod client_process;
mod database;
mod files;
mod outbox;
mod plugin;
mod privacy;
mod project;

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::failure::REFUSED;
use crate::report::Answer;

/// One thing that is looked at.
struct Check {
    name: &'static str,
    /// Looks, and with `true` also fixes what can be fixed safely.
    run: fn(&Desk, bool) -> Finding,
}

/// Everything that is looked at, in the order it is shown: first what the rest stands on.
const CHECKS: [Check; 18] = [
    check("configuration", files::configuration),
    check("data directory", files::data_directory),
    check("private files", privacy::files),
    check("disk space", files::space),
    check("git", project::git),
    check("database", database::database),
    check("rows", database::rows),
    check("outbox", outbox::outbox),
    check("journal", files::journal),
    check("project", project::repository),
    check("hand-off commands", project::handoff_commands),
    // A client that runs the hooks: installed, switched on, whole, and new enough.
    check("plugin", plugin::installed),
    check("plugin files", plugin::staged),
    check("client settings", client::settings_read),
    check("plugin enabled", client::plugin_enabled),
    check("hooks enabled", client::hooks_enabled),
    check("client version", client::version),
    check("client process", client_process::processes),
];

const fn check(name: &'static str, run: fn(&Desk, bool) -> Finding) -> Check {
    Check { name, run }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    Warn,
    Fail,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What a check came to.
struct Finding {
    status: Status,
    detail: String,
    /// What ends it; a command where there is one.
    fix: Option<String>,
}

impl Finding {
    fn ok(detail: impl Into<String>) -> Self {
        Self {
            status: Status::Ok,
            detail: detail.into(),
            fix: None,
        }
    }

    fn warn(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: Status::Warn,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }

    fn fail(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: Status::Fail,
            ..Self::warn(detail, fix)
        }
    }
}

pub(super) fn run(desk: &Desk, fix: bool) -> Answer {
    let found: Vec<(&str, Finding)> = CHECKS
        .iter()
        .map(|check| (check.name, (check.run)(desk, fix)))
        .collect();
    let text = found
        .iter()
        .flat_map(|(name, found)| {
            let status = found.status.as_str();
            let line = format!("{status:<4} {name:<17} {}", found.detail);
            let fix = found.fix.as_ref().map(|fix| format!("       -> {fix}"));
            std::iter::once(line).chain(fix)
        })
        .collect();
    let rows: Vec<Value> = found
        .iter()
        .map(|(name, found)| {
            json!({
                "name": name, "status": found.status.as_str(), "detail": found.detail,
                "fix": found.fix,
            })
        })
        .collect();
    let failed = found.iter().any(|(_, found)| found.status == Status::Fail);
    let exit = if failed { REFUSED } else { 0 };
    Answer {
        exit,
        ..Answer::new(text, json!({"checks": rows}))
    }
}
