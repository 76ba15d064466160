//! `trueup doctor`: checks of the installation, each with a fix for what it finds. Nothing is
//! changed without `--fix`.

mod check_result;
mod client;
mod client_files;
mod client_process;
mod codex;
mod database;
mod files;
mod outbox;
mod plugin;
mod privacy;
mod project;
mod server;
mod session_sample;

pub(super) use client_files::find_config_dir;

use serde_json::{Value, json};

use self::check_result::{CheckResult, CheckStatus};
use crate::command_context::CommandContext;
use crate::command_error::REFUSED;
use crate::output::Output;
use crate::page::{Line, Tone};

/// A check of the installation.
struct DoctorCheck {
    name: &'static str,
    /// Runs the check, and with `true` also fixes what can be fixed safely.
    run: fn(&CommandContext, bool) -> CheckResult,
}

/// All checks in the order of output. Each depends only on those before it.
const CHECKS: [DoctorCheck; 19] = [
    doctor_check("configuration", files::check_configuration),
    doctor_check("data directory", files::check_data_directory),
    doctor_check("private files", privacy::check_private_files),
    doctor_check("disk space", files::check_disk_space),
    doctor_check("git", project::check_git),
    doctor_check("database", database::check_database),
    doctor_check("rows", database::check_rows),
    doctor_check("outbox", outbox::check_outbox),
    doctor_check("journal", files::check_journal),
    doctor_check("project", project::check_repository),
    doctor_check("hand-off commands", project::check_handoff_commands),
    // The client must have the plugin installed, complete and enabled, and be recent enough.
    doctor_check("plugin", plugin::check_installed),
    doctor_check("plugin files", plugin::check_plugin_files),
    doctor_check("client settings", client::check_settings_readable),
    doctor_check("plugin enabled", client::check_plugin_enabled),
    doctor_check("hooks enabled", client::check_hooks_enabled),
    doctor_check("client version", client::check_client_version),
    doctor_check("client process", client_process::check_client_processes),
    doctor_check("codex", codex::check_hooks),
];

/// The check behind which those of the server of a shared database stand.
const BEFORE_SERVER: &str = "database";

const fn doctor_check(
    name: &'static str,
    run: fn(&CommandContext, bool) -> CheckResult,
) -> DoctorCheck {
    DoctorCheck { name, run }
}

pub(super) fn cmd_doctor(context: &CommandContext, fix: bool) -> Output {
    let mut results: Vec<(&str, CheckResult)> = Vec::new();
    for check in &CHECKS {
        results.push((check.name, (check.run)(context, fix)));
        if check.name == BEFORE_SERVER {
            results.extend(server::check_server(context));
        }
    }
    let text: Vec<Line> =
        results.iter().flat_map(|(name, found)| render_check(name, found)).collect();
    let rows: Vec<Value> = results
        .iter()
        .map(|(name, found)| {
            json!({
                "name": name, "status": found.status.as_str(), "detail": found.detail,
                "fix": found.fix,
            })
        })
        .collect();
    let failed = results.iter().any(|(_, found)| found.status == CheckStatus::Fail);
    let exit_code = if failed { REFUSED } else { 0 };
    Output { exit_code, ..Output::page(text, json!({"checks": rows})) }
}

/// Renders a check, and under it the fix of what it found.
fn render_check(name: &str, found: &CheckResult) -> impl Iterator<Item = Line> {
    let tone = match found.status {
        CheckStatus::Ok => Tone::Good,
        CheckStatus::Warn => Tone::Warning,
        CheckStatus::Fail => Tone::Error,
        CheckStatus::Skip => Tone::Faint,
    };
    let line = Line::new(tone, format!("{:<4}", found.status.as_str()))
        .and(format!(" {name:<17} {}", found.detail))
        .hanging(7);
    let fix = found.fix.as_ref().map(|fix| Line::from(format!("       fix: {fix}")));
    std::iter::once(line).chain(fix)
}
