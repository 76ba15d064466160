//! Tests that every command in the skills and the help topics can be parsed.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use crate::commands::TrueupArgs;
use crate::commands::validate::ValidateArgs;

/// Splits a command line into words as a shell does, with double quotes and a trailing comment.
fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '#' if !quoted && word.is_none() => break,
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Extracts the command lines of a skill from its shell blocks and backticks.
fn extract_commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (place, part) in text.split("```").enumerate() {
        if place % 2 == 1 {
            let block = part.strip_prefix("sh\n").unwrap_or_default();
            found.extend(block.replace("\\\n", " ").lines().map(split_words));
        } else {
            found.extend(part.split('`').skip(1).step_by(2).map(split_words));
        }
    }
    let ours = |words: &Vec<String>| {
        let program = words.first().map(String::as_str);
        matches!(program, Some("trueup" | "validate-session-state"))
    };
    found.retain(ours);
    found
}

/// Replaces a placeholder by a value that can be parsed.
fn fill_placeholder(word: &str) -> &str {
    match word {
        "ID" => "1",
        "SESSION" | "KEY" => "SD-1",
        other => other,
    }
}

#[test]
fn every_command_of_the_skills_parses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../skills");
    let mut named = 0;
    for skill in fs::read_dir(folder).unwrap() {
        let path = skill.unwrap().path().join("SKILL.md");
        let text = fs::read_to_string(&path).unwrap();
        let commands = extract_commands(&text);
        assert!(commands.len() >= 5, "{}: {commands:?}", path.display());
        for command in commands {
            let line = command.iter().map(|word| fill_placeholder(word));
            let parser = if command[0] == "trueup" {
                TrueupArgs::command()
            } else {
                ValidateArgs::command()
            };
            let parsed = parser.try_get_matches_from(line);
            assert!(parsed.is_ok(), "{}: {command:?}: {parsed:?}", path.display());
            named += 1;
        }
    }
    assert!(named > 30, "{named} commands");
}

/// Extracts the command lines of a help topic: indented, with an explanation after two spaces.
fn extract_topic_commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let indented = text.lines().filter_map(|line| line.strip_prefix("  "));
    let ours = indented.filter(|line| line.starts_with("trueup") || line.starts_with("validate"));
    let commands =
        ours.map(|line| match line.find("   ").filter(|at| !line[*at..].contains("--")) {
            Some(at) => &line[..at],
            None => line,
        });
    commands.map(|line| split_words(line.split(" > ").next().unwrap_or(line))).collect()
}

#[test]
fn every_command_of_the_help_topics_parses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/help_topics");
    let mut named = 0;
    for topic in fs::read_dir(folder).unwrap() {
        let path = topic.unwrap().path();
        let commands = extract_topic_commands(&fs::read_to_string(&path).unwrap());
        assert!(commands.len() >= 5, "{}: {commands:?}", path.display());
        for command in commands {
            let line = command.iter().map(|word| fill_placeholder(word));
            let parsed = match &*command[0] {
                "trueup" => TrueupArgs::command().try_get_matches_from(line),
                _ => ValidateArgs::command().try_get_matches_from(line),
            };
            assert!(parsed.is_ok(), "{}: {command:?}: {parsed:?}", path.display());
            named += 1;
        }
    }
    assert!(named > 40, "{named} commands");
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let text =
        "```sh\ntrueup hand-off create \"a b\" \\\n  --to X  # why\n```\nsee `trueup status`";
    let found = extract_commands(text);
    assert_eq!(
        found,
        [&["trueup", "hand-off", "create", "a b", "--to", "X"][..], &["trueup", "status"]]
    );
    let error = TrueupArgs::command().try_get_matches_from(&found[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSubcommand);
}
