//! The scratch in which a page is played: a home, a repository, sessions, and a shell.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use serde_json::{Value, json};
use support::client::find_binary;
use support::home::{Bystander, spawn_bystander};
use tempfile::TempDir;

use super::page::join_lines;

/// The home directory as pages show it.
const SHOWN_HOME: &str = "/home/ann";

/// The machine as pages show it.
const SHOWN_HOST: &str = "laptop";

/// Where a hub listens, as pages show it.
const SHOWN_HUB: &str = "127.0.0.1:7717";

/// The ids of sessions that pages name.
const SESSION_IDS: [(&str, &str); 3] = [
    ("ann", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    ("ben", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
    ("cleo", "3d813cbb-47fb-42ba-91df-831e1593ac29"),
];

/// A scratch with sessions.
#[derive(Debug)]
pub(crate) struct Scene {
    dir: TempDir,
    /// Where the next command runs.
    current_dir: PathBuf,
    /// The session that the next command is of; empty for none.
    session: String,
    /// The client of each session.
    clients: BTreeMap<String, Bystander>,
    /// What the last hook said.
    said: String,
    /// Commands that run beside the others and are ended with the scene.
    servers: Vec<Child>,
    /// The name of this machine.
    host: String,
    /// Where the hub of this scratch listens; empty for none.
    hub: String,
}

impl Scene {
    /// Makes a scratch with the repository `~/src/shop`, in which the first command runs.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("trueup-").tempdir().unwrap();
        let mut scene = Self {
            current_dir: dir.path().canonicalize().unwrap(),
            dir,
            session: String::new(),
            clients: BTreeMap::new(),
            said: String::new(),
            servers: Vec::new(),
            host: host_name(),
            hub: String::new(),
        };
        let home = scene.home();
        fs::create_dir_all(home.join("src")).unwrap();
        for name in ["name Ann", "email ann@example.com"] {
            scene.set_up(&format!("git config --global user.{name}"));
        }
        scene.set_up("git config --global init.defaultBranch main");
        scene.set_up("git init --quiet ~/src/shop");
        scene.current_dir = home.join("src/shop");
        scene.set_up("git commit --quiet --allow-empty --message first");
        scene
    }

    fn home(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("home")
    }

    /// The data directory is where it would be without `TRUEUP_HOME`, so that pages show that place.
    fn trueup_home(&self) -> PathBuf {
        self.home().join(".local/share/trueup")
    }

    /// Goes to a directory, such as `~/src/shop`.
    pub(crate) fn enter(&mut self, dir: &str) {
        let dir = match dir.strip_prefix("~/") {
            Some(below) => self.home().join(below),
            None => self.current_dir.join(dir),
        };
        self.current_dir = dir.canonicalize().unwrap_or_else(|_| panic!("no {}", dir.display()));
    }

    /// Goes on as a session, which is started in the current directory if it is new; as nobody for
    /// an unknown name.
    pub(crate) fn act_as(&mut self, name: &str) {
        name.clone_into(&mut self.session);
        if session_id(name).is_some() && !self.clients.contains_key(name) {
            self.clients.insert(name.to_owned(), spawn_bystander());
            self.run_hook("session-start-sync", "SessionStart", json!({"source": "startup"}));
        }
    }

    /// Does what the client does at `/clear`: the session ends, and another one goes on in its process.
    pub(crate) fn clear_into(&mut self, name: &str) {
        self.run_hook("checkpoint-push", "SessionEnd", json!({"reason": "clear"}));
        let client = self.clients.remove(&self.session).expect("the session has a client");
        self.clients.insert(name.to_owned(), client);
        name.clone_into(&mut self.session);
        self.run_hook("session-start-sync", "SessionStart", json!({"source": "clear"}));
    }

    /// Ends a session's client without a word, and lets its lease run out.
    pub(crate) fn crash(&mut self, name: &str) {
        drop(self.clients.remove(name));
        self.let_lease_expire(name, 3600);
    }

    /// Makes a session silent for so many seconds.
    pub(crate) fn let_lease_expire(&self, name: &str, seconds: u32) {
        let connection = Connection::open(self.trueup_home().join("trueup.db")).unwrap();
        let sql = "UPDATE claude_sessions SET
                       heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2),
                       lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 second')
                   WHERE session_id = ?1";
        let id = session_id(name).unwrap();
        assert_eq!(connection.execute(sql, (id, format!("-{seconds} seconds"))).unwrap(), 1);
    }

    /// Runs a hook of the session; what it says is kept.
    pub(crate) fn run_hook(&mut self, program: &str, event: &str, fields: Value) {
        let mut payload = json!({
            "session_id": session_id(&self.session).expect("a hook runs in a session"),
            "cwd": self.current_dir,
            "hook_event_name": event,
            "permission_mode": "default",
        });
        if let (Some(all), Value::Object(more)) = (payload.as_object_mut(), fields) {
            all.extend(more);
        }
        let mut command = self.command(&find_binary(program).unwrap());
        command.env_remove("TRUEUP_SESSION_ID");
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
        self.said = self.as_shown(&spoken_text(&answer));
    }

    /// Returns what the last hook said.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Writes a file below the current directory.
    pub(crate) fn write_file(&self, path: &str, text: &str) {
        let path = self.current_dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file below the current directory, as pages show it.
    pub(crate) fn read_file(&self, path: &str) -> String {
        let path = self.current_dir.join(path);
        let text = fs::read_to_string(&path);
        self.as_shown(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Runs lines of shell that have to succeed.
    #[track_caller]
    pub(crate) fn set_up(&self, script: &str) {
        let (code, output) = self.run_shell(&format!("set -e\n{script}"));
        assert_eq!(code, Some(0), "{script}\n{output}");
    }

    /// Runs lines of shell; returns the exit code, and both outputs as pages show them.
    pub(crate) fn run_shell(&self, script: &str) -> (Option<i32>, String) {
        let mut command = self.command(Path::new("sh"));
        command.args(["-c", &format!("exec 2>&1\n{}", self.as_run(script))]).stdin(Stdio::null());
        let output = command.output().unwrap();
        (output.status.code(), self.as_shown(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Starts a server that runs beside the commands, on a port that is free, and waits until it says
    /// where it listens.
    pub(crate) fn start_server(&mut self, script: &str) {
        let mut command = self.command(Path::new("sh"));
        let script = script.replace(SHOWN_HUB, "127.0.0.1:0");
        command.args(["-c", &format!("exec {script}")]).stdin(Stdio::null());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        self.servers.push(child);
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
        self.hub = address.map_or_else(|| panic!("{script} said {line:?}"), str::to_owned);
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", self.home())
            .env("USER", "ann")
            .env("TRUEUP_HOME", self.trueup_home())
            // The machine may be slow.
            .env("TRUEUP_DEADLINE_MS", "60000")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(&self.current_dir)
            .stdout(Stdio::piped());
        if let Some(id) = session_id(&self.session) {
            command.env("TRUEUP_SESSION_ID", id);
        }
        if let Some(client) = self.clients.get(&self.session) {
            command.env("CLAUDE_PID", client.pid());
        }
        command
    }

    /// Replaces what pages show by what is free on this machine.
    fn as_run(&self, script: &str) -> String {
        match self.hub.as_str() {
            "" => script.to_owned(),
            hub => script.replace(SHOWN_HUB, hub),
        }
    }

    /// Replaces what is of this machine by what pages show.
    fn as_shown(&self, text: &str) -> String {
        let text = match self.hub.as_str() {
            "" => text.to_owned(),
            hub => text.replace(hub, SHOWN_HUB),
        };
        let text = text.replace(&*self.home().to_string_lossy(), SHOWN_HOME);
        let text = format!("{}\n", text.trim_end_matches('\n'));
        let text = text.replace(&format!(" on {}", self.host), &format!(" on {SHOWN_HOST}"));
        // In a table the name is the last of a row, or stands between two columns.
        let text = text.replace(&format!("  {}\n", self.host), &format!("  {SHOWN_HOST}\n"));
        let text = text.replace(&format!("  {}  ", self.host), &format!("  {SHOWN_HOST}  "));
        join_lines(text.lines().map(str::trim_end))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn session_id(name: &str) -> Option<&'static str> {
    SESSION_IDS.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Returns a search path with the built programs first.
fn search_path() -> OsString {
    let built = find_binary("trueup").unwrap();
    let mut path = built.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// Returns what the answer of a hook says: to the agent, else to the user.
fn spoken_text(answer: &Value) -> String {
    let specific = &answer["hookSpecificOutput"];
    let places = [
        &specific["permissionDecisionReason"],
        &specific["additionalContext"],
        &answer["reason"],
        &answer["systemMessage"],
    ];
    let text = places.iter().find_map(|place| place.as_str()).unwrap_or_default();
    format!("{text}\n")
}

fn host_name() -> String {
    let output = Command::new("uname").arg("-n").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
