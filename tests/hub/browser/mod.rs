//! The dashboard in a real Chromium: each scenario is a module in `scenarios/`, which drives the browser
//! with Playwright. Most play against a hub whose answers the scenario decides, `scripted_hub.mjs`, with
//! the page and the headers of the real one; those of `real_hub` have nothing but the real one.
//!
//! Without Chromium, node or npm every test prints that it is skipped and passes, unless
//! `TRUEUP_REQUIRE_BROWSER=1`.

mod install;
mod real_hub;
mod scenario;

use std::path::Path;

use support::home::Home;

use super::hub_process::HubProcess;
use install::find_browser;
use scenario::play;

/// Plays a scenario with the page of a real hub, and the answers of a scripted one.
fn play_scripted(name: &str, more: &[(&str, &str)]) {
    let Some(browser) = find_browser() else { return };
    let home = Home::new();
    let hub = HubProcess::start(&home);
    let origin = format!("http://{}", hub.address);
    let environment: Vec<_> =
        [("TRUEUP_PAGE_ORIGIN", origin.as_str())].into_iter().chain(more.iter().copied()).collect();
    play(browser, name, &environment);
}

#[test]
fn axe_finds_nothing_in_any_view_light_or_dark() {
    play_scripted("accessible", &[]);
}

#[test]
fn text_in_any_field_of_any_view_stays_text() {
    play_scripted("hostile_text", &[]);
}

#[test]
fn a_thousand_sessions_and_ten_thousand_events_do_not_stall_the_page() {
    let figures = std::env::var("TRUEUP_BROWSER_FIGURES").unwrap_or_default();
    play_scripted("many_rows", &[("TRUEUP_BROWSER_FIGURES", &figures)]);
}

#[test]
fn everything_is_done_by_keyboard() {
    play_scripted("keyboard", &[]);
}

#[test]
fn the_address_is_the_state() {
    play_scripted("address", &[]);
}

#[test]
fn a_reader_sees_no_action_and_an_admin_is_asked_before_one() {
    play_scripted("reader", &[]);
}

#[test]
fn nothing_sticks_out_on_a_phone() {
    play_scripted("phone", &[]);
}

#[test]
fn a_page_that_cannot_be_trusted_says_so_and_comes_back() {
    play_scripted("connection", &[]);
}

/// Writes the pictures of the README when `TRUEUP_WRITE_PICTURES=1`; else only takes them.
#[test]
fn pictures_are_taken_of_the_demo_team() {
    let scratch = tempfile::tempdir().unwrap();
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    let is_wanted = std::env::var_os("TRUEUP_WRITE_PICTURES").is_some_and(|value| value == "1");
    let target = if is_wanted { pictures.as_path() } else { scratch.path() };
    play_scripted("pictures", &[("TRUEUP_PICTURES", target.to_str().unwrap())]);
}
