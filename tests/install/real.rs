//! Installing into the real Claude Code.

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::client::{find_client, repository_root};

use crate::scratch::{InstallerOutput, Scratch, without_data};

const ODD: &str = "{\"model\":\"opus\",\n\n   \"permissions\" : {\"allow\":[\"Bash(ls)\"]}\n  }";

fn claude(scratch: &Scratch, args: &[&str]) -> InstallerOutput {
    let mut command = scratch.command(&scratch.path("path/claude"));
    InstallerOutput::new(command.args(args).output().unwrap())
}

#[test]
fn it_registers_and_leaves_as_it_came() {
    let Some(client) = find_client().unwrap() else {
        return;
    };
    for used_before in [false, true] {
        let scratch = Scratch::with_real_client(client);
        if used_before {
            scratch.write(".claude/settings.json", ODD);
            claude(&scratch, &["plugin", "list"]).exits(0);
        }
        let before = scratch.tree();
        scratch.install(&[]).exits(0);
        let list = claude(&scratch, &["plugin", "list", "--json"]).exits(0).out;
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list[0]["id"], "trueup@trueup", "{list}");
        assert_eq!(list[0]["enabled"], true, "{list}");
        assert_eq!(list[0]["readFromFolder"].as_str(), scratch.stage().to_str(), "{list}");

        let installed = scratch.tree();
        let output = scratch.install(&[]).exits(0);
        assert!(output.out.contains("Everything is up to date."), "{}", output.out);
        assert_eq!(scratch.tree(), installed);

        scratch.run(&["--uninstall"]).exits(0);
        assert_eq!(without_data(scratch.tree(), &before), before, "used before: {used_before}");
    }
}

#[test]
fn an_edit_made_since_survives() {
    let Some(client) = find_client().unwrap() else {
        return;
    };
    let scratch = Scratch::with_real_client(client);
    scratch.write(".claude/settings.json", ODD);
    scratch.install(&[]).exits(0);
    let settings = scratch.home(".claude/settings.json");
    let edited = fs::read_to_string(&settings).unwrap().replace("opus", "sonnet");
    fs::write(&settings, edited).unwrap();
    scratch.run(&["--uninstall"]).exits(0);
    let settings_text = fs::read_to_string(&settings).unwrap();
    assert!(
        settings_text.contains("sonnet") && !settings_text.contains("trueup"),
        "{settings_text}"
    );
}

#[test]
fn it_accepts_the_repository_and_the_staged_plugin() {
    let Some(client) = find_client().unwrap() else {
        return;
    };
    let scratch = Scratch::with_real_client(client);
    scratch.install(&["--prefix", "out", "--no-claude"]).exits(0);
    for dir in [repository_root().as_path(), &scratch.path("out"), Path::new("out")] {
        claude(&scratch, &["plugin", "validate", "--strict", dir.to_str().unwrap()]).exits(0);
    }
}
