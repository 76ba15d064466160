//! `trueup statusline`, `trueup status` in words, and completions.

use std::fs;

use support::home::{FIRST_SESSION, Home, SECOND_SESSION, skip_over_postgres};

use crate::fixture::{claimed, data, keys, second, started, trueup};
use crate::state_snapshot::StateSnapshot;

#[test]
fn the_status_line_is_one_line_from_the_database() {
    let home = started();
    assert_eq!(trueup(&home, &["statusline"]).ok().stdout, "no item\n");
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", "PLAN", "--task", "two\nlines"]);
    home.send_prompt();
    home.edit_cache("currentPhase", "WRONG");
    let before = StateSnapshot::take(&home);
    let line = trueup(&home, &["statusline"]).ok().stdout;
    assert!(line.starts_with("SD-1 · PLAN · two"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    let object = data(&home, &["statusline"]);
    assert_eq!(keys(&object), ["line"]);
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn the_status_line_follows_the_clients_json_and_the_flag_before_it() {
    let home = started();
    claimed(&home, "SD-1");
    second(&home, None);
    let line = |stdin: &str, arguments: &[&str]| {
        let run = home.prepare_run("trueup").args(["statusline"]).args(arguments).stdin(stdin);
        run.wait().ok().stdout
    };
    let json = |id: &str| format!(r#"{{"session_id": "{id}", "model": {{}}}}"#);
    assert!(line(&json(FIRST_SESSION), &[]).starts_with("SD-1"));
    assert!(line(&json(SECOND_SESSION), &[]).starts_with("no item"));
    assert!(line(&json(SECOND_SESSION), &["--session", FIRST_SESSION]).starts_with("SD-1"));
    for garbage in ["", "no JSON", "[]", r#"{"session_id": 7}"#, r#"{"session_id": "../x"}"#] {
        assert!(line(garbage, &["--session", FIRST_SESSION]).starts_with("SD-1"), "{garbage}");
        assert!(line(garbage, &[]).starts_with("no item"), "{garbage}: the newest session speaks");
    }
}

#[test]
fn the_status_line_shows_what_the_model_has_not_heard() {
    let home = started();
    claimed(&home, "SD-1");
    home.send_prompt();
    home.set_state(FIRST_SESSION, "execution_state.wasInterrupted", true);
    let line = trueup(&home, &["statusline"]).ok().stdout;
    assert!(line.contains(" · interrupted · agent has seen revision "), "{line}");
}

#[test]
fn a_status_line_without_a_database_is_a_short_line_all_the_same() {
    if skip_over_postgres("the file is damaged") {
        return;
    }
    let home = Home::new();
    let line = trueup(&home, &["statusline"]).ok().stdout;
    assert!(line.starts_with("trueup: ") && line.lines().count() == 1, "{line}");
    fs::write(home.trueup_home().join("trueup.db"), "garbage ".repeat(99)).unwrap();
    let line = trueup(&home, &["statusline"]).ok().stdout;
    assert!(line.starts_with("trueup: ") && line.lines().count() == 1, "{line}");
}

#[test]
fn status_in_words() {
    let home = started();
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", "PLAN", "--task", "write it"]);
    data(&home, &["interrupt"]);
    let text = trueup(&home, &["status"]).ok().stdout;
    for part in [
        &format!("session  {FIRST_SESSION} (active), alive (lease until "),
        "\nitem     SD-1, epoch 1, since 20",
        "\nphase    PLAN\ntask     write it\nbranch   main\n",
        "\nflags    auto-proceed off, chain-orchestrators off\n",
        "interrupted; resume with `trueup resume`\n",
        "\ncache    fresh, ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn completions_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = trueup(&home, &["completions", shell]).ok().stdout;
        assert!(script.contains("TRUEUP_COMPLETE"), "{shell}: it asks the program");
        let data = data(&home, &["completions", shell]);
        assert_eq!(keys(&data), ["script", "shell"]);
        assert_eq!(data["script"].as_str().unwrap().trim_end(), script.trim_end());
    }
    assert_eq!(trueup(&home, &["completions", "tcsh98"]).code, Some(2));
}
