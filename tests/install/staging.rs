//! The staged directory, the links, and running twice.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::scratch::{Scratch, tree, without_data};

const PARTS: [&str; 5] = [".claude-plugin", ".codex-plugin", "bin", "hooks", "skills"];

#[test]
fn a_prefix_without_client_is_staged_and_nothing_else() {
    let scratch = Scratch::with_client();
    let output = scratch.install(&["--prefix", "out", "--no-claude"]).exits(0);
    assert!(output.out.contains("the demo"), "{}", output.out);
    let out = scratch.path("out");
    let mut names: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".install-manifest.json")
        .collect();
    names.sort();
    assert_eq!(names, PARTS);
    for name in ["session-start-sync", "checkpoint-push", "pre-handoff-validate", "trueup"] {
        let mode = out.join("bin").join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{name}");
    }
    assert!(!out.join("hooks/Cargo.toml").exists());
    assert!(scratch.tree().is_empty(), "{:?}", scratch.tree());
    assert!(!scratch.path("path/calls").exists(), "the client was not to be run");

    let before = tree(&out);
    let again = scratch.install(&["--prefix", "out", "--no-claude"]).exits(0);
    assert!(again.out.contains("Everything is up to date."), "{}", again.out);
    assert_eq!(tree(&out), before);

    scratch.run(&["--uninstall", "--prefix", "out", "--no-claude"]).exits(0);
    assert!(!out.exists());
    assert!(scratch.tree().is_empty());
}

#[test]
fn a_prefix_keeps_what_is_not_ours() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("out")).unwrap();
    fs::write(scratch.path("out/mine.txt"), "mine").unwrap();
    let before = tree(&scratch.path("out"));
    scratch.install(&["--prefix", "out", "--no-claude"]).exits(0);
    scratch.run(&["--uninstall", "--prefix", "out"]).exits(0);
    assert_eq!(tree(&scratch.path("out")), before);

    fs::create_dir(scratch.path("out/bin")).unwrap();
    let output = scratch.install(&["--prefix", "out", "--no-claude"]).exits(3);
    assert!(output.err.contains("out") && output.err.contains("hint:"), "{}", output.err);
}

#[test]
fn a_dry_run_touches_nothing() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", "{ \"model\":\"opus\"}");
    let before = scratch.tree();
    let output = scratch.install(&["--dry-run"]).exits(0);
    for word in ["stage", "link", "register", "database", "demo", "doctor"] {
        assert!(output.out.contains(word), "{word}: {}", output.out);
    }
    assert_eq!(scratch.tree(), before);
    assert_eq!(fs::read_to_string(scratch.path("path/calls")).unwrap(), "--version\n");

    scratch.install(&[]).exits(0);
    let installed = scratch.tree();
    scratch.run(&["--uninstall", "--purge", "--dry-run"]).exits(0);
    assert_eq!(scratch.tree(), installed);
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let scratch = Scratch::with_client();
    let output = scratch.install(&[]).exits(0);
    assert!(output.out.contains("the demo") && output.out.contains("the doctor"), "{}", output.out);
    for name in ["trueup", "validate-session-state", "trueup-hub"] {
        let link = fs::read_link(scratch.home(".local/bin").join(name)).unwrap();
        assert_eq!(link, scratch.stage().join("bin").join(name));
    }
    let installed = scratch.tree();
    let output = scratch.install(&[]).exits(0);
    assert!(output.out.contains("Everything is up to date."), "{}", output.out);
    assert_eq!(scratch.tree(), installed);
}

#[test]
fn an_upgrade_replaces_the_plugin_whole() {
    let scratch = Scratch::new();
    scratch.install(&[]).exits(0);
    scratch.binary("checkpoint-push", "#!/bin/sh\n# newer\ncat >/dev/null\n");
    scratch.install(&[]).exits(0);
    let text = fs::read_to_string(scratch.stage().join("bin/checkpoint-push")).unwrap();
    assert!(text.contains("newer"));
    let beside: Vec<_> = fs::read_dir(scratch.home(".local/share/trueup"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".trueup-"))
        .collect();
    assert!(beside.is_empty(), "{beside:?}");
}

#[test]
fn uninstalling_leaves_only_the_database() {
    let scratch = Scratch::with_client();
    let before = scratch.tree();
    scratch.install(&[]).exits(0);
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
    scratch.run(&["--uninstall"]).exits(0);
    scratch.run(&["--uninstall", "--purge"]).exits(0);
    assert!(!scratch.home(".local/share/trueup").exists());
}

#[test]
fn a_foreign_command_is_not_replaced() {
    let scratch = Scratch::new();
    scratch.write(".local/bin/trueup", "mine");
    let before = scratch.tree();
    let output = scratch.install(&[]).exits(1);
    assert!(output.out.contains("~/.local/bin/trueup") || output.out.contains(".local/bin/trueup"));
    assert!(output.out.contains("failed"), "{}", output.out);
    assert_eq!(fs::read_to_string(scratch.home(".local/bin/trueup")).unwrap(), "mine");
    assert!(scratch.home(".local/bin/validate-session-state").exists(), "the rest goes on");
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn everything_lies_beneath_trueup_home_when_it_is_set() {
    let scratch = Scratch::new();
    let home = scratch.path("elsewhere");
    let bins = scratch.path("bins");
    let run =
        |args: &[&str]| scratch.installer(args).env("TRUEUP_HOME", &home).status().unwrap().code();
    assert_eq!(run(&["--bin-dir", bins.to_str().unwrap()]), Some(0));
    assert!(home.join("plugin/bin/trueup").exists() && home.join("trueup.db").exists());
    assert!(!scratch.home(".local/share").exists());
    assert_eq!(run(&["--uninstall", "--purge"]), Some(0));
    assert!(!home.exists());
    assert!(!scratch.home(".local").exists());
}

#[test]
fn a_purge_leaves_what_others_keep_in_the_same_directory() {
    let scratch = Scratch::new();
    let home = scratch.path("shared");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("thesis.txt"), "mine").unwrap();
    let before = tree(&home);
    let bins = scratch.path("bins");
    for args in [&["--bin-dir", bins.to_str().unwrap()][..], &["--uninstall", "--purge"]] {
        let status = scratch.installer(args).env("TRUEUP_HOME", &home).status().unwrap();
        assert!(status.success());
    }
    assert_eq!(tree(&home), before);
}

#[test]
fn logs_go_and_settings_go_with_a_purge() {
    let scratch = Scratch::new();
    let before = scratch.tree();
    scratch.install(&[]).exits(0);
    scratch.write(".local/state/trueup/trueup.log", "log");
    scratch.write(".config/trueup/config.toml", "");
    scratch.run(&["--uninstall"]).exits(0);
    assert!(!scratch.home(".local/state/trueup").exists());
    assert!(scratch.home(".config/trueup/config.toml").exists(), "the user wrote it");
    scratch.run(&["--uninstall", "--purge"]).exits(0);
    for dir in [".config", ".local/state", ".local/share", ".local"] {
        // Created by this test and by the first installation, whose record is gone.
        drop(fs::remove_dir(scratch.home(dir)));
    }
    assert_eq!(scratch.tree(), before);
}

#[test]
fn no_directory_with_more_in_it_is_purged() {
    let scratch = Scratch::new();
    scratch.write("precious.txt", "mine");
    let home = scratch.home("");
    let output =
        scratch.installer(&["--uninstall", "--purge"]).env("TRUEUP_HOME", &home).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(Path::new(&home).join("precious.txt").exists());
}

#[test]
fn what_a_killed_installation_was_writing_is_removed() {
    let scratch = Scratch::new();
    let dead =
        [".local/share/trueup/.trueup-stage-OxMvbS/bin/trueup", ".local/bin/.trueup-link-a1B2c3"];
    let own = ".local/share/trueup/.trueup-stage-notes";
    let leave = || dead.iter().for_each(|path| scratch.write(path, "half"));
    leave();
    scratch.write(own, "mine");
    let output = scratch.install(&[]).exits(0);
    assert!(output.out.contains(".trueup-stage-OxMvbS removed"), "{}", output.out);
    assert!(dead.iter().all(|path| !scratch.home(path).exists()));
    assert!(!scratch.home(".local/share/trueup/.trueup-stage-OxMvbS").exists());
    leave();
    let shown = scratch.run(&["--uninstall", "--purge", "--dry-run"]).exits(0);
    assert!(
        shown.out.contains("remove ~/.local/share/trueup/.trueup-stage-OxMvbS"),
        "{}",
        shown.out
    );
    scratch.run(&["--uninstall", "--purge"]).exits(0);
    assert!(dead.iter().all(|path| !scratch.home(path).exists()));
    assert_eq!(fs::read_to_string(scratch.home(own)).unwrap(), "mine");
}
