//! What needs a person, and the command that is shown with it: a lead copies it into another shell,
//! in another directory, and the need is gone. Every kind has its scenes.

use std::path::PathBuf;

use serde_json::Value;
use support::client::find_binary;
use support::home::{FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION, spawn_bystander};
use trueup_core::overview::NeedKind;

use crate::advice::workplans::clone_with_refusing_remote;
use crate::checks::scene::Clone;
use crate::fixture::{claimed, data, held_by_second, second, started, trueup};

/// A state in which something needs a person.
struct Scene {
    /// What it is, for a failure.
    name: &'static str,
    make: fn() -> Home,
    /// What only somebody at its place can do, after the command told where that is.
    at_its_place: Option<fn(&Home)>,
}

const fn scene(name: &'static str, make: fn() -> Home) -> Scene {
    Scene { name, make, at_its_place: None }
}

/// Returns the scenes of a kind. A kind without an arm does not compile.
fn scenes(kind: NeedKind) -> Vec<Scene> {
    match kind {
        NeedKind::GateRefusal => vec![scene("refused on the wrong branch", refused_handoff)],
        NeedKind::Divergence => vec![scene("on the wrong branch", || {
            let home = on_the_wrong_branch();
            home.send_prompt().ok();
            home
        })],
        NeedKind::JournalEntry => vec![
            scene("of a live session", rejected_edit),
            scene("of a session that ended", || {
                let home = rejected_edit();
                home.push_event("session-end.other").ok();
                home
            }),
        ],
        NeedKind::DeadLetter => vec![scene("refused by the database", || {
            let home = crate::outbox::home_with_writes();
            crate::outbox::report_refused_write(&home);
            home
        })],
        NeedKind::WaitsForInput => vec![Scene {
            name: "waits for a permission",
            make: || {
                let home = started();
                home.run_hook("checkpoint-push", &home.payload("notification")).ok();
                home
            },
            at_its_place: Some(|home| drop(home.send_prompt().ok())),
        }],
        NeedKind::RepoBehind => vec![
            scene("somebody pushed", || {
                let clone = Clone::linked();
                clone.someone_pushes("other", "x");
                checked(clone)
            }),
            scene("both have commits", || {
                let clone = Clone::linked();
                clone.someone_pushes("other", "x");
                clone.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
                checked(clone)
            }),
        ],
        NeedKind::RepoUnpushed => vec![scene("a remote that refused a push", || {
            let home = checked_out_with_refusing_remote();
            std::fs::remove_file(home.root().join("remote.git/hooks/pre-receive")).unwrap();
            home
        })],
        NeedKind::LostSession => vec![
            scene("died with an item", died_with_item),
            scene("died, and a sweep freed the item", || {
                let home = died_with_item();
                data(&home, &["sessions", "sweep"]);
                home
            }),
        ],
        NeedKind::OpenHandoff => vec![
            scene("for nobody in particular", || handed_off(&[])),
            scene("for a session that ended", || {
                let home = handed_off(&["--to", FIRST_SESSION]);
                home.push_event("session-end.other").ok();
                home
            }),
            scene("of a sender that ended as well", || {
                let home = handed_off(&["--to", FIRST_SESSION]);
                home.push_event("session-end.other").ok();
                let end = home.payload("session-end.other").for_session(SECOND_SESSION);
                home.run_hook("checkpoint-push", &end).ok();
                home
            }),
        ],
        NeedKind::StaleClaim => vec![
            scene("of a machine that is silent", || {
                let home = held_elsewhere();
                home.expire_lease(SECOND_SESSION, 1_000);
                home
            }),
            scene("of a session that ended", || {
                let home = held_elsewhere();
                let end = home.payload("session-end.other").for_session(SECOND_SESSION);
                home.run_hook("checkpoint-push", &end).ok();
                home.expire_lease(SECOND_SESSION, 1_000);
                home
            }),
        ],
    }
}

fn on_the_wrong_branch() -> Home {
    let home = started();
    claimed(&home, "SD-002C");
    data(&home, &["item", "add", "SD-002B"]);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    home
}

fn refused_handoff() -> Home {
    let home = on_the_wrong_branch();
    assert_eq!(hand_off(&home).code, Some(2));
    home
}

fn hand_off(home: &Home) -> ProcessOutput {
    let payload = home.payload("pre-tool-use.bash").with_input("command", "make handoff");
    home.run_hook("pre-handoff-validate", &payload)
}

fn rejected_edit() -> Home {
    let home = started();
    claimed(&home, "SD-1");
    home.edit_cache("currentPhase", "EXEC");
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "LEAD");
    home.send_prompt();
    data(&home, &["release"]);
    home
}

/// Fixes what a check of the clone can fix, and reports the rest.
fn checked(clone: Clone) -> Home {
    clone.run(&["--fix"]);
    clone.home
}

fn checked_out_with_refusing_remote() -> Home {
    let home = clone_with_refusing_remote();
    trueup(&home, &["check", "--fix"]);
    home
}

fn died_with_item() -> Home {
    let (home, process) = held_by_second(&[]);
    drop(process);
    home.expire_lease(SECOND_SESSION, 1_000);
    home
}

/// The second session, of another machine, holds `SD-1`.
fn held_elsewhere() -> Home {
    let home = started();
    second(&home, None);
    data(&home, &["claim", "SD-1", "--create", "--session", SECOND_SESSION]);
    home.execute_sql(
        "UPDATE claude_sessions SET host = 'far' WHERE session_id = ?1",
        [SECOND_SESSION],
    );
    home
}

fn handed_off(to: &[&str]) -> Home {
    let (home, process) = held_by_second(&[]);
    let create = ["handoff", "create", "X", "--session", SECOND_SESSION];
    data(&home, &[&create[..], to].concat());
    drop(process);
    home
}

fn list_needs(home: &Home) -> Vec<Value> {
    data(home, &["top", "--once"])["needs_me"].as_array().unwrap().clone()
}

/// Returns the need of a kind, of which there is one.
#[track_caller]
fn find_need(home: &Home, kind: NeedKind) -> Value {
    let needs = list_needs(home);
    let mut found = needs.iter().filter(|need| need["kind"] == kind.as_str());
    let need = found.next().unwrap_or_else(|| panic!("no {}: {needs:#?}", kind.as_str()));
    need.clone()
}

/// Runs a command as a lead does: in a shell of no session, in a directory of no repository.
fn run_as_lead(home: &Home, command: &str) -> ProcessOutput {
    let elsewhere = home.root().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let binaries: PathBuf = find_binary("trueup").unwrap().parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let run = home
        .prepare_run("trueup")
        .cwd(elsewhere)
        .without("CLAUDE_PID")
        .env("PATH", format!("{}:{path}", binaries.display()));
    run.run_through("sh", |_| vec!["-c".into(), command.into()]).wait()
}

fn end_as_shown(kind: NeedKind, scene: &Scene) {
    let home = (scene.make)();
    let need = find_need(&home, kind);
    let command = need["command"].as_str().unwrap_or_else(|| panic!("no command: {need:#}"));
    let output = run_as_lead(&home, command);
    assert_eq!(output.code, Some(0), "{command}: {output:?}");
    let is_listed = || list_needs(&home).iter().any(|left| left["id"] == need["id"]);
    if let Some(act) = scene.at_its_place {
        assert!(is_listed(), "{command} tells, and ends nothing");
        act(&home);
    }
    assert!(!is_listed(), "{command} leaves {:#?}", list_needs(&home));
}

#[test]
fn every_need_ends_by_the_command_shown_with_it_from_anywhere() {
    let mut failed = Vec::new();
    for kind in NeedKind::ALL {
        for scene in scenes(kind) {
            let name = format!("{}: {}", kind.as_str(), scene.name);
            if std::thread::spawn(move || end_as_shown(kind, &scene)).join().is_err() {
                failed.push(name);
            }
        }
    }
    assert_eq!(failed, [""; 0]);
}

/// A way in which a session looks at its copies, with its name.
type Look = (&'static str, fn(&Home));

#[test]
fn a_refusal_is_over_once_any_look_finds_the_copies_in_agreement() {
    let looks: &[Look] = &[
        ("prompt", |home| drop(home.send_prompt().ok())),
        ("tool call", |home| drop(home.push_event("post-tool-use.bash").ok())),
        ("end of a turn", |home| drop(home.push_event("stop").ok())),
        ("session end", |home| drop(home.push_event("session-end.other").ok())),
        ("validate", |home| drop(crate::fixture::validate(home, &[]).ok())),
        ("validate --fix", |home| drop(crate::fixture::validate(home, &["--fix"]).ok())),
        ("set", |home| drop(data(home, &["set", "--task", "t"]))),
        ("handoff create", |home| drop(data(home, &["handoff", "create", "X"]))),
    ];
    for (name, look) in looks {
        let home = refused_handoff();
        find_need(&home, NeedKind::GateRefusal);
        home.run_git(&["switch", "--quiet", "-c", "feat/SD-002C-x"]);
        look(&home);
        let open: i64 =
            home.query_value("SELECT count(*) FROM attention WHERE ended_at IS NULL", []);
        assert_eq!(open, 0, "{name} leaves {:#?}", list_needs(&home));
    }
}

#[test]
fn a_refusal_of_a_session_that_died_hides_no_loss() {
    let home = refused_handoff();
    let process = spawn_bystander();
    let gone = process.pid();
    drop(process);
    home.execute_sql("UPDATE claude_sessions SET pid = ?1", [gone]);
    home.expire_lease(FIRST_SESSION, 5_000);
    let kinds: Vec<Value> = list_needs(&home).iter().map(|need| need["kind"].clone()).collect();
    assert_eq!(kinds, [NeedKind::LostSession.as_str()], "{}", trueup(&home, &["top"]).stdout);
}
