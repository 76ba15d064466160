//! Every page with commands is played from its beginning.

use std::fs;

use super::page::{Part, page_path, read_page, render_page};
use super::transcript::Transcript;

/// A page that was played.
pub(crate) struct PlayedPage {
    /// Its parts, as they are written.
    pub parts: Vec<Part>,
    /// Commands of its consoles that did not succeed, as the page says.
    pub failed_commands: Vec<String>,
}

/// Plays a page. With `TRUEUP_UPDATE_DOCS=1` it is written with the outputs that there were.
#[track_caller]
pub(crate) fn play_page(name: &str) -> PlayedPage {
    let parts = read_page(name);
    let mut transcript = Transcript::new(name);
    let played = transcript.play(&parts);
    let differences = &transcript.differences;
    if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
        fs::write(page_path(name), render_page(&played)).unwrap();
    }
    assert!(
        differences.is_empty(),
        "{}\n`TRUEUP_UPDATE_DOCS=1 cargo test -p trueup-tests --test manual` writes what there was",
        differences.join("\n\n")
    );
    PlayedPage { parts, failed_commands: transcript.failed_commands }
}

#[test]
fn the_guide_shows_what_the_programs_print() {
    play_page("guide.md");
}

#[test]
fn the_recipes_work() {
    play_page("recipes.md");
}

#[test]
fn what_other_trackers_have_is_brought_and_taken_back() {
    play_page("import.md");
}

#[test]
fn the_answers_of_the_faq_work() {
    play_page("faq.md");
}
