//! `trueup check --fix` killed at random moments, on full disks and where nothing can be written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::home::Home;
use support::program;

use super::kill_loop::KillLoop;
use super::mount::Mount;

/// Workplans of a repository, and the tasks of each.
const PLANS: usize = 3;
const TASKS: usize = 4;

/// Kills of the longer loop.
const KILLS: usize = 40;

fn git(home: &Home, dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.user_home())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn plan(number: usize) -> String {
    let mut text = format!("---\r\nid: A-WP-{number}\r\nstatus: active\r\n---\r\n");
    for task in 1..=TASKS {
        let block = format!("### T{task}\n\n```task\nid: T{task}\nstatus: todo\n```\n");
        text.push_str("\r\n");
        text.push_str(&block.replace('\n', "\r\n"));
    }
    text
}

/// A repository with workplans that are not linked yet, its remote and a database.
fn repository(home: &Home) {
    let settings = "[user]\nname = t\nemail = t@example.org\n[protocol \"file\"]\nallow = always\n";
    fs::write(home.user_home().join(".gitconfig"), settings).unwrap();
    let project = home.project_dir();
    fs::create_dir_all(project.join("workplans")).unwrap();
    for number in 1..=PLANS {
        fs::write(project.join(format!("workplans/{number}.md")), plan(number)).unwrap();
    }
    let remote = home.root().join("remote.git");
    let remote = remote.to_str().unwrap();
    git(home, &home.root(), &["init", "-q", "--bare", "-b", "main", remote]);
    for arguments in [
        &["add", "workplans"][..],
        &["commit", "-q", "-m", "plans"],
        &["remote", "add", "origin", remote],
        &["push", "-q", "-u", "origin", "main"],
    ] {
        git(home, project, arguments);
    }
    home.prepare_run("trueup").args(["db", "migrate"]).wait().ok();
}

fn fix(home: &Home) -> Value {
    let run = home.prepare_run("trueup").args(["check", "--fix", "--json"]);
    let answer = run.wait();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    answer.json()
}

/// Returns the statuses of a file's tasks.
fn statuses(text: &str) -> BTreeMap<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .windows(2)
        .filter_map(|pair| {
            let id = pair.first()?.strip_prefix("id: T")?;
            let status = pair.get(1)?.strip_prefix("status: ")?;
            Some((format!("T{id}"), status.to_owned()))
        })
        .collect()
}

/// Asserts that no file is torn: each has all its lines, with valid statuses.
#[track_caller]
fn assert_files_are_whole(home: &Home) {
    for number in 1..=PLANS {
        let path = home.project_dir().join(format!("workplans/{number}.md"));
        let text = fs::read_to_string(&path).unwrap();
        let found = statuses(&text);
        assert_eq!(found.len(), TASKS, "{text}");
        let known = ["todo", "in_progress", "blocked", "done"];
        assert!(found.values().all(|word| known.contains(&&**word)), "{text}");
        assert_eq!(text.matches("\r\n").count(), text.lines().count(), "{text}");
    }
}

/// Runs the check until nothing is left to do, and compares database, files and remote.
#[track_caller]
fn assert_converges(home: &Home) {
    let project = home.project_dir();
    // The git process of a killed run may still be running.
    let is_done = |object: &Value| {
        let found = object["divergences"].as_array().unwrap();
        let info = |it: &Value| it["severity"] == "info";
        let warnings = object["warnings"].as_array().unwrap();
        let commit = &object["data"]["repos"][0]["commit"];
        found.iter().all(info) && warnings.is_empty() && commit.is_null()
    };
    let mut last = Value::Null;
    let is_stable = (0..200).any(|_| {
        last = fix(home);
        is_done(&last)
    });
    assert!(is_stable, "{last}");
    assert_files_are_whole(home);
    assert_eq!(git(home, project, &["status", "--porcelain"]), "");
    let head = git(home, project, &["rev-parse", "HEAD"]);
    let remote = home.root().join("remote.git");
    assert_eq!(git(home, &remote, &["rev-parse", "main"]), head);
    let items: usize = PLANS * (TASKS + 1);
    for table in ["work_items", "workplan_links"] {
        let count: i64 = home.query_value(&format!("SELECT count(*) FROM {table}"), []);
        assert_eq!(usize::try_from(count).unwrap(), items, "{table}");
    }
    for number in 1..=PLANS {
        let text = fs::read_to_string(project.join(format!("workplans/{number}.md"))).unwrap();
        for (task, word) in statuses(&text) {
            let key = format!("A-WP-{number}-{task}");
            let status: String =
                home.query_value("SELECT status FROM work_items WHERE key = ?1", [&key]);
            let expected = match &*status {
                "queued" => "todo",
                "running" => "in_progress",
                "completed" => "done",
                other => other,
            };
            assert_eq!(word, expected, "{key}");
            let link: String =
                home.query_value("SELECT link FROM workplan_links WHERE item = ?1", [&key]);
            assert_eq!(text.matches(&link).count(), 1, "{key}");
        }
        assert_eq!(text.matches("state_hub_task_id").count(), TASKS);
        assert_eq!(text.matches("state_hub_workstream_id").count(), 1);
    }
    let names = fs::read_dir(project.join("workplans")).unwrap();
    assert_eq!(names.count(), PLANS, "no draft is left");
    let records = fs::read_dir(home.trueup_home().join("unfinished"));
    assert_eq!(records.into_iter().flatten().count(), 0);
}

#[test]
fn what_a_killed_run_left_is_taken_up_or_back() {
    let home = Home::new();
    repository(&home);
    fix(&home);
    let mut kill_loop = KillLoop::new(KILLS);
    while kill_loop.goes_on() {
        let number = kill_loop.runs() + 1;
        // Both statuses have the same rank, so the database wins each time.
        for plan in 1..=PLANS {
            let task = 1 + kill_loop.chance.below(TASKS as u64);
            let status = if number.is_multiple_of(2) { "blocked" } else { "running" };
            home.execute_sql(
                "UPDATE work_items SET status = ?1 WHERE key = ?2 AND status <> ?1",
                [status, &format!("A-WP-{plan}-T{task}")],
            );
        }
        let run = home.prepare_run("trueup").args(["check", "--fix"]);
        kill_loop.kill(run, b"");
        assert_files_are_whole(&home);
        if number.is_multiple_of(8) {
            assert_converges(&home);
        }
    }
    assert_converges(&home);
}

#[test]
fn a_first_run_that_is_killed_links_nothing_twice() {
    let mut kill_loop = KillLoop::new(12);
    while kill_loop.goes_on() {
        let home = Home::new();
        repository(&home);
        let run = home.prepare_run("trueup").args(["check", "--fix"]);
        kill_loop.kill(run, b"");
        assert_files_are_whole(&home);
        assert_converges(&home);
    }
}

#[test]
fn the_git_of_a_killed_run_is_waited_for() {
    let home = Home::new();
    repository(&home);
    fix(&home);
    // A git process that starts slowly: it holds no lock yet.
    let shims = home.root().join("shims");
    let (begun, go) = (shims.join("begun"), shims.join("go"));
    fs::create_dir(&shims).unwrap();
    let status = Command::new("mkfifo").args([&begun, &go]).status();
    assert!(status.unwrap().success());
    let path = std::env::var("PATH").unwrap();
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *\" commit \"*) echo >{}; read -r _ <{} ;; esac\n\
         PATH={path} exec git \"$@\"\n",
        begun.display(),
        go.display()
    );
    program::write_program(&shims.join("git"), &script).unwrap();
    home.execute_sql("UPDATE work_items SET status = 'running' WHERE key = 'A-WP-1-T1'", []);
    let path = format!("{}:{path}", shims.display());
    let mut run = home.prepare_run("trueup").args(["check", "--fix"]);
    run = run.env("PATH", path);
    let mut killed = run.spawn();
    fs::read(&begun).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    // The files that this git process will commit are not reverted before it has.
    let warnings = fix(&home)["warnings"].to_string();
    assert!(warnings.contains("still running"), "{warnings}");
    let text = fs::read_to_string(home.project_dir().join("workplans/1.md")).unwrap();
    assert_eq!(statuses(&text)["T1"], "in_progress");
    fs::write(&go, "\n").unwrap();
    assert_converges(&home);
    let log = git(&home, home.project_dir(), &["log", "--format=%s"]);
    assert_eq!(log.matches("sync task status").count(), 2, "{log}");
}

/// A linked repository on its own file system, with a task that is completed in the database.
fn home_on_own_file_system() -> Option<(Home, Mount)> {
    let mut home = Home::new();
    let place = home.root().join("mounted");
    fs::create_dir(&place).unwrap();
    let mount = Mount::over(&place, "4m")?;
    home.move_project(place);
    home.run_git(&["init", "--quiet", "--initial-branch=main"]);
    repository(&home);
    fix(&home);
    let arguments = ["item", "transition", "A-WP-1-T1", "completed"];
    home.prepare_run("trueup").args(arguments).wait().ok();
    Some((home, mount))
}

/// Asserts that nothing is written, that the output says why, and that a later run succeeds.
fn assert_waits_until_fixed(home: &Home, words: &str, fix_cause: impl Fn()) {
    let text = || fs::read(home.project_dir().join("workplans/1.md")).unwrap();
    let head = || git(home, home.project_dir(), &["rev-parse", "HEAD"]);
    let before = (text(), head());
    let object = fix(home);
    let repo = &object["data"]["repos"][0];
    let skipped = repo["skipped"].as_str().unwrap_or_default();
    assert!(skipped.contains(words), "{object}");
    assert_eq!((text(), head()), before);
    fix_cause();
    assert_eq!(git(home, home.project_dir(), &["status", "--porcelain"]), "");
    assert_converges(home);
}

#[test]
fn a_full_disk_under_the_workplans() {
    let Some((home, mount)) = home_on_own_file_system() else {
        return;
    };
    // The filler is not part of the repository.
    fs::write(home.project_dir().join(".git/info/exclude"), "filler\n").unwrap();
    mount.fill();
    assert_waits_until_fixed(&home, "No space left", || mount.free());
}

#[test]
fn workplans_on_a_read_only_file_system() {
    let Some((home, mount)) = home_on_own_file_system() else {
        return;
    };
    mount.read_only(true);
    assert_waits_until_fixed(&home, "Read-only file system", || mount.read_only(false));
}
