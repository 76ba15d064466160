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
fn a_broken_record_is_set_aside_by_the_next_installation() {
    let scratch = Scratch::with_client();
    scratch.install(&[]).exits(0);
    scratch.write(".local/share/trueup/install-manifest.json", "{ half");
    let output = scratch.install(&[]).exits(0);
    assert!(output.out.contains("install-manifest.json.broken"), "{}", output.out);
    let aside = scratch.home(".local/share/trueup/install-manifest.json.broken");
    assert_eq!(fs::read_to_string(aside).unwrap(), "{ half");
    let again = scratch.install(&[]).exits(0);
    assert!(again.out.contains("Everything is up to date."), "{}", again.out);
}

#[test]
fn all_of_it_is_removed_without_the_record() {
    for record in [None, Some("{")] {
        let scratch = Scratch::with_client();
        scratch.write(".claude/settings.json", "{\n  \"model\": \"opus\"\n}\n");
        let path = scratch.home(".local/share/trueup/install-manifest.json");
        scratch.install(&[]).exits(0);
        assert!(scratch.home(".local/share/man/man1/trueup.1").exists());
        match record {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let output = scratch.run(&["--uninstall", "--purge"]).exits(0);
        assert!(output.out.contains("plugin removed, marketplace removed"), "{}", output.out);
        let files = scratch.tree().into_iter().filter(|(_, what)| !what.starts_with("dir"));
        let left: Vec<_> = files.filter(|(_, what)| what.contains("trueup")).collect();
        assert!(left.is_empty(), "{left:?}");
        let names = scratch.tree().into_keys().filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().contains("trueup"))
                && !path.starts_with(".claude/plugins")
        });
        assert_eq!(names.count(), 0);
    }
}

#[test]
fn what_cannot_be_removed_without_the_record_is_named() {
    let scratch = Scratch::with_client();
    scratch.install(&[]).exits(0);
    scratch.write(".local/share/trueup/install-manifest.json", "{");
    scratch.write(".local/share/man/man1/trueup-old.1", "an older page");
    fs::remove_file(scratch.path("path/claude")).unwrap();
    let output = scratch.run(&["--uninstall", "--purge"]).exits(1);
    for named in ["settings.json still names the plugin", "man1/trueup-old.1 kept"] {
        assert!(output.out.contains(named), "{named}: {}", output.out);
    }
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

#[test]
fn an_older_version_is_installed_only_when_forced() {
    let scratch = Scratch::new();
    scratch.install(&[]).exits(0);
    let path = scratch.home(".local/share/trueup/install-manifest.json");
    let record = fs::read_to_string(&path).unwrap();
    let newer = record.replacen("\"version\": \"", "\"version\": \"9", 1);
    fs::write(&path, newer).unwrap();
    let before = scratch.tree();
    let refused = scratch.install(&[]).exits(3);
    assert!(refused.err.contains("older") && refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(scratch.tree(), before);
    scratch.install(&["--force"]).exits(0);
}

#[test]
fn a_client_that_cannot_register_is_named_before_the_work_starts() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", "{ half");
    support::program::write_program(&scratch.path("path/claude"), "#!/bin/sh\nexit 1\n").unwrap();
    let shown = scratch.install(&["--dry-run"]).exits(0);
    for named in
        ["~/.claude/settings.json is not valid JSON", "`claude` is on PATH and does not run"]
    {
        assert!(shown.out.contains(named), "{named}: {}", shown.out);
    }
}

#[test]
fn a_program_that_dies_is_named_once_with_what_helps() {
    let scratch = Scratch::new();
    scratch.binary("trueup", "#!/bin/sh\nkill -SEGV $$\n");
    let output = scratch.install(&[]).exits(3);
    assert_eq!(output.err.matches("signal: 11").count(), 1, "{}", output.err);
    assert!(!output.err.contains("--bin-dir"), "{}", output.err);
}
