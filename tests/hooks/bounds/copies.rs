//! Files that the hooks read or write beside the database.

use std::fs;

use support::home::{FIRST_SESSION, Home};
use trueup_core::bounds;

use super::{
    assert_message_contains, fixes_cache, register_repos, run_with_cpu_limit, set, size_beyond,
    start_session, write,
};

pub(super) fn cache(home: &Home) {
    home.write_cache(format!("{{\"x\": \"{}\"}}", "x".repeat(size_beyond(bounds::CACHE))));
    let payload = home.payload("session-start.resume");
    let answer = run_with_cpu_limit(home, "session-start-sync", &payload, &[]);
    assert_eq!(answer.code, Some(0));
    assert!(
        answer.message().iter().any(|line| line.contains("is too large for a cache")),
        "{answer:?}"
    );
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    home.write_cache("[".repeat(bounds::CACHE.len()));
    run_with_cpu_limit(home, "session-start-sync", &payload, &[]);
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
}

pub(super) fn cache_dir(home: &Home) {
    for number in 0..size_beyond(bounds::CACHE_DIR) {
        let name = format!("auto-proceed-state.json.tmp-{}", 5_000_000 + number);
        fs::write(home.project_dir().join(".claude").join(name), "").unwrap();
    }
    start_session(home);
}

pub(super) fn exclude(home: &Home) {
    write(
        &home.project_dir().join(".git/info/exclude"),
        "#\n".repeat(size_beyond(bounds::EXCLUDE)),
    );
    fs::remove_file(home.cache_path()).unwrap();
    let payload = home.payload("session-start.resume");
    assert_eq!(run_with_cpu_limit(home, "session-start-sync", &payload, &[]).code, Some(0));
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    let log = fs::read_to_string(home.trueup_home().join("trueup.log")).unwrap();
    assert!(log.contains("info/exclude: larger than"), "{log}");
}

pub(super) fn environment_file(home: &Home) {
    let file = home.root().join("environment.sh");
    write(&file, "#\n".repeat(size_beyond(bounds::ENVIRONMENT_FILE)));
    let payload = home.payload("session-start.resume");
    let set = [("CLAUDE_ENV_FILE", file.to_str().unwrap())];
    let answer = fixes_cache(home, "session-start-sync", &payload, &set);
    assert_message_contains(&answer, "CLAUDE_ENV_FILE cannot be written: larger than");
}

pub(super) fn workplans(home: &Home) {
    let folder = home.project_dir().join("workplans");
    fs::create_dir(&folder).unwrap();
    for number in 0..size_beyond(bounds::WORKPLANS) {
        fs::write(folder.join(format!("A-WP-{number:05}.md")), "").unwrap();
    }
    let answer = fixes_cache(home, "checkpoint-push", &home.payload("stop"), &[]);
    assert_message_contains(&answer, "workplans/ has more than 4096 files");
    assert!(answer.message().iter().any(|line| line.contains("`trueup check --fix`")));
}

pub(super) fn check_marker(home: &Home) {
    let folder = home.project_dir().join("workplans");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("A-WP-0001.md"), "").unwrap();
    let run = home.prepare_run("trueup").args(["check", "--fix"]).wait();
    assert!(run.code.is_some_and(|code| code < 2), "{run:?}");
    let markers = fs::read_dir(home.trueup_home().join("checked")).unwrap();
    for marker in markers {
        let lines = "packages/api/workplans\n".repeat(size_beyond(bounds::CHECK_MARKER));
        write(&marker.unwrap().path(), lines);
    }
    let answer = fixes_cache(home, "checkpoint-push", &home.payload("stop"), &[]);
    assert_eq!(answer.stderr, "");
}

pub(super) fn state(home: &Home) {
    register_repos(home, 1);
    write(&home.project_dir().join("STATE.md"), "token=".repeat(700_000));
    let payload = home.payload("post-tool-use.bash");
    let answer = fixes_cache(home, "checkpoint-push", &payload, &[]);
    assert_message_contains(&answer, "run: trueup state sync");
    // The worst accepted state: it ends at the deadline, and is not tried again.
    let worst = "token=".repeat(bounds::STATE.len() / 6);
    write(&home.project_dir().join("STATE.md"), worst);
    let deadline = [("TRUEUP_DEADLINE_MS", "1500")];
    let answer = fixes_cache(home, "checkpoint-push", &payload, &deadline);
    assert_message_contains(&answer, "run: trueup state sync");
    let again = fixes_cache(home, "checkpoint-push", &payload, &deadline);
    assert_eq!(again.stderr, "");
    // A long but ordinary state is shared.
    let prose = "The token is kept in the vault: see docs.\n".repeat(2_500);
    write(&home.project_dir().join("STATE.md"), prose);
    fixes_cache(home, "checkpoint-push", &payload, &[]);
    let cache = home.root().join("other-0/.aibrain/global-state-cache.md");
    assert!(cache.exists());
}

pub(super) fn passed_mark(home: &Home) {
    register_repos(home, 1);
    write(&home.project_dir().join("STATE.md"), "# One\n");
    home.push_event("stop").ok();
    let marks = home.trueup_home().join("passed");
    let mark = fs::read_dir(&marks).unwrap().next().unwrap().unwrap().path();
    fs::write(&mark, "x".repeat(size_beyond(bounds::SHARED_STATE_RECORD))).unwrap();
    fixes_cache(home, "checkpoint-push", &home.payload("stop"), &[]);
    assert!(fs::metadata(&mark).unwrap().len() < bounds::SHARED_STATE_RECORD.most);
}

pub(super) fn untold(home: &Home) {
    let ending = |task: &str| {
        home.edit_cache("currentTask", task);
        home.set_state(FIRST_SESSION, "execution_state.currentPhase", task);
        home.push_event("session-end.other").ok();
    };
    ending("first");
    let kept = home.trueup_home().join("untold");
    let kept = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    fs::write(&kept, "x".repeat(size_beyond(bounds::PENDING_NOTICE))).unwrap();
    let size = fs::metadata(&kept).unwrap().len();
    home.start_session().ok();
    assert!(!kept.exists());
    fs::write(&kept, "x".repeat(bounds::PENDING_NOTICE.len())).unwrap();
    ending("second");
    assert!(fs::metadata(&kept).unwrap().len() < size);
}

pub(super) fn log(home: &Home) {
    let log = home.trueup_home().join("trueup.log");
    write(&log, "x\n".repeat(size_beyond(bounds::LOG)));
    set(home, "unknown = 1\n");
    start_session(home);
    assert!(fs::metadata(&log).unwrap().len() < 4_000);
    assert!(log.with_extension("log.1").exists());
}
