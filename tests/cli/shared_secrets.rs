//! No command shows or keeps a credential of a shared database, whether it works or not.

use std::fs;

use support::files::find_files_with;
use support::home::{FIRST_SESSION, Home, ProcessOutput, skip_over_postgres};
use support::postgres::TestDatabase;

use crate::help::COMMANDS;

/// What every password, key and token here contains.
const SECRET: &str = "s3cret";

/// A line for each command, in an order in which most of them work.
const LINES: &[&str] = &[
    "repo add . --slug app",
    "repo list",
    "init",
    "prime",
    "item add SD-1 --title one",
    "item add SD-2 --title two",
    "item depend SD-2 --on SD-1",
    "item list",
    "item show SD-1",
    "item edit SD-1 --title other",
    "next",
    "ready",
    "search other",
    "claim SD-1",
    "set --phase EXEC --task this",
    "status",
    "interrupt",
    "resume",
    "blame SD-1",
    "queue add SD-1 --phases plan,build",
    "queue list",
    "queue next",
    "queue start SD-1:1",
    "queue fail SD-1:1 --error broken",
    "queue reopen SD-1:1 --reason again",
    "queue start SD-1:1",
    "queue complete SD-1:1",
    "queue block SD-1:2 --reason wait",
    "queue cancel SD-1:2 --reason over",
    "queue remove SD-1:2",
    "handoff create PLAN-TO-EXEC --summary text",
    "handoff list",
    "handoff show h-0000000000",
    "handoff accept h-0000000000",
    "handoff reject h-0000000000 --reason no",
    "release --reason done",
    "item transition SD-1 completed",
    "item reopen SD-1 --reason again",
    "item remove SD-2 --reason unneeded",
    "item import issues.jsonl",
    "export work.jsonl",
    "clear",
    "sessions list",
    "sessions show 0a1b2c3d-0000-4000-8000-000000000001",
    "sessions sweep",
    "plan import plan.md",
    "plan list",
    "plan status",
    "plan next",
    "plan start 1.1",
    "plan fail 1.1 --error broken",
    "plan retry 1.1",
    "plan start 1.1",
    "plan complete 1.1",
    "plan reopen 1.1 --reason again",
    "plan skip 1.2 --reason unneeded",
    "plan validate",
    "plan export",
    "orchestrator start plan -- true",
    "orchestrator register plan",
    "orchestrator list",
    "orchestrator heartbeat plan",
    "orchestrator stop plan",
    "plan remove plan",
    "ports reserve one",
    "ports list",
    "ports release one",
    "ports sweep",
    "state sync app",
    "state pull",
    "state show",
    "repo remove app",
    "log --limit 0",
    "journal list",
    "journal show j-0",
    "journal restore j-0",
    "journal drop j-0 --yes",
    "outbox list",
    "outbox drain",
    "outbox drop op-0 --yes",
    "outbox retry op-0",
    "pull",
    "top",
    "check",
    "check --fix",
    "meta set 77c90e61 status x",
    "meta get 77c90e61",
    "meta check",
    "meta fix",
    "db status",
    "db migrate",
    "db schema",
    "db prune --dry-run",
    "db export copy.jsonl",
    "db import copy.jsonl",
    "db backup copy.db",
    "db restore copy.db",
    "doctor",
    "demo",
    "mcp",
    "statusline",
    "completions bash",
    "help claims",
    "install --dry-run",
    "uninstall --dry-run",
    "upgrade",
    "leftovers",
    "handoff",
    "item",
    "journal",
    "meta",
    "orchestrator",
    "outbox",
    "plan",
    "ports",
    "queue",
    "repo",
    "sessions",
    "state",
    "db",
];

/// Commands that run until they are ended.
const ENDLESS: &[&[&str]] = &[&["plan", "watch"]];

/// The deadline of commands that wait for a server in vain, in milliseconds.
const SHORT_DEADLINE_MS: &str = "200";

/// The deadline of commands whose server answers, in milliseconds.
const LONG_DEADLINE_MS: &str = "60000";

/// A scratch with a session, a repository and a plan, whose database is at a URL.
struct Scene {
    home: Home,
    url: String,
    deadline_ms: &'static str,
}

impl Scene {
    fn new(url: String, deadline_ms: &'static str) -> Self {
        let home = Home::new();
        fs::write(
            home.project_dir().join("plan.md"),
            "# Plan\n\n## Phase 1: All\n\n- [ ] 1.1 One\n- [ ] 1.2 Two\n",
        )
        .unwrap();
        let issue = r#"{"id":"BD-1","title":"Found","status":"open"}"#;
        fs::write(home.project_dir().join("issues.jsonl"), issue).unwrap();
        Self { home, url, deadline_ms }
    }

    fn run(&self, program: &str, arguments: &[&str], stdin: Vec<u8>) -> ProcessOutput {
        self.home
            .prepare_run(program)
            .env("TRUEUP_DATABASE_URL", &self.url)
            .env("TRUEUP_DEADLINE_MS", self.deadline_ms)
            .env("TRUEUP_API_KEY", "s3cret-k")
            .env("TRUEUP_API_TOKEN", "s3cret-t")
            .env("PGPASSWORD", "s3cret-e")
            .env("TRUEUP_LOG", "debug")
            .args(arguments)
            .stdin(stdin)
            .wait()
    }

    /// Runs everything, for people and for scripts, and looks for credentials.
    fn check_all(&self) {
        let start = self.home.payload("session-start.startup").to_bytes();
        check_output("a session start", &self.run("session-start-sync", &[], start));
        for line in LINES {
            let words: Vec<&str> = line.split(' ').collect();
            check_output(line, &self.run("trueup", &words, Vec::new()));
            let json = [&["--json"], &words[..]].concat();
            check_output(line, &self.run("trueup", &json, Vec::new()));
        }
        let validate = ["--fix", "--session", FIRST_SESSION];
        check_output("validate", &self.run("validate-session-state", &validate, Vec::new()));
        let push = self.home.payload("post-tool-use.bash").to_bytes();
        check_output("a push", &self.run("checkpoint-push", &[], push));
        let end = self.home.payload("session-end.other").to_bytes();
        check_output("a session end", &self.run("checkpoint-push", &[], end));
        for dir in [self.home.trueup_home(), self.home.project_dir().to_owned()] {
            assert_eq!(find_files_with(&dir, SECRET), [""; 0]);
        }
    }
}

fn check_output(line: &str, output: &ProcessOutput) {
    let shown = format!("{}{}", output.stdout, output.stderr);
    assert!(!shown.contains(SECRET), "{line}: {shown}");
}

#[test]
fn every_command_has_a_line() {
    for command in COMMANDS {
        let has_line = LINES.iter().any(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            words.starts_with(command)
        });
        assert!(has_line || ENDLESS.contains(command), "{command:?}");
    }
}

#[test]
fn commands_that_fail_show_no_credential() {
    if skip_over_postgres("each URL is the test's own") {
        return;
    }
    // Nothing listens on port 1.
    for url in [
        "postgres://agent:s3cret-p@127.0.0.1:1/work?application_name=s3cret-n",
        "https://127.0.0.1:1/s3cret/path?via=supabase",
        "postgres://agent:s3cret-p@127.0.0.1:1/work?unknown=s3cret-o",
    ] {
        Scene::new(url.to_owned(), SHORT_DEADLINE_MS).check_all();
    }
}

#[test]
fn commands_that_work_show_and_keep_no_credential() {
    if skip_over_postgres("the URL is the test's own") {
        return;
    }
    let Some(database) = TestDatabase::create() else { return };
    // A server of the tests takes any password, so this one is a secret that works.
    let url = database.client_url().replace(":test@", ":s3cret-p@");
    let scene = Scene::new(url, LONG_DEADLINE_MS);
    scene.check_all();
    let sql = "SELECT count(*), count(*) FILTER (WHERE event::text LIKE '%s3cret%')
         FROM trueup.events AS event";
    let counts = database.run(sql).unwrap();
    let (all, with_secret) = counts.split_once('|').unwrap();
    assert!(all.parse::<u32>().unwrap() > 40, "most commands work: {counts}");
    assert_eq!(with_secret, "0");
}
