//! `trueup orchestrator start`: a command as the only orchestrator of a plan.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::liveness::identify_process;
use trueup_core::model::{Orchestrator, OrchestratorId, OrchestratorStatus, RunEnd};
use trueup_core::orchestrators::{describe_interrupted, judge_liveness};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{OrchestratorStore as _, Provenance, Result as Stored, StoreError};
use trueup_core::text::one_line;

use super::orchestrator::{begin_run, build_running_error, find_replayed_run};
use super::plan::find_plan_by_name;
use crate::command_context::CommandContext;
use crate::command_error::CommandError;
use crate::output::{Output, print_status};
use crate::supervise::{
    Control, HEARTBEAT_INTERVAL, Signals, describe_signal, spawn_guarded, supervise_child,
};
use crate::views;

/// How long a sign of life waits for the database. Signals wait as long, so it is short; the
/// next one comes soon.
const HEARTBEAT_PATIENCE: Duration = Duration::from_secs(1);

/// Longest line told while the command runs, in characters.
const MAX_LINE_CHARS: usize = 1_000;

pub(super) fn cmd_start(
    context: &CommandContext,
    plan: &str,
    command: &[OsString],
) -> Result<Output, CommandError> {
    // Before the run is recorded: from now on no signal ends this process before its run.
    let mut signals = Signals::watch()?;
    let mut store = context.open_for_change()?;
    let plan = find_plan_by_name(context, &mut store, plan)?;
    if let Some(row) = find_replayed_run(context, &mut store, &plan)?
        && !row.status.is_live()
    {
        return Ok(build_output(&row, row.end));
    }
    let actor = context.resolve_actor(&mut store)?;
    let orchestrator = begin_run(context, &mut store, plan, std::process::id(), true)?;
    if orchestrator.process != identify_process(std::process::id()) {
        // Under one operation id two started at once, and the other runs.
        return Err(build_running_error(
            &orchestrator,
            &judge_liveness(&orchestrator, &context.run),
        ));
    }
    drop(store);
    let database = context.database_path()?;
    let record_end = |end: RunEnd, reason: &str| {
        let mut store = SqliteStore::open(database, Deadline::after(context.patience()))?;
        store.record_orchestrator_stop(&orchestrator.id, end, &Provenance::new(&actor, reason))
    };
    let mut heartbeat = Heartbeat::new(database, &orchestrator.id);
    print_beside_command(&format!(
        "{} now runs plan {} (epoch {})",
        orchestrator.id, orchestrator.plan, orchestrator.epoch
    ));
    let status = spawn_run(context, &orchestrator, command).and_then(|mut child| {
        Ok(supervise_child(
            &mut child,
            &mut signals,
            HEARTBEAT_INTERVAL,
            || heartbeat.beat(),
        )?)
    });
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            // The reason is the answer; a row that stays is cleared by the next command.
            let _ = record_end(RunEnd::default(), &error.message);
            return Err(error);
        }
    };
    let run_end = RunEnd {
        exit_code: status.code(),
        signal: status.signal(),
    };
    let mut output = build_output(&orchestrator, run_end);
    match record_end(run_end, &describe_end(run_end)) {
        Ok(ended) => {
            let interrupted_tasks = ended.describe_interrupted();
            if let Some(line) = describe_interrupted(&interrupted_tasks) {
                print_beside_command(&line);
            }
            output.data["orchestrator"] = views::orchestrator_view(&ended.orchestrator);
            output.data["interrupted"] = json!(interrupted_tasks);
        }
        // Somebody ended the run meanwhile, and the pulse has told so.
        Err(StoreError::Conflict(_)) => {}
        Err(error) => output.warnings.push(format!(
            "the end of {} cannot be recorded: {error}; the next command records it",
            orchestrator.id
        )),
    }
    Ok(output)
}

/// Starts the command. With `--json` its stdout goes to stderr: stdout holds one object.
fn spawn_run(
    context: &CommandContext,
    orchestrator: &Orchestrator,
    command: &[OsString],
) -> Result<std::process::Child, CommandError> {
    let mut environment = vec![
        ("TRUEUP_ORCHESTRATOR_ID", orchestrator.id.as_str()),
        ("TRUEUP_PLAN", orchestrator.plan.as_str()),
    ];
    environment.extend(
        orchestrator
            .session
            .as_ref()
            .map(|id| ("TRUEUP_SESSION_ID", id.as_str())),
    );
    let stdout = context.json.then(|| Stdio::from(io::stderr()));
    // One for each plan of each database.
    let run_path = context.database_path()?.join(orchestrator.plan.as_str());
    let lock = context.run.settings.paths.lock_of(&run_path);
    Ok(spawn_guarded(command, &lock, &environment, stdout)?)
}

/// Passes on how the command ended.
fn build_output(orchestrator: &Orchestrator, end: RunEnd) -> Output {
    let data = json!({
        "orchestrator": views::orchestrator_view(orchestrator),
        "exit_code": end.exit_code,
        "signal": end.signal,
        "interrupted": [],
    });
    let code = end.exit_code.and_then(|code| u8::try_from(code).ok());
    Output {
        exit_code: code.unwrap_or(u8::MAX),
        signal: end.signal,
        ..Output::new(Vec::new(), data)
    }
}

fn describe_end(end: RunEnd) -> String {
    match (end.exit_code, end.signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by {}", describe_signal(signal)),
        (None, None) => "ended".to_owned(),
    }
}

/// Says something beside the command's own output.
fn print_beside_command(line: &str) {
    print_status(&format!("trueup: {}", one_line(line, MAX_LINE_CHARS)));
}

/// Signs of life while the command runs.
struct Heartbeat<'r> {
    database: &'r Path,
    id: &'r OrchestratorId,
    /// Whether trouble with the database was told already.
    has_warned: bool,
}

impl<'r> Heartbeat<'r> {
    const fn new(database: &'r Path, id: &'r OrchestratorId) -> Self {
        Self {
            database,
            id,
            has_warned: false,
        }
    }

    fn beat(&mut self) -> Control {
        match self.renew_lease() {
            Ok(row) if row.status == OrchestratorStatus::Stopping => Control::Stop,
            Ok(_) => Control::Continue,
            // The plan may be another's by now, and one plan has one orchestrator.
            Err(error @ StoreError::Conflict(_)) => {
                self.warn_once(&error, "the command is asked to stop");
                Control::Stop
            }
            Err(error) => {
                self.warn_once(&error, "the command keeps running");
                Control::Continue
            }
        }
    }

    fn renew_lease(&self) -> Stored<Orchestrator> {
        SqliteStore::open(self.database, Deadline::after(HEARTBEAT_PATIENCE))?
            .record_orchestrator_heartbeat(self.id)
    }

    /// Tells of trouble once: it may well last as long as the command.
    fn warn_once(&mut self, error: &StoreError, consequence: &str) {
        if !std::mem::replace(&mut self.has_warned, true) {
            print_beside_command(&format!("the heartbeat failed: {error}; {consequence}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trueup_core::model::{ProcessId, ProcessPlace};
    use trueup_core::store::NewRun;

    /// A database with one run of plan `P`, and its id.
    fn registered(folder: &Path) -> (SqliteStore, std::path::PathBuf, OrchestratorId) {
        let path = folder.join("t.db");
        let mut store = SqliteStore::open_or_create(&path, Deadline::after(LONG)).unwrap();
        let run = NewRun {
            id: "orch-1".parse().unwrap(),
            plan: "P".parse().unwrap(),
            session: None,
            host: "h".to_owned(),
            process: ProcessId {
                pid: 1,
                started: None,
                place: ProcessPlace::default(),
            },
            supervised: true,
            provenance: Provenance::new("user", ""),
        };
        store.register_orchestrator(&run).unwrap();
        (store, path, run.id)
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn a_pulse_hears_that_its_run_is_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, path, id) = registered(folder.path());
        let mut pulse = Heartbeat::new(&path, &id);
        assert_eq!(pulse.beat(), Control::Continue);
        let by = Provenance::new("user", "");
        store.request_orchestrator_stop(&id, &by).unwrap();
        assert_eq!(pulse.beat(), Control::Stop);
        assert!(!pulse.has_warned, "that is no trouble");
    }

    #[test]
    fn a_pulse_that_was_taken_for_dead_leaves_the_plan_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, path, id) = registered(folder.path());
        let row = store.load_orchestrator(&id).unwrap().unwrap();
        let by = Provenance::new("user", "");
        store.record_orchestrator_crash(&row, &by).unwrap();
        let mut pulse = Heartbeat::new(&path, &id);
        assert_eq!(pulse.beat(), Control::Stop);
        assert!(pulse.has_warned);
    }

    #[test]
    fn a_pulse_without_a_database_goes_on_and_tells_once() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path, id) = registered(folder.path());
        let (away, mut pulse) = (folder.path().join("away"), Heartbeat::new(&path, &id));
        std::fs::rename(&path, &away).unwrap();
        assert_eq!(
            (pulse.beat(), pulse.beat()),
            (Control::Continue, Control::Continue)
        );
        assert!(pulse.has_warned);
        std::fs::rename(&away, &path).unwrap();
        assert_eq!(pulse.beat(), Control::Continue);
    }
}
