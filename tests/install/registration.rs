//! Claude Code's files before an installation and after an uninstallation.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use crate::scratch::{Scratch, without_data};

const ODD: &str = "{\"model\":\"opus\"\n\n   }";

/// Edits the settings as a user does; returns their path.
fn edit(scratch: &Scratch, from: &str, to: &str) -> PathBuf {
    let settings = scratch.home(".claude/settings.json");
    let text = fs::read_to_string(&settings).unwrap();
    let edited = text.replace(from, to);
    assert_ne!(edited, text);
    fs::write(&settings, edited).unwrap();
    settings
}

#[test]
fn settings_get_their_bytes_back() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", ODD);
    let settings = scratch.home(".claude/settings.json");
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
    let before = scratch.tree();
    scratch.install(&[]).exits(0);
    assert_ne!(fs::read_to_string(&settings).unwrap(), ODD);
    scratch.install(&[]).exits(0);
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn they_do_so_without_the_client() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", ODD);
    let before = scratch.tree();
    scratch.install(&[]).exits(0);
    fs::remove_file(scratch.path("path/claude")).unwrap();
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn a_link_to_the_settings_stays_a_link() {
    let scratch = Scratch::with_client();
    scratch.write("dotfiles/claude.json", ODD);
    fs::create_dir(scratch.home(".claude")).unwrap();
    symlink("../dotfiles/claude.json", scratch.home(".claude/settings.json")).unwrap();
    let before = scratch.tree();
    scratch.install(&[]).exits(0);
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn an_edit_made_since_survives() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", ODD);
    scratch.install(&[]).exits(0);
    let settings = edit(&scratch, "opus", "sonnet");
    // A second installation must not record the user's edit as its own.
    scratch.install(&[]).exits(0);
    let output = scratch.run(&["--uninstall"]).exits(0);
    let settings_text = fs::read_to_string(&settings).unwrap();
    assert!(
        settings_text.contains("sonnet") && !settings_text.contains("trueup"),
        "{settings_text}"
    );
    assert!(output.out.contains("the changes are kept"), "{}", output.out);
}

#[test]
fn a_file_that_only_looks_different_gets_its_bytes_back() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", ODD);
    let before = scratch.tree();
    scratch.install(&[]).exits(0);
    edit(&scratch, "\n", "\n\n");
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn an_edited_file_without_the_client_is_reported() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", ODD);
    scratch.install(&[]).exits(0);
    let settings = edit(&scratch, "opus", "sonnet");
    let edited = fs::read_to_string(&settings).unwrap();
    let output = scratch.run(&["--uninstall", "--no-claude"]).exits(1);
    assert!(output.out.contains("claude plugin uninstall trueup@trueup"), "{}", output.out);
    assert_eq!(fs::read_to_string(&settings).unwrap(), edited);
    scratch.run(&["--uninstall"]).exits(0);
    assert!(!scratch.home(".local/share/trueup/install-manifest.json").exists());
}

#[test]
fn an_installation_killed_half_way_is_taken_back() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", ODD);
    let before = scratch.tree();
    fs::write(scratch.path("path/kill"), "").unwrap();
    assert_eq!(scratch.install(&[]).code, None, "it was to be killed");
    fs::remove_file(scratch.path("path/kill")).unwrap();
    scratch.install(&[]).exits(0);
    scratch.run(&["--uninstall"]).exits(0);
    assert_eq!(without_data(scratch.tree(), &before), before);
}

#[test]
fn another_configuration_directory_is_honoured() {
    let scratch = Scratch::with_client();
    let config = scratch.path("config");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("settings.json"), ODD).unwrap();
    let bins = scratch.path("bins");
    let run = |args: &[&str]| {
        scratch.installer(args).env("CLAUDE_CONFIG_DIR", &config).status().unwrap().code()
    };
    assert_eq!(run(&["--bin-dir", bins.to_str().unwrap()]), Some(0));
    assert!(config.join("plugins/installed_plugins.json").exists());
    assert_eq!(run(&["--uninstall"]), Some(0));
    assert_eq!(fs::read_to_string(config.join("settings.json")).unwrap(), ODD);
    assert!(!config.join("plugins").exists());
    assert!(!scratch.home(".claude").exists());
}

#[test]
fn no_claude_leaves_it_alone() {
    let scratch = Scratch::with_client();
    scratch.write(".claude/settings.json", ODD);
    scratch.install(&["--no-claude"]).exits(0);
    assert!(!scratch.path("path/calls").exists());
    assert_eq!(fs::read_to_string(scratch.home(".claude/settings.json")).unwrap(), ODD);
}

#[test]
fn the_record_is_for_the_user_alone() {
    let scratch = Scratch::with_client();
    scratch.install(&[]).exits(0);
    let data = scratch.home(".local/share/trueup");
    assert_eq!(
        fs::metadata(&data).unwrap().permissions().mode() & 0o777,
        0o700,
        "the database lies in it"
    );
    let record = scratch.home(".local/share/trueup/install-manifest.json");
    assert_eq!(record.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
