//! Cache files that are damaged, huge or not regular files.

use std::fs::{self, File};

use support::home::{FIRST_SESSION, Home};

/// Runs every hook on every case.
fn with_each_hook(make: impl Fn(&Home)) {
    for hook in ["start", "prompt", "push", "guard"] {
        let home = Home::new().with_held_item();
        make(&home);
        let answer = match hook {
            "start" => home.start_session(),
            "prompt" => home.send_prompt(),
            "push" => home.push_event("post-tool-use.write"),
            _ => home.run_hook("pre-handoff-validate", &home.payload("pre-tool-use.agent")),
        };
        assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{hook}");
        let cache = home.read_cache();
        assert_eq!(cache["currentSd"], "SD-002C", "{hook}");
        assert_eq!(cache["sessionId"], FIRST_SESSION, "{hook}");
        let names = home.claude_names();
        let aside = names.iter().filter(|name| name.contains(".corrupt-")).count();
        assert_eq!((aside, names.len()), (1, 2), "{hook}: {names:?}");
        let lines = answer.message();
        let warning_count =
            lines.iter().filter(|line| line.starts_with("⚠️ cache unreadable; ")).count();
        assert_eq!(warning_count, 1, "{hook}: {lines:?}");
    }
}

#[test]
fn a_truncated_cache_is_set_aside_at_any_length() {
    let home = Home::new().with_held_item();
    let cache = fs::read(home.cache_path()).unwrap();
    for length in [0, 1, 2, cache.len() / 3, cache.len() / 2, cache.len() - 3] {
        home.write_cache(&cache[..length]);
        let answer = home.start_session().ok();
        assert_eq!(answer.message().len(), 1, "{length}: {answer:?}");
        assert_eq!(home.read_cache()["currentSd"], "SD-002C", "{length}");
    }
    with_each_hook(|home| {
        let cache = fs::read(home.cache_path()).unwrap();
        home.write_cache(&cache[..cache.len() / 2]);
    });
}

#[test]
fn a_cache_of_a_hundred_megabytes_is_set_aside_unread() {
    with_each_hook(|home| {
        File::create(home.cache_path()).unwrap().set_len(100_000_000).unwrap();
    });
}

#[test]
fn a_cache_nested_without_end_is_set_aside() {
    with_each_hook(|home| home.write_cache(format!("{{\"a\": {}", "[".repeat(400_000))));
}

#[test]
fn a_cache_of_nested_arrays_that_are_closed_breaks_nothing() {
    let home = Home::new().with_held_item();
    home.write_cache(format!("{{\"a\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000)));
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
}

#[test]
fn a_directory_in_the_place_of_the_cache_is_reported_and_left() {
    let home = Home::new().with_held_item();
    fs::remove_file(home.cache_path()).unwrap();
    fs::create_dir(home.cache_path()).unwrap();
    fs::write(home.cache_path().join("mine"), "kept").unwrap();
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert_eq!(answer.message().len(), 1);
    assert!(answer.message()[0].contains("not a file"), "{answer:?}");
    assert!(answer.context().contains("item: SD-002C (claimed)"));
    assert_eq!(fs::read_to_string(home.cache_path().join("mine")).unwrap(), "kept");
}

#[test]
fn a_file_in_the_place_of_the_directory_is_reported_and_left() {
    let home = Home::new();
    fs::write(home.project_dir().join(".claude"), "a file").unwrap();
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert!(answer.stderr.starts_with("trueup: not fixed: "), "{answer:?}");
    assert_eq!(answer.stderr.lines().count(), 1);
    assert_eq!(fs::read_to_string(home.project_dir().join(".claude")).unwrap(), "a file");
}
