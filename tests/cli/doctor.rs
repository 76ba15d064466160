//! `trueup doctor` and `trueup demo`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::home::Home;

use crate::fixture::{data, keys, object, started, trueup};
use crate::witness::Witness;

fn check<'c>(data: &'c Value, name: &str) -> &'c Value {
    let checks = data["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("{name}: {data}"))
}

#[test]
fn every_check_has_a_status_and_what_is_wrong_a_fix() {
    let home = started();
    let before = Witness::of(&home);
    let data = data(&home, &["doctor"]);
    assert_eq!(keys(&data), ["checks"]);
    for check in data["checks"].as_array().unwrap() {
        assert_eq!(keys(check), ["detail", "fix", "name", "status"]);
        let status = check["status"].as_str().unwrap();
        assert!(["ok", "warn", "fail"].contains(&status), "{check}");
        assert_eq!(check["fix"].is_null(), status == "ok", "{check}");
    }
    for name in ["data directory", "database", "outbox", "journal", "project"] {
        assert_ne!(check(&data, name)["status"], "fail", "{name}");
    }
    assert_eq!(check(&data, "database")["status"], "ok");
    assert_eq!(Witness::of(&home), before, "looking changes nothing");
}

#[test]
fn a_missing_database_is_told_and_made_by_fix_alone() {
    let home = Home::new();
    let path = home.trueup().join("trueup.db");
    let told = data(&home, &["doctor"]);
    assert_eq!(check(&told, "database")["status"], "warn");
    assert_eq!(check(&told, "database")["fix"], "trueup db migrate");
    assert_eq!(
        fs::read_dir(home.trueup()).unwrap().count(),
        0,
        "nothing was written"
    );
    let mended = data(&home, &["doctor", "--fix"]);
    assert_eq!(check(&mended, "database")["status"], "ok");
    assert!(path.exists());
    data(&home, &["db", "status"]);
}

#[test]
fn a_row_that_breaks_a_rule_is_a_finding_of_doctor_and_of_db_status() {
    let home = started();
    assert_eq!(data(&home, &["db", "status"])["compliance"], json!([]));
    home.sql("UPDATE claude_sessions SET registered_at = 'yesterday'", []);
    let status = object(&home, 1, &["db", "status"]);
    let flaw = &status["data"]["compliance"][0];
    assert_eq!(keys(flaw), ["field", "problem", "row", "table"]);
    assert_eq!(
        (&flaw["table"], &flaw["field"]),
        (&json!("claude_sessions"), &json!("registered_at"))
    );
    let warning = status["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("registered_at") && warning.contains("yesterday"),
        "{warning}"
    );
    let doctor = object(&home, 1, &["doctor"]);
    assert_eq!(check(&doctor["data"], "rows")["status"], "fail");
}

#[test]
fn a_damaged_database_is_a_finding_and_stays_even_with_fix() {
    let home = started();
    let path = home.trueup().join("trueup.db");
    fs::write(&path, "garbage ".repeat(99)).unwrap();
    let before = fs::read(&path).unwrap();
    for arguments in [&["doctor"][..], &["doctor", "--fix"]] {
        let object = object(&home, 1, arguments);
        assert_eq!(check(&object["data"], "database")["status"], "fail");
        assert!(object["error"].is_null());
        assert!(fs::read(&path).unwrap() == before);
    }
}

#[cfg(unix)]
#[test]
fn a_directory_open_to_others_is_told_and_closed_by_fix() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = started();
    let mode = |mode| fs::set_permissions(home.trueup(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o755);
    assert_eq!(
        check(&data(&home, &["doctor"]), "data directory")["status"],
        "warn"
    );
    let mended = data(&home, &["doctor", "--fix"]);
    assert_eq!(check(&mended, "data directory")["status"], "ok");
    let now = fs::metadata(home.trueup()).unwrap().permissions().mode();
    assert_eq!(now & 0o777, 0o700);
}

#[test]
fn hand_off_commands_that_the_client_would_never_show_are_told() {
    let home = started();
    let text = "handoff_commands = [\"make ship*\"]\n";
    fs::write(home.project().join(".trueup.toml"), text).unwrap();
    let told = data(&home, &["doctor"]);
    let told = check(&told, "hand-off commands");
    assert_eq!(told["status"], "warn");
    assert!(
        told["detail"].as_str().unwrap().contains("make ship*"),
        "{told}"
    );
}

#[test]
fn the_demo_shows_the_incident_before_and_after() {
    let home = Home::new();
    let text = trueup(&home, &["demo"]).ok().stdout;
    let (before, after) = text.split_once("\nAfter, ").unwrap();
    assert!(
        before.contains("  file      currentSd SD-002B, currentPhase LEAD"),
        "{text}"
    );
    assert!(
        before.contains("⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C"),
        "{text}"
    );
    assert!(
        before.contains("⚠️ Phase mismatch: file=LEAD, db=PLAN"),
        "{text}"
    );
    assert!(
        after.contains("  file      currentSd SD-002C, currentPhase PLAN"),
        "{text}"
    );
    assert!(
        text.ends_with("Nothing outside a temporary directory was touched.\n"),
        "{text}"
    );
}

#[test]
fn the_demo_touches_nothing_of_the_user() {
    let home = started();
    let before = Witness::of(&home);
    let object = object(&home, 0, &["demo"]);
    assert_eq!(
        keys(&object["data"]),
        ["after", "before", "consistent", "mended"]
    );
    assert_eq!(object["data"]["consistent"], true);
    let mended = object["data"]["mended"].as_array().unwrap();
    assert!(
        mended.contains(&json!("S-01")) && mended.contains(&json!("S-03")),
        "{object}"
    );
    assert_eq!(object["divergences"][0]["code"], "S-01");
    assert_eq!(Witness::of(&home), before);
}

/// A plugin as an installation leaves it, known to a client whose configuration lies in the home
/// directory; returns its root.
fn installed(home: &Home) -> PathBuf {
    let root = home.root().join("plugin");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in [".claude-plugin/plugin.json", "hooks/hooks.json"] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(repository.join(name), path).unwrap();
    }
    fs::create_dir(root.join("bin")).unwrap();
    for name in [
        "session-start-sync",
        "checkpoint-push",
        "pre-handoff-validate",
    ] {
        program(&root.join("bin").join(name), "exit 0");
    }
    let plugins = home.user().join(".claude/plugins");
    fs::create_dir_all(&plugins).unwrap();
    write(
        &plugins.join("installed_plugins.json"),
        &json!({"version": 2, "plugins": {"trueup@trueup": [
            {"scope": "user", "installPath": home.root().join("old-copy"), "version": "0.1.0"}
        ]}}),
    );
    write(
        &plugins.join("known_marketplaces.json"),
        &json!({"trueup": {"source": {"source": "directory", "path": root}}}),
    );
    write(
        &home.user().join(".claude/settings.json"),
        &json!({"enabledPlugins": {"trueup@trueup": true}}),
    );
    root
}

fn write(path: &Path, json: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, json.to_string()).unwrap();
}

/// Makes a shell script. Another process writes it: one of this process's own, started
/// meanwhile, would hold it open for writing.
fn program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let text = format!("#!/bin/sh\n{script}\n");
    let written = std::process::Command::new("sh")
        .args(["-c", "printf %s \"$1\" > \"$2\"", "sh", &text])
        .arg(path)
        .status();
    assert!(written.unwrap().success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs doctor with some programs alone on PATH.
fn doctor_on(home: &Home, path: &Path, code: i32) -> Value {
    let run = home.run("trueup").args(["doctor", "--json"]);
    crate::fixture::envelope(&run.env("PATH", path).finish(), code)["data"].clone()
}

/// A way in which the plugin does not work, made for real, and its undoing by the fix advised.
struct Broken {
    check: &'static str,
    /// What the finding names.
    names: &'static str,
    /// What its fix names.
    fix: &'static str,
    break_it: fn(&Home, &Path),
    mend_it: fn(&Home, &Path),
}

const BROKEN: [Broken; 12] = [
    Broken {
        check: "plugin enabled",
        names: "settings.json switches trueup@trueup off",
        fix: "claude plugin enable trueup@trueup",
        break_it: |home, _| {
            let off = json!({"enabledPlugins": {"trueup@trueup": false}});
            write(&home.user().join(".claude/settings.json"), &off);
        },
        mend_it: |home, _| {
            let on = json!({"enabledPlugins": {"trueup@trueup": true}});
            write(&home.user().join(".claude/settings.json"), &on);
        },
    },
    Broken {
        check: "plugin enabled",
        names: "settings.local.json switches",
        fix: "settings.local.json",
        break_it: |home, _| {
            let off = json!({"enabledPlugins": {"trueup@trueup": false}});
            write(&home.project().join(".claude/settings.local.json"), &off);
        },
        mend_it: |home, _| {
            write(
                &home.project().join(".claude/settings.local.json"),
                &json!({}),
            );
        },
    },
    Broken {
        check: "plugin enabled",
        names: "/project/.claude/settings.json switches",
        fix: "/project/.claude/settings.json",
        break_it: |home, _| {
            let off = json!({"enabledPlugins": {"trueup@trueup": false}});
            write(&home.project().join(".claude/settings.json"), &off);
        },
        mend_it: |home, _| fs::remove_file(home.project().join(".claude/settings.json")).unwrap(),
    },
    Broken {
        check: "hooks enabled",
        names: "disableAllHooks",
        fix: "remove disableAllHooks",
        break_it: |home, _| {
            let off = json!({"disableAllHooks": true});
            write(&home.project().join(".claude/settings.local.json"), &off);
        },
        mend_it: |home, _| {
            write(
                &home.project().join(".claude/settings.local.json"),
                &json!({}),
            );
        },
    },
    Broken {
        check: "plugin files",
        names: "checkpoint-push is missing",
        fix: "install.sh",
        break_it: |_, root| fs::remove_file(root.join("bin/checkpoint-push")).unwrap(),
        mend_it: |_, root| program(&root.join("bin/checkpoint-push"), "exit 0"),
    },
    Broken {
        check: "plugin files",
        names: "session-start-sync is missing or cannot be run",
        fix: "install.sh",
        break_it: |_, root| mode(&root.join("bin/session-start-sync"), 0o644),
        mend_it: |_, root| mode(&root.join("bin/session-start-sync"), 0o755),
    },
    Broken {
        check: "plugin files",
        names: "pre-handoff-validate is missing or cannot be run",
        fix: "install.sh",
        break_it: |_, root| fs::write(root.join("bin/pre-handoff-validate"), "").unwrap(),
        mend_it: |_, root| program(&root.join("bin/pre-handoff-validate"), "exit 0"),
    },
    Broken {
        check: "plugin files",
        names: "bin/checkpoint-push is not what was installed",
        fix: "install.sh",
        break_it: |_, root| {
            note_digests(root);
            program(&root.join("bin/checkpoint-push"), "exit 7");
        },
        mend_it: |_, root| {
            program(&root.join("bin/checkpoint-push"), "exit 0");
            // An older installation notes nothing; what follows is found without it.
            fs::remove_file(root.join("hooks/SHA256SUMS")).unwrap();
        },
    },
    Broken {
        check: "plugin files",
        names: "hooks.json is missing or no JSON",
        fix: "install.sh",
        break_it: |_, root| fs::write(root.join("hooks/hooks.json"), "{").unwrap(),
        mend_it: restore_hooks,
    },
    Broken {
        check: "plugin files",
        names: "hooks of Stop",
        fix: "install.sh",
        break_it: |_, root| {
            let path = root.join("hooks/hooks.json");
            let mut hooks = Home::read(&path);
            hooks["hooks"].as_object_mut().unwrap().remove("Stop");
            write(&path, &hooks);
        },
        mend_it: restore_hooks,
    },
    Broken {
        check: "plugin files",
        names: "plugin/hooks/hooks.json is missing",
        fix: "install.sh",
        break_it: |home, root| fs::rename(root, home.root().join("gone")).unwrap(),
        mend_it: |home, root| fs::rename(home.root().join("gone"), root).unwrap(),
    },
    Broken {
        check: "configuration",
        names: "config.toml:2:",
        fix: "config.toml",
        break_it: |home, _| {
            fs::write(home.trueup().join("config.toml"), "# x\nlease_seconds = [").unwrap();
        },
        mend_it: |home, _| fs::remove_file(home.trueup().join("config.toml")).unwrap(),
    },
];

fn mode(path: &Path, bits: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

fn note_digests(root: &Path) {
    let noted = std::process::Command::new("sh")
        .current_dir(root)
        .args(["-c", "sha256sum bin/* hooks/hooks.json > hooks/SHA256SUMS"])
        .status();
    assert!(noted.unwrap().success());
}

fn restore_hooks(_: &Home, root: &Path) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::copy(
        repository.join("hooks/hooks.json"),
        root.join("hooks/hooks.json"),
    )
    .unwrap();
}

#[test]
fn each_way_in_which_the_plugin_does_not_work_is_a_failed_check_until_it_is_mended() {
    let home = started();
    let root = installed(&home);
    let whole = data(&home, &["doctor"]);
    for name in ["plugin", "plugin files", "plugin enabled", "hooks enabled"] {
        assert_eq!(check(&whole, name)["status"], "ok", "{whole}");
    }
    for (number, broken) in BROKEN.iter().enumerate() {
        (broken.break_it)(&home, &root);
        for arguments in [&["doctor"][..], &["doctor", "--fix"]] {
            let told = object(&home, 1, arguments);
            let told = check(&told["data"], broken.check);
            assert_eq!(told["status"], "fail", "{number}: {told}");
            let text = |key: &str| told[key].as_str().unwrap().to_owned();
            assert!(text("detail").contains(broken.names), "{number}: {told}");
            assert!(text("fix").contains(broken.fix), "{number}: {told}");
        }
        (broken.mend_it)(&home, &root);
        let mended = data(&home, &["doctor"]);
        assert_eq!(check(&mended, broken.check)["status"], "ok", "{number}");
    }
}

#[test]
fn settings_closer_to_the_project_count_more() {
    let home = started();
    installed(&home);
    let off = json!({"enabledPlugins": {"trueup@trueup": false}, "disableAllHooks": true});
    write(&home.user().join(".claude/settings.json"), &off);
    let on = json!({"enabledPlugins": {"trueup@trueup": true}, "disableAllHooks": false});
    write(&home.project().join(".claude/settings.json"), &on);
    data(&home, &["doctor"]);
    // What makes no sense is passed over.
    fs::write(home.project().join(".claude/settings.json"), "{ no json").unwrap();
    object(&home, 1, &["doctor"]);
    let moved = home.root().join("config");
    fs::rename(home.user().join(".claude"), &moved).unwrap();
    let run = home.run("trueup").args(["doctor", "--json"]);
    let answer = run.env("CLAUDE_CONFIG_DIR", &moved).finish();
    assert_eq!(answer.code, Some(1), "{answer:?}");
}

#[test]
fn a_missing_git_and_an_old_client_fail() {
    let home = started();
    let path = home.root().join("path");
    fs::create_dir(&path).unwrap();
    let none = doctor_on(&home, &path, 1);
    assert_eq!(check(&none, "git")["status"], "fail");
    assert_eq!(check(&none, "client version")["status"], "ok");

    program(&path.join("git"), "echo git version 2.50.0");
    program(&path.join("claude"), "echo '2.1.9 (Claude Code)'");
    let old = doctor_on(&home, &path, 1);
    assert_eq!(check(&old, "git")["detail"], "git version 2.50.0");
    let version = check(&old, "client version");
    assert_eq!(
        (&version["status"], &version["fix"]),
        (&json!("fail"), &json!("claude update"))
    );
    program(&path.join("claude"), "echo '2.1.9999 (Claude Code)'");
    doctor_on(&home, &path, 0);
    program(&path.join("claude"), "echo soon");
    let odd = doctor_on(&home, &path, 0);
    assert_eq!(check(&odd, "client version")["status"], "warn");
}

#[test]
fn a_broken_configuration_stops_every_command_but_doctor() {
    let home = started();
    fs::write(
        home.trueup().join("config.toml"),
        "lease_seconds = \"many\"",
    )
    .unwrap();
    let status = object(&home, 3, &["status"]);
    let message = status["error"]["message"].as_str().unwrap();
    assert!(message.contains("config.toml:1:"), "{message}");
    let told = object(&home, 1, &["doctor"]);
    assert_eq!(check(&told["data"], "database")["status"], "ok", "{told}");
    fs::write(home.trueup().join("config.toml"), "branch_pattern = \"(\"").unwrap();
    object(&home, 3, &["status"]);
    let told = object(&home, 1, &["doctor"]);
    assert_eq!(check(&told["data"], "configuration")["status"], "fail");
}
