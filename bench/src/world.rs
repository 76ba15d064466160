//! A scratch installation of a given size: database, repositories, caches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::binaries::{Binaries, command_output};
use crate::measure::{self, Task};
use crate::{BenchError, seed};

/// How much a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) items: u32,
    pub(crate) sessions: u32,
}

/// A session of the benchmark, alone in its own repository.
#[derive(Debug)]
pub(crate) struct SessionPlace {
    /// Its id; its directory has the same name.
    pub(crate) session: &'static str,
    /// The repository.
    pub(crate) dir: PathBuf,
    /// Its cache.
    pub(crate) cache: PathBuf,
    /// The cache's content before the database changed.
    pub(crate) stale: Vec<u8>,
}

/// The session whose cache is in step.
pub(crate) const IN_STEP_SESSION: &str = "bench-calm";
/// The session whose cache is behind the database.
pub(crate) const STALE_SESSION: &str = "bench-drifted";
/// The session that changes its task.
pub(crate) const WORKING_SESSION: &str = "bench-busy";
/// The sessions measured.
pub(crate) const MEASURED_SESSIONS: [&str; 3] = [IN_STEP_SESSION, STALE_SESSION, WORKING_SESSION];

/// The scratch installation.
#[derive(Debug)]
pub(crate) struct Installation {
    /// How much it holds.
    pub(crate) size: Size,
    folder: TempDir,
    places: Vec<SessionPlace>,
}

impl Installation {
    /// Creates an installation with the real hook, so that database and caches agree.
    pub(crate) fn create(binaries: &Binaries, size: Size) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("trueup-bench-").tempdir()?;
        // The hooks compare paths, and the temporary directory may be a link.
        let root = folder.path().canonicalize()?;
        let mut world = Self { size, folder, places: Vec::new() };
        for session in MEASURED_SESSIONS {
            let dir = root.join(session);
            fs::create_dir(&dir)?;
            init_repository(&dir)?;
            let cache = dir.join(".claude").join("auto-proceed-state.json");
            world.places.push(SessionPlace { session, dir, cache, stale: Vec::new() });
        }
        for session in MEASURED_SESSIONS {
            world.start_session(binaries, session)?;
        }
        seed::fill_database(&world.database(), size, &root)?;
        for session in MEASURED_SESSIONS {
            world.start_session(binaries, session)?;
        }
        seed::advance_database(&world.database(), STALE_SESSION)?;
        for place in &mut world.places {
            place.stale = fs::read(&place.cache)?;
        }
        Ok(world)
    }

    /// Returns the scratch directory.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.home().join("trueup.db")
    }

    fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// Returns the place of a measured session.
    pub(crate) fn find_place(&self, session: &str) -> Result<&SessionPlace, BenchError> {
        let found = self.places.iter().find(|place| place.session == session);
        found.ok_or_else(|| format!("{session} is no session measured").into())
    }

    /// Builds a hook call with the environment that a client gives it.
    pub(crate) fn build_hook_task(
        &self,
        program: PathBuf,
        session: &str,
        event: &str,
        more: &Json,
    ) -> Result<Task, BenchError> {
        let place = self.find_place(session)?;
        let mut payload = json!({
            "session_id": session,
            "transcript_path": place.dir.join("transcript.jsonl"),
            "cwd": place.dir,
            "permission_mode": "default",
            "hook_event_name": event,
        });
        if let (Some(payload), Some(more)) = (payload.as_object_mut(), more.as_object()) {
            payload.extend(more.clone());
        }
        let mut task = Task::new(program, place.dir.clone(), payload.to_string().into_bytes());
        task.set("TRUEUP_HOME", self.home());
        task.set("HOME", self.root());
        task.set("CLAUDE_PROJECT_DIR", &place.dir);
        task.set("CLAUDE_PID", std::process::id().to_string());
        // On a slow machine the deadline must not cut the work short.
        task.set("TRUEUP_DEADLINE_MS", "60000");
        if event == "SessionStart" {
            task.set("CLAUDE_ENV_FILE", self.root().join("env"));
        }
        Ok(task)
    }

    /// Starts a session as the client does; afterwards its cache is in step.
    fn start_session(&self, binaries: &Binaries, session: &str) -> Result<(), BenchError> {
        let program = binaries.path("session-start-sync");
        let task =
            self.build_hook_task(program, session, "SessionStart", &json!({"source": "startup"}))?;
        measure::wall_time(&task).map(|_| ())
    }
}

fn init_repository(dir: &Path) -> Result<(), BenchError> {
    let mut git = Command::new("git");
    git.args(["-c", "init.defaultBranch=main", "init", "-q"]).current_dir(dir);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    command_output(&mut git).map(|_| ())
}
