//! `trueup top`: on a terminal, as a table, and as an object.

mod terminal;

use serde_json::json;
use support::home::{FIRST_SESSION, Home};

use self::terminal::Terminal;
use crate::fixture::{data, started, trueup};

#[test]
fn without_a_terminal_it_is_a_table() {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--title", "first"]);
    data(&home, &["claim", "SD-2", "--create"]);
    data(&home, &["handoff", "create", "PLAN-TO-EXEC", "--summary", "s"]);
    for arguments in [&["top"][..], &["top", "--once"]] {
        let printed = trueup(&home, arguments).ok().stdout;
        let lines: Vec<&str> = printed.lines().collect();
        assert!(lines[0].starts_with("1 machine: sessions 1 live, 0 waiting"), "{printed}");
        assert!(lines[0].contains("items 1 ready, 1 held, 0 done today"), "{printed}");
        assert_eq!(lines[1], "needs me: 1");
        assert!(lines[2].contains("open_handoff"), "{printed}");
        let place = format!("(session {}, on ", &FIRST_SESSION[..8]);
        assert!(lines[2].contains(&place) && lines[2].ends_with(", in project)"), "{printed}");
        assert!(lines[3].trim_start().starts_with("trueup handoff reject "), "{printed}");
        assert_eq!(lines[4], "work: 2 items");
        assert!(lines[5].contains("SD-1") && lines[5].ends_with("project  first"), "{printed}");
        assert!(lines[6].contains("SD-2") && lines[6].contains(FIRST_SESSION), "{printed}");
    }
}

#[test]
fn the_table_says_why_work_is_stuck() {
    let home = started();
    data(&home, &["claim", "SD-1", "--create"]);
    data(&home, &["item", "transition", "SD-1", "failed", "--reason", "no credentials"]);
    let printed = trueup(&home, &["top", "--once"]).ok().stdout;
    let row = printed.lines().find(|line| line.contains("SD-1")).unwrap();
    assert!(row.ends_with("  no credentials"), "{printed}");
}

#[test]
fn the_object_is_the_overview() {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--title", "first"]);
    data(&home, &["item", "add", "SD-2"]);
    data(&home, &["item", "depend", "SD-2", "--on", "SD-1"]);
    let overview = data(&home, &["top"]);
    assert_eq!(
        overview["counts"]["sessions"],
        json!({"live": 1, "waiting": 0, "stale": 0, "dead": 0})
    );
    assert_eq!(overview["needs_me"], json!([]));
    assert_eq!(overview["sessions"][0]["session_id"], json!(FIRST_SESSION));
    assert_eq!(overview["sessions"][0]["state"], json!("live"));
    let (first, second) = (&overview["work"][0], &overview["work"][1]);
    assert_eq!((&first["blocks"], &second["blocked_by"]), (&json!(["SD-2"]), &json!(["SD-1"])));
    assert_eq!(first["why"]["kind"], json!("added"));
    assert_eq!(first["command"], json!("trueup claim SD-1"));
    assert_eq!(overview["seq"], data(&home, &["log", "--limit", "0"])["next"]);
}

#[test]
fn the_screen_follows_filters_copies_and_leaves_the_terminal_as_it_was() {
    let home = started();
    data(&home, &["item", "add", "SD-OLD", "--title", "before"]);
    let Some(mut terminal) = Terminal::start(&home, &[]) else {
        return;
    };
    terminal.wait_for("SD-OLD");
    assert!(terminal.is_taken());
    // What another process does appears by itself.
    data(&home, &["item", "add", "SD-NEW", "--title", "after"]);
    terminal.wait_for("SD-NEW");
    terminal.wait_for("added SD-NEW");
    terminal.press("/after\r");
    terminal.wait_until("only what has the text", |screen| !screen.contains("SD-OLD"));
    terminal.press("y");
    terminal.wait_for("copied: trueup claim SD-NEW");
    // The terminal's own clipboard was asked, in base64.
    assert!(terminal.received("\u{1b}]52;c;dHJ1ZXVwIGNsYWltIFNELU5FVw==\u{7}"));
    terminal.press("\r");
    terminal.wait_for("title        after");
    terminal.press("q");
    terminal.wait_for("SD-NEW");
    terminal.press("\u{1b}");
    terminal.wait_for("SD-OLD");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), "0");
    assert!(!terminal.is_taken());
}

#[test]
fn ctrl_c_leaves_and_a_signal_ends_it_with_the_terminal_as_it_was() {
    for (ends, expected) in [("\u{3}", "0"), ("TERM", "143"), ("HUP", "129")] {
        let home = started();
        let Some(mut terminal) = Terminal::start(&home, &[]) else {
            return;
        };
        terminal.wait_for("no items");
        match ends {
            "\u{3}" => terminal.press(ends),
            signal => terminal.send_signal(signal),
        }
        assert_eq!(terminal.wait_for_end(), expected, "{ends:?}");
        assert!(!terminal.is_taken(), "{ends:?}");
    }
}

#[test]
fn without_colours_nothing_is_coloured() {
    for (variable, is_colored) in [(None, true), (Some("NO_COLOR"), false)] {
        let home = started();
        let variables: Vec<(&str, &str)> = variable.into_iter().map(|name| (name, "1")).collect();
        let Some(mut terminal) = Terminal::start(&home, &variables) else {
            return;
        };
        terminal.wait_for("1 live");
        terminal.press("q");
        assert_eq!(terminal.wait_for_end(), "0");
        // Green, in the colours that every terminal has.
        let has_green = terminal.received("\u{1b}[38;5;2");
        assert_eq!(has_green, is_colored, "{variable:?}");
    }
}

#[test]
fn a_terminal_that_cannot_be_drawn_on_gets_the_table() {
    let home = started();
    let Some(mut terminal) = Terminal::start(&home, &[("TERM", "dumb")]) else {
        return;
    };
    assert_eq!(terminal.wait_for_end(), "0");
    assert!(terminal.received("needs me: 0"));
    assert!(!terminal.received("\u{1b}[?1049h"));
}

#[test]
fn a_database_that_is_not_there_is_an_error_as_everywhere() {
    let home = Home::new();
    let home_url = format!("sqlite:{}", home.root().join("none.db").display());
    let run = home.prepare_run("trueup").env("TRUEUP_DATABASE_URL", home_url).args(["top"]).wait();
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("trueup db migrate"), "{run:?}");
}
