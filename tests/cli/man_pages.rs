//! The manual pages, one for each command.

use std::collections::BTreeSet;
use std::fs;

use support::home::Home;

use crate::fixture::data;
use crate::help::COMMANDS;

#[test]
fn each_command_has_a_page() {
    let home = Home::new();
    let out = home.root().join("share/man/man1");
    let written = data(&home, &["man", "--out", out.to_str().unwrap()]);
    let files =
        fs::read_dir(&out).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = files.collect();
    let name = |words: &&[&str]| [&["trueup"], *words].concat().join("-") + ".1";
    let mut expected: BTreeSet<String> = COMMANDS.iter().map(name).collect();
    expected.insert("validate-session-state.1".to_owned());
    assert_eq!(found, expected);
    assert_eq!(written["pages"].as_array().unwrap().len(), expected.len());
    let page = fs::read_to_string(out.join("trueup-claim.1")).unwrap();
    assert!(page.contains("Example: trueup claim") && page.contains("\\-\\-span"), "{page}");
}

#[test]
fn the_hub_writes_its_own_pages() {
    let home = Home::new();
    let out = home.root().join("pages");
    fs::create_dir(&out).unwrap();
    let run = home.prepare_run("trueup-hub").args(["man", "--out"]).args([&out]);
    run.wait().ok();
    for name in ["trueup-hub", "trueup-hub-serve", "trueup-hub-token-create"] {
        assert!(out.join(format!("{name}.1")).exists(), "{name}");
    }
    assert!(!out.join("trueup-hub-man.1").exists());
}
