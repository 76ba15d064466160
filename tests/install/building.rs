//! Building with a stand-in for cargo: its arguments, its progress and its messages.

use std::fs;
use std::process::Command;

use support::client::repository_root;

use crate::scratch::{InstallerOutput, Scratch};

const RUSTC: &str = "#!/bin/sh\n[ \"$1\" = -vV ] && echo 'host: riscv64-unknown-none'\n";
const CARGO: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >"$here/asked"
if [ -e "$here/broken" ]; then
    echo "   Compiling trueup v0.1.0" >&2
    echo "error[E0432]: unresolved import" >&2
    exit 101
fi
echo "   Compiling serde v1.0.0" >&2
for name in session-start-sync checkpoint-push pre-handoff-validate trueup validate-session-state trueup-hub; do
    echo "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"$name\"},\"executable\":\"$here/../bins/$name\"}"
done
echo "{\"reason\":\"build-finished\",\"success\":true}"
"#;

fn installer(scratch: &Scratch, args: &[&str]) -> Command {
    let root = repository_root();
    let args = [&["--source", root.to_str().unwrap()], args].concat();
    for (name, text) in [("cargo", CARGO), ("rustc", RUSTC)] {
        support::program::write_program(&scratch.path("path").join(name), text).unwrap();
    }
    scratch.installer(&args)
}

#[test]
fn what_cargo_names_is_staged_and_its_progress_shown() {
    let scratch = Scratch::new();
    let output = installer(&scratch, &["--prefix", "out", "--no-claude"]).output().unwrap();
    let run = InstallerOutput::new(output).exits(0);
    assert!(run.err.contains("Compiling serde"), "{}", run.err);
    assert!(run.out.contains("riscv64-unknown-none"), "says what was taken: {}", run.out);
    assert!(scratch.path("out/bin/checkpoint-push").exists());
    let asked = fs::read_to_string(scratch.path("path/asked")).unwrap();
    for word in [
        "build --locked",
        "--profile source",
        "-p trueup-hooks",
        "-p trueup",
        "-p trueup-hub",
        "--target riscv64-unknown-none",
    ] {
        assert!(asked.contains(word), "{word}: {asked}");
    }
}

#[test]
fn a_build_that_fails_shows_cargos_own_error() {
    let scratch = Scratch::new();
    fs::write(scratch.path("path/broken"), "").unwrap();
    let output = installer(&scratch, &[]).output().unwrap();
    let run = InstallerOutput::new(output).exits(3);
    assert!(run.err.contains("error[E0432]") && run.err.contains("hint:"), "{}", run.err);
    assert!(scratch.tree().is_empty());
}

#[test]
fn a_dry_run_names_the_target_and_builds_nothing() {
    let scratch = Scratch::new();
    let output = installer(&scratch, &["--dry-run"]).output().unwrap();
    let run = InstallerOutput::new(output).exits(0);
    assert!(run.out.contains("riscv64-unknown-none"), "{}", run.out);
    assert!(!scratch.path("path/asked").exists());
}
