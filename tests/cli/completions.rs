//! Completion in real shells.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::client::find_binary;
use support::home::{FIRST_SESSION, Home, skip_over_postgres};

use crate::fixture::{data, started, trueup};

/// Completes the last word of a line as bash does, which separates words at colons as well.
const BASH: &str = r#"
source <(TRUEUP_HOME=/nowhere trueup completions bash)
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
function=$(complete -p trueup | sed 's/.*-F \([^ ]*\).*/\1/')
"$function" trueup "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn complete(home: &Home, words: &[&str]) -> Vec<String> {
    let program = find_binary("trueup").unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut bash = Command::new("bash");
    home.set_variables(&mut bash);
    bash.env("PATH", path).current_dir(home.project_dir());
    let ended = bash.args(["-c", BASH, "bash", "trueup"]).args(words).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{words:?}");
    let text = String::from_utf8(ended.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Reads every file below a directory.
fn read_tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(read_tree(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

fn home_with_work() -> Home {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--title", "First"]);
    data(&home, &["item", "add", "SD-2"]);
    data(&home, &["item", "add", "OTHER"]);
    data(&home, &["queue", "add", "SD-1", "--phases", "plan,build"]);
    home
}

#[test]
fn bash_completes_ids_of_the_database() {
    if skip_over_postgres("a database on a server is not asked") {
        return;
    }
    let home = home_with_work();
    for (words, expected) in [
        (&["claim", "SD"][..], &["SD-1", "SD-2"][..]),
        (&["item", "show", "O"], &["OTHER"]),
        (&["next", "--parent", "SD-2"], &["SD-2"]),
        (&["queue", "start", "SD"], &["SD-1:1", "SD-1:2"]),
        (&["queue", "start", "SD-1", ":", ""], &["1", "2"]),
        (&["sessions", "show", "0a"], &[FIRST_SESSION]),
        (&["status", "--session", "0a"], &[FIRST_SESSION]),
        (&["queue", "li"], &["list"]),
        (&["claim", "--spa"], &["--span"]),
    ] {
        assert_eq!(complete(&home, words), expected, "{words:?}");
    }
}

#[test]
fn completing_leaves_no_trace_and_is_silent_whatever_is_broken() {
    if skip_over_postgres("the files of a database are compared") {
        return;
    }
    let home = Home::new();
    let before = read_tree(&home.root());
    assert_eq!(complete(&home, &["claim", "S"]), [""; 0]);
    assert_eq!(read_tree(&home.root()), before, "nothing is created");
    let home = home_with_work();
    let before = read_tree(&home.trueup_home());
    assert_eq!(complete(&home, &["claim", "SD-2"]), ["SD-2"]);
    assert_eq!(read_tree(&home.trueup_home()), before);
    fs::write(home.trueup_home().join("trueup.db"), "no database").unwrap();
    assert_eq!(complete(&home, &["claim", "S"]), [""; 0]);
    fs::write(home.trueup_home().join("config.toml"), "[[").unwrap();
    assert_eq!(complete(&home, &["claim", "S"]), [""; 0]);
    assert_eq!(complete(&home, &["queue", "li"]), ["list"]);
}

#[test]
fn a_database_on_a_server_is_not_asked() {
    let home = Home::new();
    // Nothing answers there; waiting for it would end after many seconds, with a message.
    let config = "database_url = \"postgres://nobody@192.0.2.1/none\"\n";
    fs::write(home.trueup_home().join("config.toml"), config).unwrap();
    assert_eq!(complete(&home, &["claim", "S"]), [""; 0]);
}

#[test]
fn each_shell_gets_a_script_and_zsh_can_load_it_by_name() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = trueup(&home, &["completions", shell]).ok().stdout;
        assert!(script.contains("TRUEUP_COMPLETE"), "{shell}: {script}");
    }
    let zsh = trueup(&home, &["completions", "zsh"]).ok().stdout;
    assert!(zsh.starts_with("#compdef trueup\n") && zsh.contains("_trueup"), "{zsh}");
}
