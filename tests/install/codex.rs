//! Codex's `hooks.json` before an installation, with it, and after an uninstallation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::scratch::{Scratch, without_data};

const FILE: &str = ".codex/hooks.json";

/// Hooks of another program, in a formatting of their own.
const FOREIGN: &str = "{\"hooks\":  {\"Stop\": [{\"hooks\":[ {\"type\":\"command\",\"command\":\"mine\"}]}],\n\
    \"PostCompact\": []}, \"note\": 1.50}";

fn read(scratch: &Scratch) -> Value {
    serde_json::from_slice(&fs::read(scratch.home(FILE)).unwrap()).unwrap()
}

fn command(scratch: &Scratch, name: &str) -> String {
    scratch.stage().join("bin").join(name).display().to_string()
}

#[test]
fn the_hooks_are_registered_beside_those_of_others_and_taken_back() {
    let scratch = Scratch::new();
    scratch.write(FILE, FOREIGN);
    fs::set_permissions(scratch.home(FILE), fs::Permissions::from_mode(0o640)).unwrap();
    let before = scratch.tree();
    let output = scratch.install(&["--codex"]).exits(0);
    assert!(output.out.contains("hooks registered in ~/.codex/hooks.json"), "{}", output.out);
    assert!(output.out.contains("Trust all and continue"), "{}", output.out);
    let data = scratch.home(".local/share/trueup");
    assert!(output.out.contains(&format!("writable_roots = [{data:?}]")), "{}", output.out);
    let file = read(&scratch);
    assert_eq!(
        file["hooks"]["Stop"][0],
        json!({"hooks": [{"type": "command", "command": "mine"}]})
    );
    let guard = json!({"matcher": "Bash|spawn_agent", "hooks": [
        {"type": "command", "command": command(&scratch, "pre-handoff-validate"), "timeout": 10},
    ]});
    assert_eq!(file["hooks"]["PreToolUse"], json!([guard]));
    let start = &file["hooks"]["SessionStart"][0]["hooks"][0];
    assert_eq!(start["command"], command(&scratch, "session-start-sync"));
    assert_eq!(file["note"].to_string(), "1.50");
    let again = scratch.install(&[]).exits(0);
    assert!(again.out.contains("Everything is up to date."), "{}", again.out);
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn a_file_that_was_not_there_is_gone_again_with_its_directory() {
    let scratch = Scratch::with_client();
    let before = scratch.tree();
    scratch.install(&["--codex"]).exits(0);
    assert!(scratch.home(FILE).is_file() && scratch.home(".claude/settings.json").is_file());
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn what_others_wrote_since_is_kept() {
    let scratch = Scratch::new();
    scratch.write(FILE, FOREIGN);
    scratch.install(&["--codex"]).exits(0);
    let mut file = read(&scratch);
    let theirs = json!({"hooks": [{"type": "command", "command": "theirs"}]});
    file["hooks"]["Stop"].as_array_mut().unwrap().push(theirs.clone());
    fs::write(scratch.home(FILE), file.to_string()).unwrap();
    // A second installation does not take their hooks for its own.
    scratch.install(&["--codex"]).exits(0);
    let output = scratch.run(&["--uninstall"]).exits(0);
    assert!(output.out.contains("what others changed is kept"), "{}", output.out);
    let mut expected: Value = serde_json::from_str(FOREIGN).unwrap();
    expected["hooks"]["Stop"].as_array_mut().unwrap().push(theirs);
    assert_eq!(read(&scratch), expected);
}

#[test]
fn altered_hooks_are_put_right_by_the_next_installation() {
    let scratch = Scratch::new();
    scratch.install(&["--codex"]).exits(0);
    let right = read(&scratch);
    let mut altered = right.clone();
    altered["hooks"]["PreToolUse"][0]["matcher"] = json!("Never");
    fs::write(scratch.home(FILE), altered.to_string()).unwrap();
    let output = scratch.install(&[]).exits(0);
    assert!(output.out.contains("hooks registered"), "{}", output.out);
    assert_eq!(read(&scratch), right);
    scratch.run(&["--uninstall"]).exits(0);
    assert!(!scratch.home(FILE).exists());
}

#[test]
fn codex_home_is_honoured_and_a_dry_run_changes_nothing() {
    let scratch = Scratch::new();
    let elsewhere = scratch.home("my codex");
    let before = scratch.tree();
    let bins = scratch.path("bins");
    let run = |args: &[&str]| {
        let args = [&["--bin-dir", bins.to_str().unwrap()], args].concat();
        let mut command = scratch.installer(&args);
        command.env("CODEX_HOME", &elsewhere);
        crate::scratch::InstallerOutput::new(command.output().unwrap()).exits(0)
    };
    let output = run(&["--codex", "--dry-run"]);
    let step =
        format!("register the hooks with Codex in {}", elsewhere.join("hooks.json").display());
    assert!(output.out.contains(&step), "{}", output.out);
    assert_eq!(scratch.tree(), before);
    run(&["--codex"]);
    assert!(elsewhere.join("hooks.json").is_file() && !scratch.home(".codex").exists());
    // The record knows the file, whatever the environment says.
    let dry = scratch.run(&["--uninstall", "--dry-run"]).exits(0);
    assert!(dry.out.contains("remove the hooks from ~/my codex/hooks.json"), "{}", dry.out);
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn without_the_flag_codex_is_left_alone() {
    let scratch = Scratch::with_client();
    scratch.install(&[]).exits(0);
    assert!(!scratch.home(".codex").exists());
}

#[test]
fn a_file_that_is_no_json_is_left_as_it_is() {
    let scratch = Scratch::new();
    scratch.write(FILE, "{ not json");
    let output = scratch.install(&["--codex"]).exits(1);
    assert!(output.out.contains("is not JSON") && output.out.contains("kept as it is"));
    assert_eq!(fs::read_to_string(scratch.home(FILE)).unwrap(), "{ not json");
}

#[test]
fn a_place_with_spaces_is_quoted_for_the_shell() {
    let scratch = Scratch::new();
    let prefix = scratch.home("a place");
    scratch.install(&["--codex", "--no-claude", "--prefix", prefix.to_str().unwrap()]).exits(0);
    let command = read(&scratch)["hooks"]["Stop"][0]["hooks"][0]["command"].clone();
    let path = prefix.join("bin/checkpoint-push");
    assert_eq!(command, format!("'{}'", path.display()));
    assert!(Path::new(&path).is_file());
}
