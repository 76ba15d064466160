//! Every command works in directories whose path is not UTF-8.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::client::find_binary;

use crate::checks::scene::PLAN;

/// Names that are not UTF-8, and two that look like an escaped one.
const NAME: &[u8] = b"p\xff\xc3(\\xFF";

/// A scratch whose directories have that name.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap() };
        for dir in [place.home(), place.trueup(), place.project()] {
            fs::create_dir_all(dir).unwrap();
        }
        fs::write(
            place.home().join(".gitconfig"),
            "[user]\nname = Ana\nemail = ana@example.org\n[init]\ndefaultBranch = main\n",
        )
        .unwrap();
        let remote = place.path("remote.git");
        place.git(place.root.path(), &["init", "-q", "--bare"], Some(&remote));
        place.git(&place.project(), &["init", "-q"], None);
        place.git(&place.project(), &["commit", "-q", "--allow-empty", "-m", "first"], None);
        place.git(&place.project(), &["remote", "add", "origin"], Some(&remote));
        place.git(&place.project(), &["push", "-q", "-u", "origin", "main"], None);
        place
    }

    fn path(&self, end: &str) -> PathBuf {
        let mut name = OsStr::from_bytes(NAME).to_owned();
        name.push(end);
        self.root.path().join(name)
    }

    fn home(&self) -> PathBuf {
        self.path("home")
    }

    fn trueup(&self) -> PathBuf {
        self.path("data")
    }

    fn project(&self) -> PathBuf {
        self.path("app")
    }

    fn git(&self, dir: &Path, arguments: &[&str], last: Option<&Path>) {
        let output = Command::new("git")
            .args(arguments)
            .args(last)
            .current_dir(dir)
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    fn run(&self, program: &str, arguments: &[OsString], input: &str) -> Output {
        let stdin = self.root.path().join("stdin");
        fs::write(&stdin, input).unwrap();
        Command::new(find_binary(program).unwrap())
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("TRUEUP_HOME", self.trueup())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("CLAUDE_PROJECT_DIR", self.project())
            .stdin(Stdio::from(fs::File::open(stdin).unwrap()))
            .output()
            .unwrap()
    }

    #[track_caller]
    fn trueup_run(&self, code: i32, arguments: &[&str]) -> String {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        self.expect(code, &arguments)
    }

    #[track_caller]
    fn expect(&self, code: i32, arguments: &[OsString]) -> String {
        let output = self.run("trueup", arguments, "");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        // The output is UTF-8.
        String::from_utf8(output.stderr).unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

fn hook(event: &str) -> String {
    serde_json::json!({
        "session_id": support::home::FIRST_SESSION, "hook_event_name": event, "source": "startup",
        "prompt": "go on", "transcript_path": "/nowhere", "cwd": "/",
    })
    .to_string()
}

/// Commands that succeed one after another in such a directory.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["claim", "SD-1", "--create"],
    &["set", "--phase", "EXEC", "--task", "t"],
    &["sessions", "list"],
    &["repo", "add", ".", "--slug", "app"],
    &["repo", "list"],
    &["state", "sync"],
    &["state", "show"],
    &["state", "pull"],
    &["check", "--fix"],
    &["check"],
    &["check", "app"],
    &["check", "--all"],
    &["check", "--format", "github"],
    &["check", "--format", "sarif"],
    &["check", "--sources", "."],
    &["handoff", "create", "PLAN-TO-EXEC", "--summary", "s"],
    &["handoff", "list"],
    &["item", "show", "SD-1"],
    &["queue", "list"],
    &["ports", "list"],
    &["meta", "check"],
    &["log"],
    &["journal", "list"],
    &["db", "status"],
    &["db", "migrate"],
    &["db", "backup", "copy.db"],
    &["db", "restore", "copy.db"],
    &["interrupt"],
    &["resume"],
    &["release"],
    &["statusline"],
    &["top"],
];

#[test]
fn every_command_works_where_paths_are_no_text() {
    let place = Place::new();
    for (program, event) in [
        ("session-start-sync", "SessionStart"),
        ("session-start-sync", "UserPromptSubmit"),
        ("checkpoint-push", "Stop"),
        ("pre-handoff-validate", "Stop"),
    ] {
        let output = place.run(program, &[], &hook(event));
        assert_eq!(output.status.code(), Some(0), "{program} {event}: {output:?}");
        assert!(output.stderr.is_empty(), "{program} {event}: {output:?}");
    }
    fs::create_dir(place.project().join("workplans")).unwrap();
    fs::write(place.project().join("workplans/a.md"), PLAN).unwrap();
    fs::write(place.project().join("STATE.md"), "# State\n\nall well\n").unwrap();
    place.git(&place.project(), &["add", "."], None);
    place.git(&place.project(), &["commit", "-q", "-m", "plans"], None);
    place.git(&place.project(), &["push", "-q"], None);
    for arguments in COMMANDS {
        place.trueup_run(0, arguments);
        let json = [*arguments, &["--json"]].concat();
        if !matches!(
            arguments,
            ["claim" | "release" | "handoff" | "db" | "interrupt" | "resume", ..]
                | [_, "--format", _]
        ) {
            let text = place.trueup_run(0, &json);
            let object: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(object["ok"], true, "{object}");
        }
    }
    assert_paths_are_taken(&place);
    // The printed path can be decoded to the original one.
    let object: Value = serde_json::from_str(&place.trueup_run(0, &["check", "--json"])).unwrap();
    let shown = object["data"]["repos"][0]["path"].as_str().unwrap().to_owned();
    assert!(shown.contains("p\\xFF\\xC3(\\\\xFFapp"), "{shown}");
    place.trueup_run(0, &["check", &shown]);
}

#[track_caller]
fn assert_paths_are_taken(place: &Place) {
    let plan = place.path("plan.md");
    fs::write(&plan, "# Plan\n\n## Phase 1: One\n\n- [ ] 1.1 First\n- [ ] 1.2 Second\n").unwrap();
    let path = |text: &str| OsString::from(text);
    for arguments in [
        vec![path("plan"), path("import"), plan.clone().into()],
        vec![path("plan"), path("status"), plan.clone().into()],
        vec![path("plan"), path("start"), path("1.1"), path("--plan"), plan.clone().into()],
        vec![path("plan"), path("complete"), path("1.1"), path("--plan"), plan.clone().into()],
        vec![path("plan"), path("validate"), plan.clone().into()],
        vec![path("plan"), path("export"), plan.clone().into()],
        vec![path("db"), path("backup"), place.path("copy.db").into()],
        vec![path("db"), path("restore"), place.path("copy.db").into(), path("--json")],
        vec![path("plan"), path("remove"), plan.clone().into()],
        vec![path("check"), place.project().into()],
        vec![path("--project"), place.project().into(), path("status")],
    ] {
        place.expect(0, &arguments);
    }
}

#[test]
fn a_workplan_whose_name_is_no_text_is_reported_and_left_alone() {
    let place = Place::new();
    place.trueup_run(0, &["db", "migrate"]);
    let dir = place.project().join("workplans");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("a.md"), PLAN).unwrap();
    let strange = dir.join(OsStr::from_bytes(b"b\xff.md"));
    let text = PLAN.replace("CUST-WP-0026", "CUST-WP-0027");
    fs::write(&strange, &text).unwrap();
    place.git(&place.project(), &["add", "."], None);
    place.git(&place.project(), &["commit", "-q", "-m", "plans"], None);
    place.git(&place.project(), &["push", "-q"], None);
    let shown = place.trueup_run(1, &["check", "--fix"]);
    assert!(shown.contains("b\\xFF.md") && shown.contains("rename it"), "{shown}");
    assert!(shown.contains("committed"), "{shown}");
    assert_eq!(fs::read_to_string(&strange).unwrap(), text);
}

#[test]
fn a_database_url_is_bytes_too() {
    let place = Place::new();
    let mut url = OsString::from("sqlite:");
    url.push(place.path("own.db"));
    let output = Command::new(find_binary("trueup").unwrap())
        .args(["db", "migrate"])
        .current_dir(place.project())
        .env_clear()
        .env("HOME", place.home())
        .env("TRUEUP_HOME", place.trueup())
        .env("TRUEUP_DATABASE_URL", url)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(place.path("own.db").exists());
}
