//! `trueup state`: repositories share their STATE.md.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::home::{Home, ProcessOutput, skip_over_postgres};

use crate::fixture::{data, object, refused, started, trueup};

/// Registers a repository beside the project, with a STATE.md if it says something.
fn repo(home: &Home, slug: &str, state: Option<&str>) -> PathBuf {
    let root = home.root().join(slug);
    home.init_repository(&root);
    if let Some(state) = state {
        fs::write(root.join("STATE.md"), state).unwrap();
    }
    data(home, &["repo", "add", root.to_str().unwrap()]);
    root
}

fn cache(root: &Path) -> PathBuf {
    root.join(".aibrain/global-state-cache.md")
}

fn read(root: &Path) -> String {
    fs::read_to_string(cache(root)).unwrap()
}

/// Runs a command in a repository.
fn run_in_repo(home: &Home, root: &Path, arguments: &[&str]) -> ProcessOutput {
    let run = home.prepare_run("trueup").args(arguments);
    run.args(["--project", root.to_str().unwrap()]).wait()
}

fn changed_repos(synced: &Value) -> Vec<(String, bool)> {
    let rows = synced["synced"].as_array().unwrap();
    let row = |row: &Value| {
        let target = row["target"].as_str().unwrap().to_owned();
        (target, row["changed"].as_bool().unwrap())
    };
    rows.iter().map(row).collect()
}

#[test]
fn a_state_reaches_every_other_repository_and_never_its_own() {
    let home = started();
    let text = "# Alpha\n\n## BETA State\n\n```\n---\n```\n\n---\nno end";
    let alpha = repo(&home, "alpha", Some(text));
    let beta = repo(&home, "beta", Some("# Beta\n"));
    let gamma = repo(&home, "gamma", None);
    let answer = trueup(&home, &["state", "sync", "alpha"]).ok();
    for target in [&beta, &gamma] {
        let line = format!("[state_sync] Synced alpha STATE.md -> {}", cache(target).display());
        assert!(answer.stdout.lines().any(|found| found == line), "{answer:?}");
        assert!(read(target).contains(text));
        assert!(read(target).contains("## alpha State"));
    }
    assert!(!cache(&alpha).exists());
    assert_eq!(fs::read_to_string(alpha.join("STATE.md")).unwrap(), text);
    let state = data(&home, &["state", "show", "ALPHA"]);
    assert_eq!((&state["repo"], &state["content"]), (&json!("alpha"), &json!(text)));
    assert_eq!(trueup(&home, &["state", "show", "alpha"]).ok().stdout, text);
    assert_eq!(run_in_repo(&home, &alpha, &["state", "show"]).ok().stdout, text);
}

#[test]
fn a_second_sync_changes_nothing_not_even_a_time() {
    let home = started();
    let alpha = repo(&home, "alpha", Some("one\n"));
    let beta = repo(&home, "beta", None);
    let first = data(&home, &["state", "sync", "alpha"]);
    assert_eq!(
        first,
        json!({
            "synced": [{"repo": "alpha", "target": "beta", "changed": true}], "redacted": 0,
        })
    );
    let (before, at) = (read(&beta), data(&home, &["state", "show", "alpha"])["synced_at"].clone());
    let modified = fs::metadata(cache(&beta)).unwrap().modified().unwrap();
    let again = data(&home, &["state", "sync", "alpha"]);
    assert_eq!(changed_repos(&again), [("beta".to_owned(), false)]);
    assert_eq!(read(&beta), before);
    assert_eq!(fs::metadata(cache(&beta)).unwrap().modified().unwrap(), modified);
    assert_eq!(data(&home, &["state", "show", "alpha"])["synced_at"], at);
    fs::write(alpha.join("STATE.md"), "two\n").unwrap();
    assert_eq!(
        changed_repos(&data(&home, &["state", "sync", "alpha"])),
        [("beta".to_owned(), true)]
    );
    assert_eq!(read(&beta).matches("trueup:repo-state slug=alpha").count(), 1);
}

#[test]
fn sections_of_others_and_what_people_wrote_stay_byte_for_byte() {
    let home = started();
    let alpha = repo(&home, "alpha", Some("a\n"));
    repo(&home, "beta", Some("b\n"));
    let gamma = repo(&home, "gamma", None);
    fs::create_dir(gamma.join(".aibrain")).unwrap();
    let notes = "# Notes\r\n\r\nmine \t\r\n";
    fs::write(cache(&gamma), notes).unwrap();
    data(&home, &["state", "sync", "alpha"]);
    data(&home, &["state", "sync", "beta"]);
    let before = read(&gamma);
    assert!(before.starts_with(notes), "{before:?}");
    let of_beta = &before[before.find("<!-- trueup:repo-state slug=beta").unwrap()..];
    fs::write(alpha.join("STATE.md"), "a, and much more\n## Head\n").unwrap();
    data(&home, &["state", "sync", "alpha"]);
    let after = read(&gamma);
    assert!(after.starts_with(notes) && after.ends_with(of_beta), "{after:?}");
}

#[test]
fn a_file_of_the_original_is_taken_over_once() {
    let home = started();
    repo(&home, "ai-orchestrator", Some("new\n"));
    let beta = repo(&home, "beta", None);
    fs::create_dir(beta.join(".aibrain")).unwrap();
    let old = "# Global State Cache\n\n**Purpose**: x\n\n---\n\n## AI_ORCHESTRATOR State\n\n\
               **Last Synced**: 2026-01-18T10:00:00\n\nold\n\n## Inner\n\nold too\n\n---\n\n\
               ## KAREMATCH State\n\n**Last Synced**: Never\n\nkept\n\n---\n";
    fs::write(cache(&beta), old).unwrap();
    data(&home, &["state", "sync", "ai-orchestrator"]);
    let text = read(&beta);
    assert!(!text.contains("old") && text.contains("new\n"), "{text}");
    assert!(text.starts_with("# Global State Cache\n\n**Purpose**: x\n\n---\n\n"), "{text}");
    assert!(
        text.ends_with("## KAREMATCH State\n\n**Last Synced**: Never\n\nkept\n\n---\n"),
        "{text}"
    );
    let again = changed_repos(&data(&home, &["state", "sync", "ai-orchestrator"]));
    assert!(!again[0].1, "{again:?}");
}

#[test]
fn secrets_stay_where_they_are() {
    let home = started();
    // Concatenated, so that no scanner reports this file as a leak.
    let secret = ["sk-ant-", "api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ"].concat();
    let alpha = repo(&home, "alpha", Some(&format!("# A\n\nkey: {secret}\nrest\n")));
    let beta = repo(&home, "beta", None);
    let error = refused(&home, "secrets_found", &["state", "sync", "alpha", "--deny-secrets"]);
    assert!(error["error"]["message"].as_str().unwrap().ends_with("in line 3"), "{error}");
    assert!(!cache(&beta).exists());
    refused(&home, "no_state", &["state", "show", "alpha"]);
    let synced = object(&home, 0, &["state", "sync", "alpha"]);
    assert_eq!(synced["data"]["redacted"], 1);
    assert!(synced["warnings"][0].as_str().unwrap().contains("in line 3"), "{synced}");
    assert!(read(&beta).contains("[redacted: ") && read(&beta).contains("rest\n"));
    assert!(fs::read_to_string(alpha.join("STATE.md")).unwrap().contains(&secret));
    let log = trueup(&home, &["log", "--json"]).ok().stdout;
    assert!(log.contains("\"repo\"") && !log.contains(&secret));
    let leaks = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(&secret)
    };
    for entry in fs::read_dir(home.trueup_home()).unwrap() {
        let path = entry.unwrap().path();
        assert!(!leaks(path.clone()), "{}", path.display());
    }
    assert!(!leaks(cache(&beta)));
}

#[test]
fn a_passive_repository_neither_gives_nor_takes() {
    let home = started();
    let alpha = repo(&home, "alpha", Some("a\n"));
    let vault = repo(&home, "vault", Some("v\n"));
    data(&home, &["repo", "add", vault.to_str().unwrap(), "--passive"]);
    let synced = data(&home, &["state", "sync", "alpha"]);
    assert_eq!(changed_repos(&synced), []);
    refused(&home, "repo_passive", &["state", "sync", "vault"]);
    assert_eq!(run_in_repo(&home, &vault, &["state", "pull"]).code, Some(1));
    assert!(!cache(&vault).exists() && !cache(&alpha).exists());
    // A repository can make itself passive.
    data(&home, &["repo", "add", vault.to_str().unwrap(), "--active"]);
    fs::write(vault.join(".trueup.toml"), "passive = true\n").unwrap();
    refused(&home, "repo_passive", &["state", "sync", "vault"]);
}

#[test]
fn what_cannot_be_a_state_is_refused_by_name() {
    let home = started();
    let alpha = repo(&home, "alpha", None);
    refused(&home, "repo_not_found", &["state", "sync", "nobody"]);
    refused(&home, "no_state_file", &["state", "sync", "alpha"]);
    refused(&home, "repo_not_found", &["state", "sync"]);
    let state = alpha.join("STATE.md");
    let unreadable = |what: &str| {
        let error = object(&home, 3, &["state", "sync", "alpha"]);
        assert_eq!(error["error"]["code"], "state_unreadable", "{what}");
    };
    fs::write(&state, [b'a', 0xff, 0xfe]).unwrap();
    unreadable("no text");
    fs::write(&state, vec![b'x'; 4 * 1024 * 1024 + 1]).unwrap();
    unreadable("too large");
    fs::remove_file(&state).unwrap();
    let outside = home.root().join("outside.md");
    fs::write(&outside, "x").unwrap();
    std::os::unix::fs::symlink(&outside, &state).unwrap();
    unreadable("a link that leads out");
    for path in ["../outside.md", "/etc/hostname", "a/../../outside.md"] {
        fs::write(alpha.join(".trueup.toml"), format!("state_file = \"{path}\"\n")).unwrap();
        unreadable(path);
    }
    fs::create_dir(alpha.join("docs")).unwrap();
    fs::write(alpha.join("docs/NOW.md"), "now\n").unwrap();
    fs::write(alpha.join(".trueup.toml"), "state_file = \"docs/NOW.md\"\n").unwrap();
    data(&home, &["state", "sync", "alpha"]);
    assert_eq!(data(&home, &["state", "show", "alpha"])["content"], "now\n");
}

#[test]
fn a_cache_behind_a_link_is_not_written_and_the_others_are() {
    let home = started();
    repo(&home, "alpha", Some("a\n"));
    let beta = repo(&home, "beta", None);
    let gamma = repo(&home, "gamma", None);
    let elsewhere = home.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, beta.join(".aibrain")).unwrap();
    let answer = object(&home, 3, &["state", "sync", "alpha"]);
    assert!(answer["warnings"][0].as_str().unwrap().starts_with("beta was not updated"));
    assert_eq!(changed_repos(&answer["data"]), [("gamma".to_owned(), true)]);
    assert!(read(&gamma).contains("a\n"));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_repository_that_is_gone_is_passed_over_and_not_made() {
    let home = started();
    repo(&home, "alpha", Some("a\n"));
    let beta = repo(&home, "beta", None);
    fs::remove_dir_all(&beta).unwrap();
    let answer = object(&home, 0, &["state", "sync", "alpha"]);
    assert_eq!(changed_repos(&answer["data"]), []);
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("beta was not updated"), "{answer}");
    assert!(warnings.contains("trueup repo remove beta"), "{answer}");
    assert!(!beta.exists());
}

#[test]
fn between_machines_the_state_travels_through_the_database() {
    if skip_over_postgres("two machines share the file") {
        return;
    }
    let home = started();
    repo(&home, "alpha", Some("# A\r\nlast line"));
    data(&home, &["state", "sync", "alpha"]);
    let there = home.root().join("there");
    let clone = home.root().join("clone");
    fs::create_dir(&there).unwrap();
    home.init_repository(&clone);
    let url = format!("sqlite:{}", home.trueup_home().join("trueup.db").display());
    let on_there = |arguments: &[&str]| {
        let run = home.prepare_run("trueup").args(arguments).args(["--json"]);
        let run = run.env("TRUEUP_HOME", &there).env("TRUEUP_DATABASE_URL", &url);
        let run = run.args(["--project", clone.to_str().unwrap()]);
        run.wait().ok().json()["data"].clone()
    };
    on_there(&["repo", "add", clone.to_str().unwrap(), "--slug", "beta"]);
    let pulled = on_there(&["state", "pull"]);
    assert_eq!(pulled, json!({"synced": [{"repo": "alpha", "target": "beta", "changed": true}]}));
    assert!(read(&clone).contains("# A\r\nlast line\n<!--"), "{}", read(&clone));
    let again = changed_repos(&on_there(&["state", "pull", "alpha"]));
    assert!(!again[0].1, "{again:?}");
    assert_eq!(on_there(&["state", "show", "alpha"])["content"], "# A\r\nlast line");
}

#[test]
fn a_state_synced_before_is_shown_while_the_database_is_away() {
    if skip_over_postgres("the file is moved away") {
        return;
    }
    let home = started();
    repo(&home, "alpha", Some("a\r\nb"));
    let beta = repo(&home, "beta", None);
    data(&home, &["state", "sync", "alpha"]);
    let away = home.trueup_home().join("away");
    for name in ["trueup.db", "trueup.db-wal", "trueup.db-shm"] {
        fs::create_dir_all(&away).unwrap();
        let _ = fs::rename(home.trueup_home().join(name), away.join(name));
    }
    let state = run_in_repo(&home, &beta, &["state", "show", "alpha"]);
    assert_eq!((state.code, &*state.stdout), (Some(0), "a\r\nb"), "{state:?}");
    assert!(state.stderr.contains("showing the local copy"), "{state:?}");
    assert_eq!(run_in_repo(&home, &beta, &["state", "show", "gamma"]).code, Some(3));
}

#[test]
fn many_that_write_into_one_cache_at_once_all_arrive() {
    const MANY: usize = 10;
    let home = started();
    let target = repo(&home, "target", None);
    for n in 0..MANY {
        repo(&home, &format!("r{n}"), Some(&format!("state of r{n}\n").repeat(500)));
    }
    std::thread::scope(|scope| {
        for n in 0..MANY {
            let run = home.prepare_run("trueup").args(["state", "sync", &format!("r{n}")]);
            scope.spawn(|| run.wait().ok());
        }
    });
    let text = read(&target);
    for n in 0..MANY {
        let section = format!("state of r{n}\n").repeat(500);
        assert!(text.contains(&section), "r{n}");
        assert_eq!(text.matches(&format!("repo-state slug=r{n} ")).count(), 1);
    }
    let temporary = fs::read_dir(target.join(".aibrain")).unwrap().count();
    assert_eq!(temporary, 1, "drafts are left");
}

#[test]
fn a_state_that_is_synced_for_weeks_does_not_grow_the_cache() {
    let home = started();
    let inner = "# S\n\n".to_owned() + &"## Head\n\ntext\n\n---\n\n".repeat(11);
    let alpha = repo(&home, "alpha", Some(&inner));
    let beta = repo(&home, "beta", None);
    let mut sizes = Vec::new();
    for day in 0..12 {
        fs::write(alpha.join("STATE.md"), format!("{inner}day {day:02}\n")).unwrap();
        data(&home, &["state", "sync", "alpha"]);
        sizes.push(read(&beta).len());
    }
    sizes.dedup();
    assert_eq!(sizes.len(), 1, "{sizes:?}");
    assert!(sizes[0] < inner.len() + 4_096);
}
