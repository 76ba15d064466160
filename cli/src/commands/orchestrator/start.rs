//! `trueup orchestrator start`: runs a command as the only orchestrator of a plan.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, OrchestratorCase};
use crate::commands::plan::plan_lookup::find_plan_by_name;
use crate::output::Output;
use crate::printer::print_status;
use crate::store_location::StoreLocation;
use crate::supervise::{
    Control, HEARTBEAT_INTERVAL, Signals, describe_signal, spawn_guarded, supervise_child,
};
use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::liveness::identify_process;
use trueup_core::model::{
    Orchestrator, OrchestratorId, OrchestratorStatus, RunEnd, describe_interrupted,
};
use trueup_core::orchestrators::judge_liveness;
use trueup_core::store::{EndedRun, Provenance, Result as StoreResult, StoreError};
use trueup_core::text::one_line;
use trueup_core::views::OrchestratorView;

use super::registration::{begin_run, build_running_error, find_replayed_run};

/// How long a heartbeat waits for the database. Signals are not handled meanwhile, so it is short.
const HEARTBEAT_PATIENCE: Duration = Duration::from_secs(1);

/// Longest line printed while the command runs, in characters.
const MAX_LINE_CHARS: usize = 1_000;

pub(super) fn cmd_start(
    context: &CommandContext,
    plan: &str,
    command: &[OsString],
) -> CommandResult {
    // Before the run is recorded, so that no signal can end this process and leave the run.
    let mut signals = Signals::watch()?;
    let mut opened = context.open_for_change()?;
    let store = &mut *opened;
    let plan = find_plan_by_name(context, store, plan)?;
    if let Some(row) = find_replayed_run(context, store, &plan)?
        && !row.status.is_live()
    {
        return Ok(build_output(&row, row.end));
    }
    check_program(context, command)?;
    let actor = context.resolve_actor(store)?;
    let orchestrator = begin_run(context, store, plan, std::process::id(), true)?;
    if orchestrator.process != identify_process(std::process::id()) {
        // Two processes started with the same operation id, and the other one has the run.
        return Err(build_running_error(
            &orchestrator,
            &judge_liveness(&orchestrator, &context.run),
        ));
    }
    drop(opened);
    let location = context.store_location()?;
    let record_end = |end: RunEnd, reason: &str| {
        let mut store = location.open(Deadline::after(context.patience()))?;
        store.record_orchestrator_stop(&orchestrator.id, end, &Provenance::new(&actor, reason))
    };
    let mut heartbeat = Heartbeat::new(&location, &orchestrator.id);
    print_beside_command(&format!(
        "{} now runs plan {:?} (epoch {})",
        orchestrator.id,
        orchestrator.plan.as_str(),
        orchestrator.epoch
    ));
    let status = spawn_run(context, &orchestrator, command).and_then(|mut child| {
        Ok(supervise_child(&mut child, &mut signals, HEARTBEAT_INTERVAL, || heartbeat.beat())?)
    });
    let status = status.inspect_err(|error| {
        // A row that stays is cleared by the next command.
        let _ = record_end(RunEnd::default(), &error.message);
    })?;
    let run_end = RunEnd { exit_code: status.code(), signal: status.signal() };
    let mut output = build_output(&orchestrator, run_end);
    add_recorded_end(&mut output, &orchestrator.id, record_end(run_end, &describe_end(run_end)));
    Ok(output)
}

/// Refuses a program that does not exist or cannot be executed, before the run is recorded and uses
/// up an epoch. What this misses, the start of the program itself reports.
fn check_program(context: &CommandContext, command: &[OsString]) -> CommandResult<()> {
    let Some(program) = command.first() else {
        return Ok(());
    };
    let refuse = |case: OrchestratorCase, problem: &str| {
        let message = format!("{}: {problem}", program.to_string_lossy());
        Err(CommandError::new(case, message))
    };
    if program.as_encoded_bytes().contains(&b'/') {
        let path = context.cwd().join(program);
        return if !path.exists() {
            refuse(OrchestratorCase::CommandNotFound, "no such file")
        } else if !is_executable(&path) {
            refuse(OrchestratorCase::CommandNotExecutable, "not an executable file")
        } else {
            Ok(())
        };
    }
    // Without PATH the system has a default of its own.
    let Some(path) = context.environment.os_value("PATH") else {
        return Ok(());
    };
    let mut candidates =
        std::env::split_paths(path).map(|dir| context.cwd().join(dir).join(program));
    if candidates.any(|candidate| candidate.exists()) {
        Ok(())
    } else {
        refuse(OrchestratorCase::CommandNotFound, "no such program on PATH")
    }
}

fn is_executable(path: &Path) -> bool {
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Adds to the output how the end of the run was recorded.
fn add_recorded_end(output: &mut Output, id: &OrchestratorId, recorded: StoreResult<EndedRun>) {
    match recorded {
        Ok(ended) => {
            let interrupted_tasks = ended.describe_interrupted();
            if let Some(line) = describe_interrupted(&interrupted_tasks) {
                print_beside_command(&line);
            }
            output.data["orchestrator"] = json!(OrchestratorView::from(&ended.orchestrator));
            output.data["interrupted"] = json!(interrupted_tasks);
        }
        // The run was ended by another process, which the heartbeat has reported.
        Err(StoreError::Conflict(_)) => {}
        Err(error) => output.warnings.push(format!(
            "the end of {id} cannot be recorded: {error}; the next command records it"
        )),
    }
}

/// Starts the command. With `--json` its stdout goes to stderr, because stdout holds one object.
fn spawn_run(
    context: &CommandContext,
    orchestrator: &Orchestrator,
    command: &[OsString],
) -> CommandResult<std::process::Child> {
    let mut environment = vec![
        ("TRUEUP_ORCHESTRATOR_ID", orchestrator.id.as_str()),
        ("TRUEUP_PLAN", orchestrator.plan.as_str()),
    ];
    environment.extend(orchestrator.session.as_ref().map(|id| ("TRUEUP_SESSION_ID", id.as_str())));
    let stdout = context.json.then(|| Stdio::from(io::stderr()));
    let lock = context.store_location()?.run_lock(&context.run.settings.paths, &orchestrator.plan);
    Ok(spawn_guarded(command, &lock, &environment, stdout)?)
}

/// Builds an output that ends as the command did.
fn build_output(orchestrator: &Orchestrator, end: RunEnd) -> Output {
    let data = json!({
        "orchestrator": OrchestratorView::from(orchestrator),
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

/// Prints a line on stderr, beside the output of the command.
fn print_beside_command(line: &str) {
    print_status(&format!("trueup: {}", one_line(line, MAX_LINE_CHARS)));
}

/// Heartbeats while the command runs.
struct Heartbeat<'r> {
    location: &'r StoreLocation<'r>,
    id: &'r OrchestratorId,
    /// Whether a warning was printed.
    has_warned: bool,
}

impl<'r> Heartbeat<'r> {
    const fn new(location: &'r StoreLocation<'r>, id: &'r OrchestratorId) -> Self {
        Self { location, id, has_warned: false }
    }

    fn beat(&mut self) -> Control {
        match self.renew_lease() {
            Ok(row) if row.status == OrchestratorStatus::Stopping => Control::Stop,
            Ok(_) => Control::Continue,
            // Another orchestrator may have the plan by now, and a plan has only one.
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

    fn renew_lease(&self) -> StoreResult<Orchestrator> {
        self.location
            .open(Deadline::after(HEARTBEAT_PATIENCE))?
            .record_orchestrator_heartbeat(self.id)
    }

    /// Prints a warning once, because the problem may last as long as the command.
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
    use trueup_core::store::sqlite::SqliteStore;
    use trueup_core::store::{NewRun, OrchestratorStore as _, StuckWorkStore as _};

    /// A database with one run of plan `P`, and its id.
    fn registered(folder: &Path) -> (SqliteStore, std::path::PathBuf, OrchestratorId) {
        let path = folder.join("t.db");
        let mut store = SqliteStore::open_or_create(&path, Deadline::after(LONG)).unwrap();
        let run = NewRun {
            id: "orch-1".parse().unwrap(),
            plan: "P".parse().unwrap(),
            session: None,
            host: "h".to_owned(),
            process: ProcessId { pid: 1, started: None, place: ProcessPlace::default() },
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
        let location = StoreLocation::SqliteFile(&path);
        let mut pulse = Heartbeat::new(&location, &id);
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
        let location = StoreLocation::SqliteFile(&path);
        let mut pulse = Heartbeat::new(&location, &id);
        assert_eq!(pulse.beat(), Control::Stop);
        assert!(pulse.has_warned);
    }

    #[test]
    fn a_pulse_without_a_database_goes_on_and_tells_once() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path, id) = registered(folder.path());
        let (away, location) = (folder.path().join("away"), StoreLocation::SqliteFile(&path));
        let mut pulse = Heartbeat::new(&location, &id);
        std::fs::rename(&path, &away).unwrap();
        assert_eq!((pulse.beat(), pulse.beat()), (Control::Continue, Control::Continue));
        assert!(pulse.has_warned);
        std::fs::rename(&away, &path).unwrap();
        assert_eq!(pulse.beat(), Control::Continue);
    }
}
