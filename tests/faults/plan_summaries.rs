//! Fixing summaries with many processes, kills and full disks: the file is the old or the new one,
//! and every replaced file is kept as a backup.

use std::fs;
use std::path::PathBuf;

use support::home::{Home, ProcessOutput, ProcessRun};
use support::race::run_at_once;

use super::kill_loop::KillLoop;
use super::mount::Mount;

/// How many kills; those that came too late do not count.
const KILLS: usize = 60;

/// Enough that a kill would catch a write in place half done.
const TASKS: usize = 500;

/// A status file whose summary counts this many completed tasks, while none is.
fn text(completed: u64) -> String {
    let tasks = (0..TASKS).map(|n| format!("{{\"id\": \"1.{n}\", \"description\": \"task\"}}"));
    let tasks = tasks.collect::<Vec<_>>().join(",\r\n");
    format!(
        "{{\"summary\": {{\"totalTasks\": {TASKS}, \"completed\": {completed}, \
         \"pending\": {TASKS}, \"in_progress\": 0, \"failed\": 0, \"skipped\": 0}},\r\n\
         \"tasks\": [{tasks}]}}"
    )
}

fn path(home: &Home) -> PathBuf {
    home.project_dir().join("plan").join("status.json")
}

fn write(home: &Home, completed: u64) {
    fs::create_dir_all(path(home).parent().unwrap()).unwrap();
    fs::write(path(home), text(completed)).unwrap();
}

fn fixing(home: &Home) -> ProcessRun<'_> {
    let arguments = ["plan", "validate", "plan/status.json", "--fix"];
    home.prepare_run("trueup").args(arguments)
}

fn fix(home: &Home) -> ProcessOutput {
    fixing(home).wait()
}

/// Lists temporary files of killed processes and backups.
fn drafts_and_backups(home: &Home) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let is_draft = |path: &PathBuf| path.to_string_lossy().contains(".tmp-");
    list_other_files(home).into_iter().partition(is_draft)
}

/// Lists the other files in the folder.
fn list_other_files(home: &Home) -> Vec<PathBuf> {
    let entries = fs::read_dir(path(home).parent().unwrap()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|other| *other != path(home)).collect()
}

#[test]
fn of_many_processes_that_mend_one_file_one_does() {
    let home = Home::new();
    write(&home, 77);
    for answer in run_at_once(32, |_| fixing(&home)) {
        answer.ok();
    }
    assert_eq!(fs::read_to_string(path(&home)).unwrap(), text(0));
    let backups = list_other_files(&home);
    assert_eq!(backups.len(), 1, "{backups:?}");
    assert_eq!(fs::read_to_string(&backups[0]).unwrap(), text(77));
}

#[test]
fn a_killed_fix_leaves_the_old_file_or_the_new_one_with_its_backup() {
    let home = Home::new();
    write(&home, 1);
    fix(&home).ok();
    let mut kill_loop = KillLoop::new(KILLS);
    while kill_loop.goes_on() {
        let number = u64::try_from(kill_loop.runs() + 2).unwrap();
        write(&home, number);
        for backup in drafts_and_backups(&home).1 {
            fs::remove_file(backup).unwrap();
        }
        kill_loop.kill(fixing(&home), b"");
        let now = fs::read_to_string(path(&home)).unwrap();
        let (old, new) = (text(number), text(0));
        assert!(now == old || now == new, "neither old nor new");
        let (_, backups) = drafts_and_backups(&home);
        for backup in &backups {
            assert!(fs::read_to_string(backup).unwrap() == old, "a torn backup");
        }
        assert!(now == old || backups.len() == 1, "no backup");
    }
    write(&home, 7);
    fix(&home).ok();
    let (drafts, _) = drafts_and_backups(&home);
    assert_eq!(drafts, Vec::<PathBuf>::new(), "drafts of the dead are gone");
}

#[test]
fn a_full_disk_leaves_the_old_file_whole_and_nothing_beside_it() {
    let Some((home, mount)) = Mount::under_a_repository() else {
        return;
    };
    write(&home, 77);
    mount.fill();
    let answer = fix(&home);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("No space left"), "{answer:?}");
    assert_eq!(fs::read_to_string(path(&home)).unwrap(), text(77));
    assert_eq!(list_other_files(&home), Vec::<PathBuf>::new());
    mount.free();
    fix(&home).ok();
}

#[test]
fn a_read_only_directory_is_read_and_not_written() {
    let Some((home, mount)) = Mount::under_a_repository() else {
        return;
    };
    write(&home, 77);
    mount.read_only(true);
    let answer = fix(&home);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("Read-only file system"), "{answer:?}");
    assert_eq!(fs::read_to_string(path(&home)).unwrap(), text(77));
    assert_eq!(list_other_files(&home), Vec::<PathBuf>::new());
    let arguments = ["plan", "validate", "plan/status.json"];
    let answer = home.prepare_run("trueup").args(arguments).wait();
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stdout.contains("was 77, should be 0"), "{answer:?}");
    mount.read_only(false);
}
