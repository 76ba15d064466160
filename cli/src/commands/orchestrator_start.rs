//! `trueup orchestrator start`: a command as the only orchestrator of a plan.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::liveness::identify;
use trueup_core::model::{Orchestrator, OrchestratorId, OrchestratorStatus, RunEnd};
use trueup_core::orchestrators::{interrupted, vitality};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{OrchestratorStore as _, Provenance, Result as Stored, StoreError};
use trueup_core::text::one_line;

use super::orchestrator::{begun, begun_before, refused};
use super::plan::by_name;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::{Answer, say};
use crate::supervise::{EVERY, Signals, Told, name_of, spawn, supervise};

/// How long a sign of life waits for the database. Signals wait as long, so it is short; the
/// next one comes soon.
const BEAT_PATIENCE: Duration = Duration::from_secs(1);

/// Longest line told while the command runs, in characters.
const LONGEST: usize = 1_000;

pub(super) fn run(desk: &Desk, plan: &str, command: &[OsString]) -> Result<Answer, Failure> {
    // Before the run is recorded: from now on no signal ends this process before its run.
    let mut signals = Signals::watch()?;
    let mut store = desk.open_for_change()?;
    let plan = by_name(desk, &mut store, plan)?;
    if let Some(row) = begun_before(desk, &mut store, &plan)?
        && !row.status.is_live()
    {
        return Ok(answer(&row, row.end));
    }
    let actor = desk.actor(&mut store)?;
    let row = begun(desk, &mut store, plan, std::process::id(), true)?;
    if row.process != identify(std::process::id()) {
        // Under one operation id two started at once, and the other runs.
        return Err(refused(&row, &vitality(&row, &desk.site)));
    }
    drop(store);
    let database = desk.database()?;
    let end = |end: RunEnd, reason: &str| {
        let mut store = SqliteStore::open(database, Deadline::after(desk.patience()))?;
        store.stop_orchestrator(&row.id, end, &Provenance::new(&actor, reason))
    };
    let mut pulse = Pulse::new(database, &row.id);
    tell(&format!(
        "{} now runs plan {} (epoch {})",
        row.id, row.plan, row.epoch
    ));
    let status = spawned(desk, &row, command)
        .and_then(|mut child| Ok(supervise(&mut child, &mut signals, EVERY, || pulse.beat())?));
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            // The reason is the answer; a row that stays is cleared by the next command.
            let _ = end(RunEnd::default(), &error.message);
            return Err(error);
        }
    };
    let how = RunEnd {
        exit_code: status.code(),
        signal: status.signal(),
    };
    let mut answer = answer(&row, how);
    match end(how, &words(how)) {
        Ok(ended) => {
            let names = ended.interrupted();
            if let Some(line) = interrupted(&names) {
                tell(&line);
            }
            answer.data["orchestrator"] = json::orchestrator(&ended.orchestrator);
            answer.data["interrupted"] = json!(names);
        }
        // Somebody ended the run meanwhile, and the pulse has told so.
        Err(StoreError::Conflict(_)) => {}
        Err(error) => answer.warnings.push(format!(
            "the end of {} cannot be recorded: {error}; the next command records it",
            row.id
        )),
    }
    Ok(answer)
}

/// Starts the command. With `--json` its stdout goes to stderr: stdout holds one object.
fn spawned(
    desk: &Desk,
    row: &Orchestrator,
    command: &[OsString],
) -> Result<std::process::Child, Failure> {
    let mut environment = vec![
        ("TRUEUP_ORCHESTRATOR_ID", row.id.as_str()),
        ("TRUEUP_PLAN", row.plan.as_str()),
    ];
    environment.extend(
        row.session
            .as_ref()
            .map(|id| ("TRUEUP_SESSION_ID", id.as_str())),
    );
    let stdout = desk.json.then(|| Stdio::from(io::stderr()));
    // One for each plan of each database.
    let run = desk.database()?.join(row.plan.as_str());
    let lock = desk.site.settings.paths.lock_of(&run);
    Ok(spawn(command, &lock, &environment, stdout)?)
}

/// Passes on how the command ended.
fn answer(row: &Orchestrator, end: RunEnd) -> Answer {
    let data = json!({
        "orchestrator": json::orchestrator(row),
        "exit_code": end.exit_code,
        "signal": end.signal,
        "interrupted": [],
    });
    let code = end.exit_code.and_then(|code| u8::try_from(code).ok());
    Answer {
        exit: code.unwrap_or(u8::MAX),
        signal: end.signal,
        ..Answer::new(Vec::new(), data)
    }
}

fn words(end: RunEnd) -> String {
    match (end.exit_code, end.signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by {}", name_of(signal)),
        (None, None) => "ended".to_owned(),
    }
}

/// Says something beside the command's own output.
fn tell(line: &str) {
    say(&format!("trueup: {}", one_line(line, LONGEST)));
}

/// Signs of life while the command runs.
struct Pulse<'r> {
    database: &'r Path,
    id: &'r OrchestratorId,
    /// Whether trouble with the database was told already.
    told: bool,
}

impl<'r> Pulse<'r> {
    const fn new(database: &'r Path, id: &'r OrchestratorId) -> Self {
        Self {
            database,
            id,
            told: false,
        }
    }

    fn beat(&mut self) -> Told {
        match self.renewed() {
            Ok(row) if row.status == OrchestratorStatus::Stopping => Told::Stop,
            Ok(_) => Told::GoOn,
            // The plan may be another's by now, and one plan has one orchestrator.
            Err(error @ StoreError::Conflict(_)) => {
                self.warn(&error, "the command is asked to stop");
                Told::Stop
            }
            Err(error) => {
                self.warn(&error, "the command keeps running");
                Told::GoOn
            }
        }
    }

    fn renewed(&self) -> Stored<Orchestrator> {
        SqliteStore::open(self.database, Deadline::after(BEAT_PATIENCE))?.beat_orchestrator(self.id)
    }

    /// Tells of trouble once: it may well last as long as the command.
    fn warn(&mut self, error: &StoreError, what: &str) {
        if !std::mem::replace(&mut self.told, true) {
            tell(&format!("the heartbeat failed: {error}; {what}"));
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
        let mut pulse = Pulse::new(&path, &id);
        assert_eq!(pulse.beat(), Told::GoOn);
        let by = Provenance::new("user", "");
        store.tell_orchestrator_to_stop(&id, &by).unwrap();
        assert_eq!(pulse.beat(), Told::Stop);
        assert!(!pulse.told, "that is no trouble");
    }

    #[test]
    fn a_pulse_that_was_taken_for_dead_leaves_the_plan_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, path, id) = registered(folder.path());
        let row = store.orchestrator(&id).unwrap().unwrap();
        let by = Provenance::new("user", "");
        store.crash_orchestrator(&row, &by).unwrap();
        let mut pulse = Pulse::new(&path, &id);
        assert_eq!(pulse.beat(), Told::Stop);
        assert!(pulse.told);
    }

    #[test]
    fn a_pulse_without_a_database_goes_on_and_tells_once() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path, id) = registered(folder.path());
        let (away, mut pulse) = (folder.path().join("away"), Pulse::new(&path, &id));
        std::fs::rename(&path, &away).unwrap();
        assert_eq!((pulse.beat(), pulse.beat()), (Told::GoOn, Told::GoOn));
        assert!(pulse.told);
        std::fs::rename(&away, &path).unwrap();
        assert_eq!(pulse.beat(), Told::GoOn);
    }
}
