//! Doctor's findings on an installation: each way in which the plugin may not work.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::home::Home;

use super::check;
use crate::fixture::{data, object, started};

/// Installs a plugin, registered with a client whose configuration is in the home directory;
/// returns its root.
fn installed(home: &Home) -> PathBuf {
    let root = home.root().join("plugin");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in [".claude-plugin/plugin.json", "hooks/hooks.json"] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(repository.join(name), path).unwrap();
    }
    fs::create_dir(root.join("bin")).unwrap();
    for name in ["session-start-sync", "checkpoint-push", "pre-handoff-validate"] {
        program(&root.join("bin").join(name), "exit 0");
    }
    note_digests(&root);
    let plugins = home.user_home().join(".claude/plugins");
    fs::create_dir_all(&plugins).unwrap();
    record(home, &json!({"scope": "user"}));
    write(
        &plugins.join("known_marketplaces.json"),
        &json!({"trueup": {"source": {"source": "directory", "path": root}}}),
    );
    enable(home, &root);
    root
}

/// Has the client note the plugin as installed, with these words.
fn record(home: &Home, words: &Value) {
    let mut copy = json!({"installPath": home.root().join("old-copy"), "version": "0.1.0"});
    let words = words.as_object().unwrap().clone();
    copy.as_object_mut().unwrap().extend(words);
    write(
        &home.user_home().join(".claude/plugins/installed_plugins.json"),
        &json!({"version": 2, "plugins": {"trueup@trueup": [copy]}}),
    );
}

fn enable(home: &Home, _: &Path) {
    write(
        &home.user_home().join(".claude/settings.json"),
        &json!({"enabledPlugins": {"trueup@trueup": true}}),
    );
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
    let run = home.prepare_run("trueup").args(["doctor", "--json"]);
    crate::fixture::envelope(&run.env("PATH", path).wait(), code)["data"].clone()
}

/// Breaks the plugin in one way, checks the finding, and follows the advised fix.
struct Broken {
    check: &'static str,
    /// What the finding names.
    names: &'static str,
    /// What its fix names.
    fix: &'static str,
    break_it: fn(&Home, &Path),
    mend_it: fn(&Home, &Path),
}

const BROKEN: [Broken; 21] = [
    Broken {
        check: "plugin enabled",
        names: "settings.json disables trueup@trueup",
        fix: "claude plugin enable trueup@trueup",
        break_it: |home, _| {
            let off = json!({"enabledPlugins": {"trueup@trueup": false}});
            write(&home.user_home().join(".claude/settings.json"), &off);
        },
        mend_it: |home, _| {
            let on = json!({"enabledPlugins": {"trueup@trueup": true}});
            write(&home.user_home().join(".claude/settings.json"), &on);
        },
    },
    Broken {
        check: "plugin enabled",
        names: "settings.local.json disables",
        fix: "settings.local.json",
        break_it: |home, _| {
            let off = json!({"enabledPlugins": {"trueup@trueup": false}});
            write(&home.project_dir().join(".claude/settings.local.json"), &off);
        },
        mend_it: |home, _| {
            write(&home.project_dir().join(".claude/settings.local.json"), &json!({}));
        },
    },
    Broken {
        check: "plugin enabled",
        names: "/project/.claude/settings.json disables",
        fix: "/project/.claude/settings.json",
        break_it: |home, _| {
            let off = json!({"enabledPlugins": {"trueup@trueup": false}});
            write(&home.project_dir().join(".claude/settings.json"), &off);
        },
        mend_it: |home, _| {
            fs::remove_file(home.project_dir().join(".claude/settings.json")).unwrap();
        },
    },
    Broken {
        check: "hooks enabled",
        names: "disableAllHooks",
        fix: "remove disableAllHooks",
        break_it: |home, _| {
            let off = json!({"disableAllHooks": true});
            write(&home.project_dir().join(".claude/settings.local.json"), &off);
        },
        mend_it: |home, _| {
            write(&home.project_dir().join(".claude/settings.local.json"), &json!({}));
        },
    },
    Broken {
        check: "plugin files",
        names: "checkpoint-push is missing",
        fix: "trueup install",
        break_it: |_, root| fs::remove_file(root.join("bin/checkpoint-push")).unwrap(),
        mend_it: |_, root| program(&root.join("bin/checkpoint-push"), "exit 0"),
    },
    Broken {
        check: "plugin files",
        names: "session-start-sync is missing or not executable",
        fix: "trueup install",
        break_it: |_, root| mode(&root.join("bin/session-start-sync"), 0o644),
        mend_it: |_, root| mode(&root.join("bin/session-start-sync"), 0o755),
    },
    Broken {
        check: "plugin files",
        names: "pre-handoff-validate is missing or not executable",
        fix: "trueup install",
        break_it: |_, root| fs::write(root.join("bin/pre-handoff-validate"), "").unwrap(),
        mend_it: |_, root| program(&root.join("bin/pre-handoff-validate"), "exit 0"),
    },
    Broken {
        check: "plugin files",
        names: "bin/checkpoint-push has changed since installation",
        fix: "trueup install",
        break_it: |_, root| program(&root.join("bin/checkpoint-push"), "exit 7"),
        mend_it: |_, root| program(&root.join("bin/checkpoint-push"), "exit 0"),
    },
    Broken {
        check: "plugin files",
        names: "SHA256SUMS is missing",
        fix: "trueup install",
        break_it: |_, root| fs::remove_file(root.join("hooks/SHA256SUMS")).unwrap(),
        mend_it: |_, root| note_digests(root),
    },
    Broken {
        check: "plugin files",
        names: "SHA256SUMS does not list bin/checkpoint-push",
        fix: "trueup install",
        break_it: |_, root| {
            program(&root.join("bin/checkpoint-push"), "exit 7");
            let path = root.join("hooks/SHA256SUMS");
            let noted = fs::read_to_string(&path).unwrap();
            let kept = noted.lines().filter(|line| !line.ends_with("checkpoint-push"));
            let kept: Vec<&str> = kept.collect();
            fs::write(path, kept.join("\n")).unwrap();
        },
        mend_it: |_, root| {
            program(&root.join("bin/checkpoint-push"), "exit 0");
            note_digests(root);
        },
    },
    Broken {
        check: "plugin files",
        names: "plugin.json is missing",
        fix: "trueup install",
        break_it: |_, root| fs::remove_file(root.join(".claude-plugin/plugin.json")).unwrap(),
        mend_it: |_, root| {
            let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            let name = ".claude-plugin/plugin.json";
            fs::copy(repository.join(name), root.join(name)).unwrap();
        },
    },
    Broken {
        check: "plugin",
        names: ": its hooks do not run here",
        fix: "trueup install",
        break_it: |home, _| {
            record(home, &json!({"scope": "project", "projectPath": "/other/project"}));
        },
        mend_it: |home, _| record(home, &json!({"scope": "user"})),
    },
    Broken {
        check: "plugin enabled",
        names: "settings.json disables trueup@trueup",
        fix: "claude plugin enable trueup@trueup",
        break_it: |home, _| {
            let other = json!({"enabledPlugins": {"trueup@trueup": false, "trueup@old": true}});
            write(&home.user_home().join(".claude/settings.json"), &other);
        },
        mend_it: enable,
    },
    Broken {
        check: "plugin enabled",
        names: "settings.json disables trueup@trueup",
        fix: "claude plugin enable trueup@trueup",
        break_it: |home, _| {
            let text = json!({"enabledPlugins": {"trueup@trueup": "false"}});
            write(&home.user_home().join(".claude/settings.json"), &text);
        },
        mend_it: enable,
    },
    Broken {
        check: "client settings",
        names: "settings.json cannot be read",
        fix: "correct",
        break_it: |home, _| {
            fs::write(
                home.user_home().join(".claude/settings.json"),
                "{\"disableAllHooks\":true,}",
            )
            .unwrap();
        },
        mend_it: enable,
    },
    Broken {
        check: "client settings",
        names: "settings.json cannot be read",
        fix: "correct",
        break_it: |home, _| {
            let path = home.user_home().join(".claude/settings.json");
            fs::File::create(path).unwrap().set_len(5 << 20).unwrap();
        },
        mend_it: enable,
    },
    Broken {
        check: "client settings",
        names: "settings.local.json cannot be read",
        fix: "correct",
        break_it: |home, _| {
            let path = home.project_dir().join(".claude/settings.local.json");
            fs::remove_file(&path).unwrap();
            let status = std::process::Command::new("mkfifo").arg(path).status();
            assert!(status.unwrap().success());
        },
        mend_it: |home, _| {
            fs::remove_file(home.project_dir().join(".claude/settings.local.json")).unwrap();
        },
    },
    Broken {
        check: "plugin files",
        names: "hooks.json is missing or not valid JSON",
        fix: "trueup install",
        break_it: |_, root| fs::write(root.join("hooks/hooks.json"), "{").unwrap(),
        mend_it: restore_hooks,
    },
    Broken {
        check: "plugin files",
        names: "the hooks of Stop",
        fix: "trueup install",
        break_it: |_, root| {
            let path = root.join("hooks/hooks.json");
            let mut hooks = Home::read_json(&path);
            hooks["hooks"].as_object_mut().unwrap().remove("Stop");
            write(&path, &hooks);
        },
        mend_it: restore_hooks,
    },
    Broken {
        check: "plugin files",
        names: "plugin/hooks/hooks.json is missing",
        fix: "trueup install",
        break_it: |home, root| fs::rename(root, home.root().join("gone")).unwrap(),
        mend_it: |home, root| fs::rename(home.root().join("gone"), root).unwrap(),
    },
    Broken {
        check: "configuration",
        names: "config.toml:2:",
        fix: "config.toml",
        break_it: |home, _| {
            fs::write(home.trueup_home().join("config.toml"), "# x\nlease_seconds = [").unwrap();
        },
        mend_it: |home, _| fs::remove_file(home.trueup_home().join("config.toml")).unwrap(),
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
    fs::copy(repository.join("hooks/hooks.json"), root.join("hooks/hooks.json")).unwrap();
}

#[test]
fn each_defect_of_the_plugin_is_a_failed_check_until_it_is_fixed() {
    let home = started();
    let root = installed(&home);
    let before = data(&home, &["doctor"]);
    for name in ["plugin", "plugin files", "plugin enabled", "hooks enabled"] {
        assert_eq!(check(&before, name)["status"], "ok", "{before}");
    }
    for (number, broken) in BROKEN.iter().enumerate() {
        (broken.break_it)(&home, &root);
        for arguments in [&["doctor"][..], &["doctor", "--fix"]] {
            let report = object(&home, 1, arguments);
            let doctor_check = check(&report["data"], broken.check);
            assert_eq!(doctor_check["status"], "fail", "{number}: {doctor_check}");
            let text = |key: &str| doctor_check[key].as_str().unwrap().to_owned();
            assert!(text("detail").contains(broken.names), "{number}: {doctor_check}");
            assert!(text("fix").contains(broken.fix), "{number}: {doctor_check}");
        }
        (broken.mend_it)(&home, &root);
        let report_after = data(&home, &["doctor"]);
        assert_eq!(check(&report_after, broken.check)["status"], "ok", "{number}");
    }
}

#[test]
fn settings_closer_to_the_project_count_more() {
    let home = started();
    installed(&home);
    let off = json!({"enabledPlugins": {"trueup@trueup": false}, "disableAllHooks": true});
    write(&home.user_home().join(".claude/settings.json"), &off);
    let on = json!({"enabledPlugins": {"trueup@trueup": true}, "disableAllHooks": false});
    write(&home.project_dir().join(".claude/settings.json"), &on);
    data(&home, &["doctor"]);
    // An entry that makes no sense is skipped.
    fs::write(home.project_dir().join(".claude/settings.json"), "{ no json").unwrap();
    object(&home, 1, &["doctor"]);
    let moved = home.root().join("config");
    fs::rename(home.user_home().join(".claude"), &moved).unwrap();
    let run = home.prepare_run("trueup").args(["doctor", "--json"]);
    let answer = run.env("CLAUDE_CONFIG_DIR", &moved).wait();
    assert_eq!(answer.code, Some(1), "{answer:?}");
}

#[test]
fn a_missing_git_and_an_old_client_fail() {
    let home = started();
    let path = home.root().join("path");
    fs::create_dir(&path).unwrap();
    let report = doctor_on(&home, &path, 1);
    assert_eq!(check(&report, "git")["status"], "fail");
    assert_eq!(check(&report, "client version")["status"], "skip");

    program(&path.join("git"), "echo git version 2.50.0");
    program(&path.join("claude"), "echo '2.1.9 (Claude Code)'");
    let old = doctor_on(&home, &path, 1);
    assert_eq!(check(&old, "git")["detail"], "git version 2.50.0");
    let version = check(&old, "client version");
    assert_eq!((&version["status"], &version["fix"]), (&json!("fail"), &json!("claude update")));
    program(&path.join("claude"), "echo '2.1.9999 (Claude Code)'");
    doctor_on(&home, &path, 0);
    program(&path.join("claude"), "echo soon");
    let odd = doctor_on(&home, &path, 0);
    assert_eq!(check(&odd, "client version")["status"], "warn");
}

#[test]
fn a_client_without_the_plugin_fails_unless_a_session_runs_its_hooks() {
    let home = Home::new();
    fs::create_dir_all(home.user_home().join(".claude")).unwrap();
    let report = object(&home, 1, &["doctor"]);
    assert_eq!(check(&report["data"], "plugin")["status"], "fail");
    let home = started();
    fs::create_dir_all(home.user_home().join(".claude")).unwrap();
    let heard = data(&home, &["doctor"]);
    assert_eq!(check(&heard, "plugin")["status"], "warn");
}
