//! An unpacked release: programs beside the script, no Rust, no checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::client::{find_binary, repository_root};
use support::program::write_program;

use crate::scratch::{InstallerOutput, Scratch, without_data};

/// Unpacks a release: the script, and the programs beside it.
fn unpack(scratch: &Scratch) -> PathBuf {
    let bundle = scratch.path("trueup-0.1.0-here");
    fs::rename(scratch.path("bins"), scratch.path("bin")).unwrap();
    fs::create_dir(&bundle).unwrap();
    fs::rename(scratch.path("bin"), bundle.join("bin")).unwrap();
    fs::copy(find_binary("trueup-install").unwrap(), bundle.join("bin/trueup-install")).unwrap();
    fs::copy(repository_root().join("install/install.sh"), bundle.join("install.sh")).unwrap();
    bundle
}

fn run(scratch: &Scratch, bundle: &Path, arguments: &[&str]) -> InstallerOutput {
    let mut command = scratch.command(Path::new("/bin/sh"));
    command.arg(bundle.join("install.sh")).args(arguments);
    InstallerOutput::new(command.output().unwrap())
}

fn record(scratch: &Scratch) -> serde_json::Value {
    let path = scratch.home(".local/share/trueup/install-manifest.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_release_is_installed_without_rust_and_removed_without_the_release() {
    let scratch = Scratch::with_client();
    let before = scratch.tree();
    let bundle = unpack(&scratch);
    let output = run(&scratch, &bundle, &[]).exits(0);
    assert!(output.out.contains("Next:") && output.out.contains("trueup top"), "{}", output.out);
    assert_eq!(record(&scratch)["origin"]["kind"], "archive");
    let page = scratch.home(".local/share/man/man1/trueup.1");
    assert_eq!(fs::read_to_string(&page).unwrap(), "the page\n");
    assert!(page.with_file_name("trueup-hub.1").exists(), "the pages of the server are there too");
    let completions = scratch.home(".local/share/bash-completion/completions/trueup");
    assert_eq!(fs::read_to_string(&completions).unwrap(), "complete for bash\n");
    // Now the plugin alone is enough.
    fs::remove_dir_all(&bundle).unwrap();
    let staged = scratch.stage().join("bin/trueup-install");
    let again = InstallerOutput::new(scratch.command(&staged).output().unwrap()).exits(0);
    assert!(again.out.contains("Everything is up to date."), "{}", again.out);
    assert_eq!(record(&scratch)["origin"]["kind"], "archive");
    let mut uninstall = scratch.command(&staged);
    InstallerOutput::new(uninstall.arg("--uninstall").output().unwrap()).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn a_page_that_is_not_ours_stays() {
    let scratch = Scratch::new();
    scratch.write(".local/share/man/man1/trueup.1", "mine");
    let before = scratch.tree();
    let bundle = unpack(&scratch);
    let output = run(&scratch, &bundle, &[]).exits(0);
    assert!(output.out.contains("man1/trueup.1 is not trueup's; kept"), "{}", output.out);
    run(&scratch, &bundle, &["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn a_package_that_names_itself_is_remembered() {
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    let mut command = scratch.command(&bundle.join("bin/trueup-install"));
    InstallerOutput::new(command.env("TRUEUP_ORIGIN", "npm").output().unwrap()).exits(0);
    assert_eq!(record(&scratch)["origin"]["kind"], "npm");
    // Who updates the plugin from itself does not know it any more, and keeps it.
    let staged = scratch.stage().join("bin/trueup-install");
    InstallerOutput::new(scratch.command(&staged).output().unwrap()).exits(0);
    assert_eq!(record(&scratch)["origin"]["kind"], "npm");
}

#[test]
fn what_is_missing_is_named_before_the_work_starts() {
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    write_program(&scratch.path("path/claude"), "#!/bin/sh\necho '2.1.100 (Claude Code)'\n")
        .unwrap();
    let mut command = Command::new(bundle.join("bin/trueup-install"));
    command.arg("--dry-run").env_clear().env("HOME", scratch.home(""));
    // A directory without git.
    command.env("PATH", scratch.path("path"));
    let run = InstallerOutput::new(command.output().unwrap()).exits(0);
    for (what, help) in [
        ("git was not found", "install git"),
        ("2.1.100 is older than", "claude update"),
        (".local/bin is not on PATH", "export PATH="),
    ] {
        assert!(run.out.contains(what) && run.out.contains(help), "{what}: {}", run.out);
    }
    assert!(scratch.tree().is_empty());
}

#[test]
fn a_release_without_its_programs_is_named() {
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    fs::remove_dir_all(bundle.join("bin")).unwrap();
    let run = run(&scratch, &bundle, &[]).exits(3);
    assert!(run.err.contains("unpack the archive again"), "{}", run.err);
}

#[test]
fn what_lies_in_repositories_is_told_and_removed_when_asked() {
    const TRUEUP: &str = "#!/bin/sh\n[ \"$1\" = leftovers ] && echo \"left: cache $2\"\nexit 0\n";
    for (arguments, told) in [
        (&["--uninstall"][..], "trueup leftovers --remove"),
        (&["--uninstall", "--repositories"], "left: cache --remove"),
    ] {
        let scratch = Scratch::new();
        let bundle = unpack(&scratch);
        run(&scratch, &bundle, &[]).exits(0);
        write_program(&scratch.stage().join("bin/trueup"), TRUEUP).unwrap();
        let output = run(&scratch, &bundle, arguments).exits(0);
        assert!(output.out.contains("left: cache") && output.out.contains(told), "{}", output.out);
    }
}

#[test]
fn nothing_is_removed_where_repositories_cannot_be_looked_at() {
    const TRUEUP: &str = "#!/bin/sh\n[ \"$1\" = leftovers ] && echo 'warning: only this project was searched' >&2\nexit 0\n";
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    run(&scratch, &bundle, &[]).exits(0);
    write_program(&scratch.stage().join("bin/trueup"), TRUEUP).unwrap();
    let before = scratch.tree();
    let refused = run(&scratch, &bundle, &["--uninstall", "--repositories", "--purge"]).exits(3);
    assert!(refused.err.contains("only this project was searched"), "{}", refused.err);
    assert_eq!(scratch.tree(), before);
    let told = run(&scratch, &bundle, &["--uninstall"]).exits(0);
    assert!(told.out.contains("not looked at"), "{}", told.out);
}

#[test]
fn writes_that_wait_are_not_purged() {
    const TRUEUP: &str = "#!/bin/sh\necho '{\"data\":{\"records\":[{},{}]}}'\n";
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    run(&scratch, &bundle, &[]).exits(0);
    scratch.write(".local/share/trueup/outbox.jsonl", "two");
    write_program(&scratch.stage().join("bin/trueup"), TRUEUP).unwrap();
    let before = scratch.tree();
    let refused = run(&scratch, &bundle, &["--uninstall", "--purge"]).exits(3);
    assert!(
        refused.err.contains("2 writes") && refused.err.contains("outbox drain"),
        "{}",
        refused.err
    );
    assert_eq!(scratch.tree(), before);
}

#[test]
fn what_a_user_keeps_beside_the_database_stays() {
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    run(&scratch, &bundle, &[]).exits(0);
    scratch.write(".local/share/trueup/notes.txt", "mine");
    scratch.write(".config/trueup/hub-token", "mine");
    scratch.write(".config/trueup/config.toml", "");
    let output = run(&scratch, &bundle, &["--uninstall", "--purge"]).exits(0);
    assert!(output.out.contains("notes.txt") && output.out.contains("hub-token"), "{}", output.out);
    let files =
        |tree: crate::scratch::Tree| tree.into_iter().filter(|(_, what)| !what.starts_with("dir"));
    let left: Vec<_> = files(scratch.tree()).map(|(path, _)| path).collect();
    assert_eq!(
        left,
        [".config/trueup/hub-token", ".local/share/trueup/notes.txt"].map(PathBuf::from)
    );
}

#[test]
fn installations_at_once_wait_for_each_other() {
    let scratch = Scratch::with_client();
    let bundle = unpack(&scratch);
    std::thread::scope(|threads| {
        let runs: Vec<_> = (0..4).map(|_| threads.spawn(|| run(&scratch, &bundle, &[]))).collect();
        for each in runs {
            each.join().unwrap().exits(0);
        }
    });
}

#[test]
fn a_plugin_that_was_staged_elsewhere_is_removed_by_its_own_program() {
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    let (prefix, links) = (scratch.path("elsewhere"), scratch.path("links"));
    let [prefix_text, links_text] = [&prefix, &links].map(|path| path.to_str().unwrap());
    run(&scratch, &bundle, &["--prefix", prefix_text, "--link-dir", links_text]).exits(0);
    let mut command = scratch.command(&prefix.join("bin/trueup-install"));
    InstallerOutput::new(command.arg("--uninstall").output().unwrap()).exits(0);
    assert!(!prefix.exists() && !links.exists());
    // And one below a TRUEUP_HOME that is not set any more.
    let home = scratch.path("trueup-home");
    let mut command = scratch.command(&bundle.join("bin/trueup-install"));
    InstallerOutput::new(command.env("TRUEUP_HOME", &home).output().unwrap()).exits(0);
    let mut command = scratch.command(&home.join("plugin/bin/trueup-install"));
    InstallerOutput::new(command.args(["--uninstall", "--purge"]).output().unwrap()).exits(0);
    assert!(!home.exists());
}

#[test]
fn pages_of_an_installation_that_ended_half_way_are_removed() {
    let scratch = Scratch::new();
    write_program(&scratch.path("path/zsh"), "#!/bin/sh\n").unwrap();
    // The pages are written before the completions of zsh, whose directory cannot be made.
    scratch.write(".local/share/zsh", "in the way");
    let before = scratch.tree();
    let bundle = unpack(&scratch);
    run(&scratch, &bundle, &[]).exits(1);
    let man = scratch.home(".local/share/man/man1");
    assert!(man.join("trueup.1").exists());
    fs::write(man.join(".trueup-draft"), "half").unwrap();
    run(&scratch, &bundle, &["--uninstall", "--purge"]).exits(0);
    assert_eq!(scratch.tree(), before);
}

#[test]
fn a_prefix_is_purged_by_its_own_program_and_leaves_nothing() {
    const TRUEUP: &str = "#!/bin/sh\n[ \"$1\" = leftovers ] && echo \"left: cache $2\"\nexit 0\n";
    let scratch = Scratch::with_client();
    let before = scratch.tree();
    let bundle = unpack(&scratch);
    let prefix = scratch.path("px");
    run(&scratch, &bundle, &["--prefix", prefix.to_str().unwrap()]).exits(0);
    assert!(scratch.home(".local/share/trueup/trueup.db").exists());
    write_program(&prefix.join("bin/trueup"), TRUEUP).unwrap();
    let mut command = scratch.command(&prefix.join("bin/trueup-install"));
    command.args(["--uninstall", "--purge", "--repositories"]);
    let output = InstallerOutput::new(command.output().unwrap()).exits(0);
    assert!(output.out.contains("left: cache --remove"), "{}", output.out);
    assert!(!prefix.exists());
    assert_eq!(scratch.tree(), before);
}

#[test]
fn what_is_removed_is_looked_for_where_it_was_installed() {
    // Says where it looks, as the programs do by these variables.
    const TRUEUP: &str = "#!/bin/sh\n[ \"$1\" = leftovers ] && echo \"in $TRUEUP_HOME and $CLAUDE_CONFIG_DIR\"\nexit 0\n";
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    for arguments in [&[][..], &["--prefix", "px"]] {
        let (data, config) = (scratch.path("data"), scratch.path("claude"));
        let mut command = scratch.command(&bundle.join("bin/trueup-install"));
        command.args(arguments).env("TRUEUP_HOME", &data).env("CLAUDE_CONFIG_DIR", &config);
        InstallerOutput::new(command.output().unwrap()).exits(0);
        let plugin = if arguments.is_empty() { data.join("plugin") } else { scratch.path("px") };
        write_program(&plugin.join("bin/trueup"), TRUEUP).unwrap();
        let mut command = scratch.command(&plugin.join("bin/trueup-install"));
        command.args(["--uninstall", "--purge", "--repositories"]).env("TRUEUP_HOME", "other");
        let output = InstallerOutput::new(command.output().unwrap()).exits(0);
        let looked = format!("in {} and {}", data.display(), config.display());
        assert!(output.out.contains(&looked), "{}", output.out);
        assert!(!data.exists() && !plugin.exists());
    }
}

#[test]
fn a_database_elsewhere_is_named() {
    const TRUEUP: &str =
        "#!/bin/sh\n[ \"$2\" = db ] && echo '{\"data\":{\"path\":\"/srv/mydata/w.db\"}}'\nexit 0\n";
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    run(&scratch, &bundle, &[]).exits(0);
    write_program(&scratch.stage().join("bin/trueup"), TRUEUP).unwrap();
    let shown = run(&scratch, &bundle, &["--uninstall", "--purge", "--dry-run"]).exits(0);
    assert!(shown.out.contains("keep the database /srv/mydata/w.db"), "{}", shown.out);
    let output = run(&scratch, &bundle, &["--uninstall", "--purge"]).exits(0);
    assert!(output.out.contains("/srv/mydata/w.db kept"), "{}", output.out);
}

#[test]
fn data_of_another_installation_is_not_purged_with_a_prefix() {
    let scratch = Scratch::new();
    let bundle = unpack(&scratch);
    run(&scratch, &bundle, &[]).exits(0);
    run(&scratch, &bundle, &["--prefix", "px"]).exits(0);
    let refused = run(&scratch, &bundle, &["--uninstall", "--purge", "--prefix", "px"]).exits(3);
    assert!(refused.err.contains("another installation"), "{}", refused.err);
}
