//! On a terminal of 80 columns no line of the installer wraps, unless it is one long path.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use support::client::find_binary;

use crate::scratch::Scratch;

const COLUMNS: usize = 80;

#[test]
fn every_line_fits_the_terminal() {
    if Command::new("script").arg("--version").output().is_err() {
        std::io::stderr().write_all(b"\nSKIPPED: there is no program `script`\n").unwrap();
        return;
    }
    let scratch = Scratch::with_client();
    let deep = scratch.home("a/directory/with/a/rather/long/name/for/the/links/of/commands");
    let (bins, deep) = (scratch.path("bins"), deep.display());
    let installer = find_binary("trueup-install").unwrap();
    let mut script = format!("stty rows 24 cols {COLUMNS}\n");
    for arguments in [
        format!("--bin-dir '{}' --codex --dry-run", bins.display()),
        format!("--bin-dir '{}' --codex --link-dir '{deep}'", bins.display()),
        "--uninstall --purge --dry-run".to_owned(),
        "--uninstall --purge".to_owned(),
    ] {
        script.extend(["'", &installer.display().to_string(), "' ", &arguments, "\n"]);
    }
    fs::write(scratch.path("columns.sh"), script).unwrap();
    let mut command = scratch.command(Path::new("script"));
    let shell = format!("sh '{}'", scratch.path("columns.sh").display());
    let run = command.args(["-qec", &shell, "/dev/null"]).output().unwrap();
    let shown = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(shown.contains("plugin removed") && shown.contains("hooks registered"), "{shown}");
    let lines = shown.lines().map(|line| line.trim_end_matches('\r'));
    let is_long = |line: &&str| line.chars().count() > COLUMNS && line.trim().contains(' ');
    let problems: Vec<_> = lines.filter(is_long).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}
