//! `trueup install` and `trueup uninstall` run the installer beside the program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::client::find_binary;
use support::home::Home;
use support::program::{copy_program, write_program};

/// An installer that says how it was called, and ends with 7.
const INSTALLER: &str = "#!/bin/sh\necho \"called: $*\"\necho trouble >&2\nexit 7\n";

/// Puts the program into a directory of its own, with or without an installer, and a link to it
/// elsewhere, as a package manager does.
fn bundle(home: &Home, installer: Option<&str>) -> PathBuf {
    let dir = home.root().join("bundle/bin");
    fs::create_dir_all(&dir).unwrap();
    copy_program(&find_binary("trueup").unwrap(), &dir.join("trueup")).unwrap();
    if let Some(installer) = installer {
        write_program(&dir.join("trueup-install"), installer).unwrap();
    }
    let link = home.root().join("linked-trueup");
    symlink(dir.join("trueup"), &link).unwrap();
    link
}

fn run(home: &Home, program: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    home.set_variables(&mut command);
    command.args(arguments).current_dir(home.project_dir()).output().unwrap()
}

#[test]
fn arguments_output_and_exit_code_are_the_installers() {
    let home = Home::new();
    let trueup = bundle(&home, Some(INSTALLER));
    for (arguments, called) in [
        (&["install"][..], ""),
        (&["install", "--dry-run", "--link-dir", "/x y"], "--dry-run --link-dir /x y"),
        (&["install", "--", "--help"], "--help"),
        (&["uninstall"], "--uninstall"),
        (
            &["uninstall", "--dry-run", "--purge", "--repositories"],
            "--uninstall --purge --repositories --dry-run",
        ),
    ] {
        let ended = run(&home, &trueup, arguments);
        assert_eq!(ended.status.code(), Some(7), "{arguments:?}: {ended:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stdout), format!("called: {called}\n"));
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "trouble\n");
    }
}

#[test]
fn with_json_the_output_of_the_installer_is_in_the_object() {
    let home = Home::new();
    let trueup = bundle(&home, Some(INSTALLER));
    let ended = run(&home, &trueup, &["--json", "uninstall"]);
    assert_eq!(ended.status.code(), Some(7));
    let object: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(object["data"]["stdout"], "called: --uninstall\n");
    assert_eq!(object["data"]["stderr"], "trouble\n");
    assert_eq!(object["data"]["exit_code"], 7);
}

#[test]
fn a_broken_configuration_does_not_stop_it() {
    let home = Home::new();
    let trueup = bundle(&home, Some(INSTALLER));
    fs::write(home.trueup_home().join("config.toml"), "lease_seconds\n").unwrap();
    assert_eq!(run(&home, &trueup, &["uninstall"]).status.code(), Some(7));
}

#[test]
fn without_an_installer_it_says_where_one_comes_from() {
    let home = Home::new();
    let trueup = bundle(&home, None);
    let ended = run(&home, &trueup, &["install"]);
    assert_eq!(ended.status.code(), Some(3));
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(message.contains("no trueup-install") && message.contains("hint: "), "{message}");
    let object = run(&home, &trueup, &["install", "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&object.stdout).unwrap();
    assert_eq!(object["error"]["code"], "installer_missing");
}
