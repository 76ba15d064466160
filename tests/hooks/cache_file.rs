//! The cache file: which formats are read, which keys survive, and what is refused or set aside.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home};

/// A file as the original tool writes it, here with the wrong item and phase.
const ORIGINAL: &str = r#"{
  "isActive": true,
  "wasInterrupted": false,
  "currentSd": "SD-002B",
  "currentPhase": "LEAD",
  "currentTask": null,
  "lastUpdatedAt": "2026-02-01T10:00:00.000Z",
  "lastInterruptedAt": null,
  "lastResumedAt": null,
  "resumeCount": 7,
  "version": "1.0.0"
}"#;

/// Returns the one file beside the cache whose name holds a word.
fn find_file_beside_cache(home: &Home, word: &str) -> String {
    let names = home.claude_names();
    let found: Vec<&String> = names.iter().filter(|name| name.contains(word)).collect();
    assert_eq!(found.len(), 1, "{names:?}");
    fs::read_to_string(home.project_dir().join(".claude").join(found[0])).unwrap()
}

#[test]
fn a_file_of_the_original_is_adopted_compared_and_stamped() {
    let home = Home::new().with_held_item();
    home.write_cache(ORIGINAL);
    assert_eq!(
        home.start_session().ok().message(),
        ["⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C", "⚠️ Phase mismatch: file=LEAD, db=PLAN",]
    );
    let cache = home.read_cache();
    assert_eq!((&cache["currentSd"], &cache["currentPhase"]), (&json!("SD-002C"), &json!("PLAN")));
    assert_eq!(cache["resumeCount"], 7, "a count from before trueup is kept");
    assert_eq!(cache["_trueup"]["revision"], home.session_column::<i64>("revision", FIRST_SESSION));
    let journal = home.read_lines("journal.jsonl");
    assert_eq!(journal[0]["reason"], "unstamped_cache", "{journal:?}");
    assert_eq!(journal[0]["fields"].to_string(), r#"{"Phase":"LEAD"}"#);
}

#[test]
fn a_file_of_the_original_is_told_to_git_too() {
    let home = Home::new();
    home.write_cache(ORIGINAL);
    home.start_session().ok();
    let exclude = fs::read_to_string(home.project_dir().join(".git/info/exclude")).unwrap();
    assert!(exclude.contains(".claude/auto-proceed-state"), "{exclude}");
}

#[test]
fn a_byte_order_mark_and_crlf_are_read() {
    let home = Home::new().with_held_item();
    home.write_cache(format!("\u{feff}{}\r\n", ORIGINAL.replace('\n', "\r\n")));
    let lines = home.start_session().ok().message();
    assert_eq!(lines[0], "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C");
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    assert!(home.claude_names().iter().all(|name| !name.contains("corrupt")));
}

#[test]
fn unknown_keys_survive_every_rewrite() {
    let home = Home::new().with_held_item();
    home.edit_cache("mine", json!({"deep": [1, {"n": null}], "text": "ä\u{202e}"}));
    home.edit_cache("version", "9.9");
    for phase in ["LEAD", "EXEC"] {
        home.set_state(FIRST_SESSION, "execution_state.currentPhase", phase);
        home.start_session().ok();
        home.push_event("post-tool-use.todo-write").ok();
        let cache = home.read_cache();
        assert_eq!(cache["mine"], json!({"deep": [1, {"n": null}], "text": "ä\u{202e}"}));
        assert_eq!(cache["version"], "9.9");
        assert_eq!(cache["currentPhase"], phase);
    }
}

#[test]
fn an_unchanged_cache_is_not_rewritten() {
    let home = Home::new().with_held_item();
    let identity = || {
        let data = fs::metadata(home.cache_path()).unwrap();
        (data.ino(), data.mtime(), data.mtime_nsec(), fs::read(home.cache_path()).unwrap())
    };
    let before = identity();
    home.run_hook("session-start-sync", &home.payload("session-start.resume")).ok();
    home.send_prompt().assert_silent();
    home.push_event("post-tool-use.bash").assert_silent();
    home.push_event("stop").assert_silent();
    home.run_hook("pre-handoff-validate", &home.payload("pre-tool-use.agent")).assert_silent();
    assert_eq!(identity(), before);
}

#[test]
fn the_cache_is_private_also_when_it_was_not() {
    let home = Home::new();
    let mode = || fs::metadata(home.cache_path()).unwrap().permissions().mode() & 0o7777;
    home.start_session().ok();
    assert_eq!(mode(), 0o600);
    fs::set_permissions(home.cache_path(), fs::Permissions::from_mode(0o666)).unwrap();
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "PLAN");
    home.start_session().ok();
    assert_eq!(mode(), 0o600);
    home.push_event("post-tool-use.write").ok();
    home.edit_cache("currentPhase", "EXEC");
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "LEAD");
    home.send_prompt().ok();
    let mut names = Vec::new();
    for entry in fs::read_dir(home.trueup_home()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is private", entry.path().display());
        names.push(entry.file_name().into_string().unwrap());
    }
    for name in ["trueup.db", "journal.jsonl", "counters", "locks"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
}

#[test]
fn a_symlink_in_its_place_is_refused_and_its_target_stays() {
    for dangling in [false, true] {
        let home = Home::new().with_held_item();
        let victim = home.root().join("victim");
        if !dangling {
            fs::write(&victim, ORIGINAL).unwrap();
        }
        fs::remove_file(home.cache_path()).unwrap();
        symlink(&victim, home.cache_path()).unwrap();
        let answer = home.start_session();
        assert_eq!(answer.code, Some(0));
        let place = home.cache_path().display().to_string();
        let line = format!("{place} is a symlink");
        let lines = answer.message();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("⚠️ cache unreadable ("), "{lines:?}");
        assert!(lines[0].contains(&line), "{lines:?}");
        assert!(
            answer.context().contains("item: SD-002C (claimed)"),
            "the database is authoritative"
        );
        assert!(fs::symlink_metadata(home.cache_path()).unwrap().is_symlink());
        assert_eq!(victim.exists(), !dangling);
        if !dangling {
            assert_eq!(fs::read_to_string(&victim).unwrap(), ORIGINAL);
        }
    }
}

#[test]
fn s_08_a_corrupt_file_is_kept_aside_and_written_anew() {
    let cases = [("", "the file is empty"), ("{\"a\": ", "line 1"), ("[]", "not a JSON object")];
    for (text, reason) in cases {
        let home = Home::new().with_held_item();
        home.write_cache(text);
        let lines = home.start_session().ok().message();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let start = "⚠️ cache unreadable; kept aside as auto-proceed-state.json.corrupt-2";
        assert!(lines[0].starts_with(start) && lines[0].contains(reason), "{lines:?}");
        assert_eq!(find_file_beside_cache(&home, "auto-proceed-state.json.corrupt-2"), text);
        assert_eq!(home.read_cache()["currentSd"], "SD-002C");
        assert_eq!(home.start_session().ok().message(), [""; 0]);
    }
}

#[test]
fn s_09_a_file_of_another_database_is_set_aside_by_name() {
    let home = Home::new().with_held_item();
    let mut cache = home.read_cache();
    cache["_trueup"]["lineage"] = json!("ffffffff-1111-4000-8000-000000000000");
    cache["currentSd"] = json!("SD-002B");
    home.write_cache(cache.to_string());
    let lineage: String =
        home.query_value("SELECT value FROM trueup_meta WHERE key = 'lineage'", []);
    let line = format!(
        "⚠️ cache written for another database: file=ffffffff, db={}; kept aside as \
         auto-proceed-state.json.foreign-2",
        &lineage[..8]
    );
    let lines = home.start_session().ok().message();
    // The differences are reported as well.
    assert_eq!(lines[0], "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C");
    assert!(lines.len() == 2 && lines[1].starts_with(&line), "{lines:?}");
    assert_eq!(
        find_file_beside_cache(&home, "auto-proceed-state.json.foreign-2"),
        cache.to_string()
    );
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    assert_eq!(home.read_cache()["_trueup"]["lineage"], lineage);
}

/// A file as a checkout or a restored backup may leave it: ahead of the database, with another
/// item, phase and task.
fn write_cache_ahead(home: &Home) -> String {
    let mut cache = home.read_cache();
    cache["_trueup"]["revision"] = json!(99_999);
    cache["currentSd"] = json!("SD-002B");
    cache["currentPhase"] = json!("EXEC");
    home.write_cache(cache.to_string());
    let revision: i64 = home.session_column("revision", FIRST_SESSION);
    format!(
        "⚠️ cache written for another database: file is at revision 99999, db at {revision} \
         (restored from a backup?)"
    )
}

/// Asserts that the file is in step again and that the journal has its former content.
fn assert_mended_and_kept(home: &Home) {
    let cache = home.read_cache();
    let revision: i64 = home.session_column("revision", FIRST_SESSION);
    assert_eq!(cache["currentSd"], "SD-002C");
    assert_eq!(cache["currentPhase"], home.execution_state()["currentPhase"]);
    assert_eq!(cache["_trueup"]["revision"], revision);
    let journal = home.read_lines("journal.jsonl");
    assert_eq!(journal.len(), 1, "{journal:?}");
    assert_eq!(journal[0]["fields"], json!({"Item": "SD-002B", "Phase": "EXEC"}));
    assert_eq!(journal[0]["reason"], "older_database_adopted");
}

#[test]
fn s_09_a_file_newer_than_the_database_is_reported_and_fixed_by_each_hook() {
    let home = Home::new().with_held_item();
    let line = write_cache_ahead(&home);
    let message = home.start_session().ok().message().join("\n");
    assert!(message.contains(&line), "{message}");
    assert!(message.contains("kept in the journal as j-"), "{message}");
    assert_mended_and_kept(&home);

    for (binary, fixture) in [
        ("session-start-sync", "user-prompt-submit"),
        ("checkpoint-push", "post-tool-use.todo-write"),
        ("pre-handoff-validate", "stop"),
        ("pre-handoff-validate", "pre-tool-use.agent"),
    ] {
        let home = Home::new().with_held_item();
        write_cache_ahead(&home);
        home.run_hook(binary, &home.payload(fixture)).ok();
        let journal = home.read_lines("journal.jsonl");
        assert_eq!(journal.len(), 1, "{fixture}: {journal:?}");
        assert_eq!(home.read_cache()["currentSd"], "SD-002C", "{fixture}");
    }
}

#[test]
fn s_09_a_stamp_changed_by_hand_is_a_finding_and_loses_no_edit() {
    for (key, value) in [
        ("digest", Value::Null),
        ("digest", json!(7)),
        ("revision", json!(-1)),
        ("revision", json!(2.5)),
        ("revision", json!("3")),
        ("revision", Value::Null),
        ("lineage", json!(["x"])),
        ("", json!("stamp")),
        ("", json!([])),
        ("", Value::Null),
    ] {
        let home = Home::new().with_held_item();
        // The database changes, so that the edit cannot be a proposal.
        home.set_state(FIRST_SESSION, "execution_state.currentTask", "theirs");
        let mut cache = home.read_cache();
        cache["currentPhase"] = json!("EXEC");
        match key {
            "" => cache["_trueup"] = value.clone(),
            key => cache["_trueup"][key] = value.clone(),
        }
        home.write_cache(cache.to_string());
        let found = home.send_prompt().ok().message().join("\n");
        assert!(
            found.contains("⚠️ cache written for another database: "),
            "{key} {value}: {found}"
        );
        let journal = home.read_lines("journal.jsonl");
        assert_eq!(journal.len(), 1, "{key} {value}");
        assert_eq!(journal[0]["fields"]["Phase"], "EXEC", "{key} {value}");
        assert_eq!(home.read_cache()["currentTask"], "theirs");
    }
}
