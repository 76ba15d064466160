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
        (&["--uninstall"][..], "uninstall with --repositories"),
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
