//! Failures are reported with a hint, and the working plugin stays.

use std::fs;
use std::os::unix::fs::symlink;

use support::client::repository_root;

use crate::scratch::{InstallerOutput, Scratch, tree};

#[test]
fn wrong_usage_is_exit_2() {
    let scratch = Scratch::new();
    scratch.run(&["--no-such-flag"]).exits(2);
    scratch.run(&["--purge"]).exits(2);
    scratch.run(&["--bin-dir", "bins", "--no-build"]).exits(2);
    assert!(scratch.run(&["--help"]).exits(0).out.contains("Example:"));
    assert!(scratch.tree().is_empty());
}

#[test]
fn a_missing_binary_is_named() {
    let scratch = Scratch::new();
    fs::remove_file(scratch.path("bins/checkpoint-push")).unwrap();
    let output = scratch.install(&[]).exits(3);
    assert!(
        output.err.contains("bins/checkpoint-push") && output.err.contains("hint:"),
        "{}",
        output.err
    );
    assert!(scratch.tree().is_empty());
}

#[test]
fn a_binary_that_does_not_run_never_replaces_one_that_does() {
    let scratch = Scratch::new();
    scratch.install(&[]).exits(0);
    let working = tree(&scratch.stage());
    scratch.binary("pre-handoff-validate", "#!/bin/sh\necho broken >&2\nexit 7\n");
    let output = scratch.install(&[]).exits(3);
    assert!(
        output.err.contains("pre-handoff-validate") && output.err.contains("broken"),
        "{}",
        output.err
    );
    assert_eq!(tree(&scratch.stage()), working);
}

#[test]
fn a_database_that_cannot_be_made_is_not_in_place() {
    let scratch = Scratch::new();
    scratch.binary("trueup", "#!/bin/sh\n[ \"$1\" != db ] || { echo 'disk full' >&2; exit 3; }\n");
    let output = scratch.install(&[]).exits(1);
    assert!(output.out.contains("disk full"), "{}", output.out);
}

#[test]
fn a_client_that_refuses_does_not_stop_the_rest() {
    let scratch = Scratch::with_client();
    fs::write(scratch.path("path/claude"), "#!/bin/sh\necho 'managed by policy' >&2\nexit 1\n")
        .unwrap();
    let output = scratch.install(&[]).exits(1);
    assert!(output.out.contains("managed by policy"), "{}", output.out);
    assert!(output.out.contains("the doctor"), "{}", output.out);
}

#[test]
fn a_broken_record_is_kept_and_named() {
    let scratch = Scratch::new();
    scratch.write(".local/share/trueup/install-manifest.json", "{ half");
    for args in [&["--uninstall"][..], &[]] {
        let output = scratch.install(args).exits(3);
        assert!(output.err.contains("install-manifest.json"), "{}", output.err);
    }
    let record = scratch.home(".local/share/trueup/install-manifest.json");
    assert_eq!(fs::read_to_string(record).unwrap(), "{ half");
}

#[test]
fn without_cargo_the_script_says_how_to_get_it() {
    let scratch = Scratch::new();
    for tool in ["dirname", "cat", "sed", "tail"] {
        symlink(format!("/usr/bin/{tool}"), scratch.path("path").join(tool)).unwrap();
    }
    let script = repository_root().join("install/install.sh");
    let output = scratch
        .command("/bin/sh".as_ref())
        .arg(script)
        .env("PATH", scratch.path("path"))
        .output()
        .unwrap();
    let run = InstallerOutput::new(output).exits(3);
    assert!(run.err.contains("https://rustup.rs") && run.err.contains("apt install rustup"));
}

#[test]
fn an_argument_is_printed_in_one_line_and_without_what_acts() {
    let scratch = Scratch::new();
    let evil = "x\n::error file=a::b\n\u{202e}evil\u{9b}[31m";
    let output = scratch.run(&[evil]).exits(2);
    let dry = scratch.install(&["--dry-run", "--prefix", evil]).exits(0);
    for text in [&output.err, &output.out, &dry.out, &dry.err] {
        assert!(!text.lines().any(|line| line.starts_with("::")), "{text}");
        assert!(!text.contains(['\u{202e}', '\u{9b}']), "{text}");
    }
    assert!(dry.out.contains("error file=a"), "{}", dry.out);
}

#[test]
fn a_place_that_is_no_utf8_is_refused_before_anything_is_staged() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = Scratch::new();
    let odd = scratch.path("out").into_os_string();
    let odd = OsStr::from_bytes(&[odd.as_bytes(), b"\xff"].concat()).to_owned();
    let before = scratch.tree();
    for variable in [None, Some("HOME"), Some("TRUEUP_HOME")] {
        let mut command = scratch.installer(&["--no-claude"]);
        match variable {
            Some(name) => command.env(name, &odd),
            None => command.arg("--prefix").arg(&odd),
        };
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{variable:?}: {stderr}");
        assert!(stderr.contains("is not UTF-8"), "{stderr}");
        assert_eq!(scratch.tree(), before, "{variable:?}");
    }
}
