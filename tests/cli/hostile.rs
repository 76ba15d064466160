//! Hostile texts: output that contains them must not forge a line, act on a terminal or pass for a
//! command to a CI runner.

use std::fs;

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, ProcessOutput};

use crate::fixture::{data, object, started, trueup, validate};

/// A forged row, a command to a CI runner, and control or invisible characters.
const HOSTILE: &str = "a\u{1b}[31mb\u{202e}c\n::error::forged\r\n  SD-9 forged\u{fe01}\u{e0041}\
    \u{2800}\u{9b}1m\u{34f}\u{200b}\u{1d173}\u{17b4}\u{3164} ##[error]d\u{1b}]0;e";

/// The same, as far as a file name can contain it.
fn name() -> String {
    HOSTILE.replace('/', "").chars().take(60).collect()
}

/// Returns whether a character may be printed.
fn is_shown(c: char) -> bool {
    let hides = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}'
        | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    c == '\n' || !c.is_control() && !hides
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    let acts: Vec<char> = text.chars().filter(|c| !is_shown(*c)).collect();
    assert!(acts.is_empty(), "{what}: {acts:?} in {text:?}");
}

#[track_caller]
fn assert_no_forged_line(what: &str, text: &str) {
    for line in text.lines() {
        let head = line.trim_start();
        assert!(!head.starts_with("::"), "{what}: {line:?}");
        assert!(!head.starts_with("SD-9 forged"), "{what}: {line:?}");
        assert!(!line.contains("##["), "{what}: {line:?}");
    }
}

#[track_caller]
fn assert_inert(what: &str, answer: &ProcessOutput) {
    for text in [&answer.stdout, &answer.stderr] {
        assert_clean(what, text);
        assert_no_forged_line(what, text);
    }
    assert!(!answer.stderr.contains("internal error"), "{what}: {answer:?}");
}

/// A project in which every text is the hostile one.
fn home_with_hostile_texts() -> Home {
    let mut home = started();
    let project = home.root().join(name());
    fs::rename(home.project_dir(), &project).unwrap();
    home.move_project(project);
    home.run_git(&["checkout", "-q", "-b", "feat/SD-1-\u{202e}\u{200b}x"]);
    home.start_session().ok();
    let plans = home.project_dir().join("workplans");
    fs::create_dir(&plans).unwrap();
    let workplan = format!(
        "---\nid: CUST-WP-0001\ntype: workplan\ntitle: {}\nrepo: r\nstatus: active\n---\n\n\
         ### T01 — {}\n\n```task\nid: CUST-WP-0001-T01\nstatus: todo\n```\n\n```task\nid: [\n```\n",
        Value::from(HOSTILE),
        HOSTILE.replace(['\n', '\r'], " ")
    );
    fs::write(plans.join(format!("{}.md", name())), workplan).unwrap();
    fs::write(
        home.project_dir().join(format!("{}p.md", name())),
        format!(
            "# Plan\n\n## Phase 1: {0}\n\n- [ ] 1.1 {0}\n- [ ] 1.1 {0}\n",
            HOSTILE.replace(['\n', '\r'], " ")
        ),
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let answer = trueup(&home, arguments);
        assert_inert(&format!("{arguments:?}"), &answer);
        assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
    };
    run(&["item", "add", "SD-1", "--title", HOSTILE]);
    run(&["claim", "SD-1"]);
    run(&["item", "add", "SD-2", "--title", HOSTILE]);
    run(&["set", "--phase", HOSTILE, "--task", HOSTILE]);
    run(&["queue", "add", "SD-1", "--phases", "plan,build"]);
    run(&["handoff", "create", "PLAN-TO-EXEC", "--summary", HOSTILE]);
    run(&["plan", "import", &format!("{}p.md", name())]);
    run(&["repo", "add", ".", "--slug", "app"]);
    home.execute_sql("UPDATE work_items SET title = ?1 WHERE holder IS NULL", [HOSTILE]);
    home.execute_sql("UPDATE claude_sessions SET host = ?1, repo = ?1", [HOSTILE]);
    home.execute_sql("UPDATE plan_tasks SET title = ?1, phase_title = ?1", [HOSTILE]);
    home
}

/// Commands that print something, valid ones and invalid ones.
fn commands() -> Vec<Vec<String>> {
    let file = format!("{}p.md", name());
    let owned = |line: Vec<&str>| line.into_iter().map(str::to_owned).collect();
    let mut lines = work_commands();
    lines.extend(other_commands(&file));
    lines.into_iter().map(owned).collect()
}

/// Commands on sessions, items, hand-offs, phases and repositories.
fn work_commands() -> Vec<Vec<&'static str>> {
    vec![
        vec!["status"],
        vec!["status", "--all"],
        vec!["sessions", "list"],
        vec!["sessions", "show", FIRST_SESSION],
        vec!["sessions", "sweep"],
        vec!["item", "list"],
        vec!["item", "show", "SD-1"],
        vec!["item", "show", HOSTILE],
        vec!["item", "add", HOSTILE],
        vec!["item", "transition", "SD-2", HOSTILE],
        vec!["next"],
        vec!["claim", HOSTILE],
        vec!["release", HOSTILE],
        vec!["handoff", "list"],
        vec!["handoff", "create", HOSTILE],
        vec!["handoff", "accept", HOSTILE],
        vec!["queue", "list"],
        vec!["queue", "next"],
        vec!["queue", "start", HOSTILE],
        vec!["meta", "check"],
        vec!["meta", "get", HOSTILE],
        vec!["ports", "list"],
        vec!["ports", "reserve", HOSTILE],
        vec!["repo", "list"],
        vec!["repo", "add", HOSTILE],
        vec!["repo", "remove", HOSTILE],
        vec!["state", "show"],
        vec!["state", "sync", HOSTILE],
        vec!["check"],
        vec!["check", "--all"],
        vec!["check", "--fix"],
        vec!["check", HOSTILE],
        vec!["check", "--format", HOSTILE],
        vec!["check", "--sources", "."],
    ]
}

/// Commands on plans, orchestrators, logs and databases, and wrong ones.
fn other_commands(file: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["plan", "list"],
        vec!["plan", "status"],
        vec!["plan", "next"],
        vec!["plan", "start", "1.1"],
        vec!["plan", "fail", "1.1", "--error", HOSTILE],
        vec!["plan", "status"],
        vec!["plan", "skip", "1.1", "--reason", HOSTILE],
        vec!["plan", "validate"],
        vec!["plan", "validate", file],
        vec!["plan", "import", HOSTILE],
        vec!["plan", "status", HOSTILE],
        vec!["plan", "export"],
        vec!["orchestrator", "list"],
        vec!["orchestrator", "register", HOSTILE],
        vec!["log"],
        vec!["log", "--since", HOSTILE],
        vec!["blame", "SD-1"],
        vec!["blame", "SD-1", "title"],
        vec!["blame", HOSTILE],
        vec!["journal", "list"],
        vec!["journal", "show", HOSTILE],
        vec!["db", "status"],
        vec!["db", "backup", HOSTILE],
        vec!["doctor"],
        vec!["statusline"],
        vec!["top"],
        vec!["interrupt"],
        vec!["resume"],
        vec!["clear"],
        vec![HOSTILE],
        vec!["item", HOSTILE],
        vec!["item", "list", "--nonsense", HOSTILE],
        vec!["--project", HOSTILE, "status"],
        vec!["status", "--session", HOSTILE],
    ]
}

#[test]
fn no_command_prints_what_acts() {
    let home = home_with_hostile_texts();
    for line in commands() {
        let arguments: Vec<&str> = line.iter().map(String::as_str).collect();
        assert_inert(&format!("{arguments:?}"), &trueup(&home, &arguments));
        if line.first().is_some_and(|word| word != HOSTILE) {
            let answer = home.prepare_run("trueup").args(&arguments).args(["--json"]).wait();
            assert_clean(&format!("{arguments:?} --json"), &answer.stdout);
            assert_eq!(answer.stdout.lines().count(), 1, "{arguments:?}: {answer:?}");
        }
    }
    assert_inert("validate-session-state", &validate(&home, &[]));
    assert_inert("validate-session-state", &validate(&home, &["--session", HOSTILE]));
}

#[test]
fn values_in_json_are_whole() {
    let home = home_with_hostile_texts();
    let item = data(&home, &["item", "show", "SD-1"]);
    assert_eq!(item["item"]["title"], HOSTILE);
}

#[test]
fn annotations_are_one_command_a_finding() {
    let home = home_with_hostile_texts();
    let answer = trueup(&home, &["check", "--format", "github"]);
    assert_clean("github", &answer.stdout);
    let found = object(&home, answer.code.unwrap(), &["check"]);
    let count = found["divergences"].as_array().unwrap().len();
    assert_eq!(answer.stdout.lines().count(), count, "{}", answer.stdout);
    for line in answer.stdout.lines() {
        let levels = ["::error ", "::warning ", "::notice "];
        assert!(levels.iter().any(|level| line.starts_with(level)), "{line:?}");
    }
    assert_clean("sarif", &trueup(&home, &["check", "--format", "sarif"]).stdout);
}

#[test]
fn no_hook_says_what_acts() {
    let home = home_with_hostile_texts();
    home.edit_cache("currentTask", format!("{HOSTILE}!"));
    for answer in [
        home.start_session(),
        home.send_prompt(),
        home.push_event("stop"),
        home.run_hook("pre-handoff-validate", &home.payload("stop")),
    ] {
        assert_clean("a hook", &answer.stdout);
        assert_clean("a hook", &answer.stderr);
        if answer.stdout.is_empty() {
            continue;
        }
        let report = answer.json();
        for text in [
            &report["systemMessage"],
            &report["reason"],
            &report["hookSpecificOutput"]["additionalContext"],
        ] {
            let text = text.as_str().unwrap_or_default();
            assert_clean("a hook", text);
            let forged = |line: &str| line.trim_start().starts_with("SD-9 forged");
            assert!(!text.lines().any(forged), "{text}");
        }
    }
}

/// Only one file prints, and it cleans the text. This finds any other place that prints.
#[test]
fn only_the_report_writes_to_the_streams() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/src");
    let mut dirs = vec![source];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let is_printer = path.ends_with("printer.rs");
            for call in ["stdout()", "io::stderr()", "println!", "print!("] {
                let passes_on =
                    call == "io::stderr()" && text.contains("Stdio::from(io::stderr())");
                assert!(
                    is_printer || passes_on || !text.contains(call),
                    "{} calls {call}",
                    path.display()
                );
            }
        }
    }
}
