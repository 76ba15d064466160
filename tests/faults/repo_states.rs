//! Shared STATE.md with kills and full disks: a cache has the old section or the new one, complete,
//! and other content stays.

use std::fs;
use std::path::PathBuf;

use support::home::{Home, ProcessOutput, ProcessRun};

use super::kill_loop::KillLoop;
use super::mount::Mount;

/// How many kills; those that came too late do not count.
const KILLS: usize = 60;

/// The user's own text before the sections.
const NOTES: &str = "# Mine\r\n\r\nkept\r\n";

/// A state long enough that a kill would catch a write in place half done.
fn text(number: u64) -> String {
    format!("state {number}\n").repeat(20_000)
}

fn command<'a>(home: &'a Home, arguments: &[&str]) -> ProcessRun<'a> {
    home.prepare_run("trueup").args(arguments)
}

/// Registers `alpha`, which shares its state, and a target.
fn register_repos(home: &Home, target: &std::path::Path) {
    command(home, &["db", "migrate"]).wait().ok();
    let alpha = home.root().join("alpha");
    fs::create_dir(&alpha).unwrap();
    for (path, slug) in [(alpha.as_path(), "alpha"), (target, "target")] {
        home.init_repository(path);
        let add = ["repo", "add", path.to_str().unwrap(), "--slug", slug];
        command(home, &add).wait().ok();
    }
}

fn save(home: &Home, number: u64) {
    fs::write(home.root().join("alpha/STATE.md"), text(number)).unwrap();
}

fn cache(target: &std::path::Path) -> PathBuf {
    target.join(".aibrain/global-state-cache.md")
}

fn syncing(home: &Home) -> ProcessRun<'_> {
    command(home, &["state", "sync", "alpha"])
}

/// Returns the state in the cache; asserts that it is complete and that nothing else changed.
fn read_cached_state(target: &std::path::Path) -> String {
    let file = fs::read_to_string(cache(target)).unwrap();
    assert!(file.starts_with(NOTES), "the notes are gone");
    assert_eq!(file.matches("<!-- trueup:repo-state ").count(), 1);
    assert_eq!(file.matches("<!-- /trueup:repo-state ").count(), 1);
    let slug = "alpha".parse().unwrap();
    let section = trueup_core::repo_state::find_section(file.as_bytes(), &slug).unwrap();
    let sound = trueup_core::repo_state::SectionState::Sound;
    assert_eq!(section.state, sound, "a torn section");
    String::from_utf8(section.body.to_vec()).unwrap()
}

#[test]
fn a_killed_sync_leaves_the_old_section_or_the_new_one() {
    let home = Home::new();
    let target = home.root().join("target");
    fs::create_dir_all(target.join(".aibrain")).unwrap();
    fs::write(cache(&target), NOTES).unwrap();
    register_repos(&home, &target);
    save(&home, 0);
    syncing(&home).wait().ok();
    let mut kill_loop = KillLoop::new(KILLS);
    while kill_loop.goes_on() {
        let number = u64::try_from(kill_loop.runs()).unwrap() + 1;
        let before = read_cached_state(&target);
        save(&home, number);
        kill_loop.kill(syncing(&home), b"");
        let after = read_cached_state(&target);
        assert!(after == before || after == text(number), "neither old nor new");
    }
    syncing(&home).wait().ok();
    assert!(
        read_cached_state(&target) == text(u64::try_from(kill_loop.runs()).unwrap()),
        "the last state did not arrive"
    );
    let left = fs::read_dir(target.join(".aibrain")).unwrap().count();
    assert_eq!(left, 1, "drafts are left");
}

#[test]
fn a_full_disk_leaves_the_cache_as_it_was_and_reaches_the_others() {
    let home = Home::new();
    let full = home.root().join("full");
    let free = home.root().join("free");
    fs::create_dir(&full).unwrap();
    fs::create_dir(&free).unwrap();
    let Some(mount) = Mount::over(&full, "2m") else {
        return;
    };
    fs::create_dir(full.join(".aibrain")).unwrap();
    fs::write(cache(&full), NOTES).unwrap();
    register_repos(&home, &full);
    home.init_repository(&free);
    let add = ["repo", "add", free.to_str().unwrap()];
    command(&home, &add).wait().ok();
    save(&home, 1);
    syncing(&home).wait().ok();
    mount.fill();
    save(&home, 2);
    let answer: ProcessOutput = syncing(&home).wait();
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("target was not updated"), "{answer:?}");
    assert!(read_cached_state(&full) == text(1), "the cache changed");
    let other = fs::read_to_string(cache(&free)).unwrap();
    assert!(other.contains(&text(2)), "the other was not updated");
    mount.free();
    syncing(&home).wait().ok();
    assert!(read_cached_state(&full) == text(2), "it was not repaired");
}
