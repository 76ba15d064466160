//! A scratch installation of a given size: database, repositories, caches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::binaries::{Binaries, answer};
use crate::measure::{self, Task};
use crate::{Failure, seed};

/// How much a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) items: u32,
    pub(crate) sessions: u32,
}

/// A session of the benchmark, alone in its own repository.
#[derive(Debug)]
pub(crate) struct Place {
    /// Its id; its directory has the same name.
    pub(crate) session: &'static str,
    /// The repository.
    pub(crate) dir: PathBuf,
    /// Its cache.
    pub(crate) cache: PathBuf,
    /// What the cache held before the database moved on.
    pub(crate) stale: Vec<u8>,
}

/// The session whose cache is in step.
pub(crate) const CALM: &str = "bench-calm";
/// The session whose cache is behind the database.
pub(crate) const DRIFTED: &str = "bench-drifted";
/// The session that changes its task.
pub(crate) const BUSY: &str = "bench-busy";
/// The sessions measured.
pub(crate) const MEASURED: [&str; 3] = [CALM, DRIFTED, BUSY];

/// The scratch installation.
#[derive(Debug)]
pub(crate) struct World {
    /// How much it holds.
    pub(crate) size: Size,
    folder: TempDir,
    places: Vec<Place>,
}

impl World {
    /// Makes one: the real hook creates the database, and then truth and caches agree.
    pub(crate) fn make(binaries: &Binaries, size: Size) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("trueup-bench-").tempdir()?;
        // The hooks compare paths; a temporary directory may be a link.
        let root = folder.path().canonicalize()?;
        let mut world = Self {
            size,
            folder,
            places: Vec::new(),
        };
        for session in MEASURED {
            let dir = root.join(session);
            fs::create_dir(&dir)?;
            repository(&dir)?;
            let cache = dir.join(".claude").join("auto-proceed-state.json");
            world.places.push(Place {
                session,
                dir,
                cache,
                stale: Vec::new(),
            });
        }
        for session in MEASURED {
            world.start(binaries, session)?;
        }
        seed::fill(&world.database(), size, &root)?;
        for session in MEASURED {
            world.start(binaries, session)?;
        }
        seed::move_on(&world.database(), DRIFTED)?;
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
    pub(crate) fn place(&self, session: &str) -> Result<&Place, Failure> {
        let found = self.places.iter().find(|place| place.session == session);
        found.ok_or_else(|| format!("{session} is no session measured").into())
    }

    /// Makes a call of a hook, with the environment a client gives it.
    pub(crate) fn call(
        &self,
        program: PathBuf,
        session: &str,
        event: &str,
        more: &Json,
    ) -> Result<Task, Failure> {
        let place = self.place(session)?;
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
        // A slow machine must measure slow, not cut the work short.
        task.set("TRUEUP_DEADLINE_MS", "60000");
        if event == "SessionStart" {
            task.set("CLAUDE_ENV_FILE", self.root().join("env"));
        }
        Ok(task)
    }

    /// Starts a session as the client does; afterwards its cache is in step.
    fn start(&self, binaries: &Binaries, session: &str) -> Result<(), Failure> {
        let program = binaries.path("session-start-sync");
        let task = self.call(
            program,
            session,
            "SessionStart",
            &json!({"source": "startup"}),
        )?;
        measure::wall(&task).map(|_| ())
    }
}

fn repository(dir: &Path) -> Result<(), Failure> {
    let mut git = Command::new("git");
    git.args(["-c", "init.defaultBranch=main", "init", "-q"])
        .current_dir(dir);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    answer(&mut git).map(|_| ())
}
