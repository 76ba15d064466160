//! A scratch in which commands run in a shell, as a person or an agent runs them.

use std::any::Any;
use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use support::client::find_binary;
use support::home::{
    Bystander, FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION, spawn_bystander,
};

use crate::fixture::{SYNC, create_database, second};

/// The scratch, and the processes that must live as long as it.
pub(super) struct Scene {
    pub(super) home: Home,
    kept: RefCell<Vec<Box<dyn Any>>>,
}

impl std::panic::UnwindSafe for Scene {}

impl Scene {
    /// Makes a scratch without a database.
    pub(super) fn new() -> Self {
        let kept = RefCell::default();
        let home = Home::new();
        Self { home, kept }
    }

    /// Makes one with [`SESSION`] registered.
    pub(super) fn started() -> Self {
        let scene = Self::new();
        scene.start();
        scene
    }

    /// Registers the first session, for which commands act from then on.
    pub(super) fn start(&self) {
        self.home.start_session().ok();
    }

    /// Creates the database without a session, so commands act for a person.
    pub(super) fn person(&self) {
        create_database(&self.home);
    }

    /// Registers [`SECOND`].
    pub(super) fn second(&self, process: Option<&Bystander>) {
        second(&self.home, process);
    }

    /// Registers [`SECOND`], whose process lives as long as the scene.
    pub(super) fn second_alive(&self) {
        let process = spawn_bystander();
        self.second(Some(&process));
        self.keep(process);
    }

    /// Keeps something until the scene is over.
    pub(super) fn keep(&self, thing: impl Any) {
        self.kept.borrow_mut().push(Box::new(thing));
    }

    /// Writes a file of the project.
    pub(super) fn write(&self, name: &str, content: &str) {
        let path = self.home.project_dir().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Runs a command, which must succeed.
    #[track_caller]
    pub(super) fn sh(&self, command: &str) -> ProcessOutput {
        let output = self.shell(command);
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
        output
    }

    /// Runs a command and returns its output, whatever its exit code.
    pub(super) fn shell(&self, command: &str) -> ProcessOutput {
        let binaries: PathBuf = find_binary("trueup").unwrap().parent().unwrap().to_owned();
        let own = self.home.user_home().join("bin");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .current_dir(self.home.project_dir())
            .env_clear()
            .env("TRUEUP_DEADLINE_MS", "60000")
            .env("CLAUDE_PID", std::process::id().to_string())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("PATH", format!("{}:{}:{path}", own.display(), binaries.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.home.set_variables(&mut shell);
        ProcessOutput::wait_for(shell.spawn().unwrap())
    }

    /// Puts a client into PATH that takes [`SESSION`] up again as the real one does.
    pub(super) fn install_client(&self) {
        let bin = self.home.user_home().join("bin");
        fs::create_dir_all(&bin).unwrap();
        let payload = bin.join("resume.json");
        fs::write(&payload, self.home.payload("session-start.resume").to_bytes()).unwrap();
        let script = format!(
            "#!/bin/sh\n[ \"$1 $2\" = '--resume {FIRST_SESSION}' ] && exec {SYNC} < '{}'\n",
            payload.display()
        );
        fs::write(bin.join("claude"), script).unwrap();
        fs::set_permissions(bin.join("claude"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Ends [`SESSION`].
    pub(super) fn end(&self) {
        self.home.push_event("session-end.prompt_input_exit").ok();
    }

    /// Lets [`SECOND`] hold an item in the database alone, as after a takeover.
    pub(super) fn lost_to_second(&self, item: &str) {
        self.home.give_item(SECOND_SESSION, item);
    }
}
