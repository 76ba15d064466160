//! The texts of values, and their positions.

use super::super::StatusVocabulary;
use super::*;

/// Parses a title that is written like this.
#[track_caller]
fn title(written: &str) -> (Workplan, String) {
    let text = format!("---\nid: x\ntitle:{written}\nstatus: active\n---\n");
    (parse_text(&text), text)
}

#[test]
fn a_value_says_what_it_says_in_yaml() {
    for (written, raw, said) in [
        (" plain", "plain", "plain"),
        ("\t plain  \t", "plain", "plain"),
        (" two words # comment", "two words", "two words"),
        (" C#4 #5", "C#4", "C#4"),
        (" a: b", "a: b", "a: b"),
        (" it's \"so\"", "it's \"so\"", "it's \"so\""),
        (" @bob", "@bob", "@bob"),
        (" lone\rreturn", "lone\rreturn", "lone\rreturn"),
        (" 'single'", "'single'", "single"),
        (" 'it''s \\n' # c", "'it''s \\n'", "it's \\n"),
        (" '# no comment'", "'# no comment'", "# no comment"),
        (" \"double\"", "\"double\"", "double"),
        (" \"a \\\"b\\\" \\\\ \\n\\t\"  ", "\"a \\\"b\\\" \\\\ \\n\\t\"", "a \"b\" \\ \n\t"),
        (
            " \"\\u00e9\\u2014\\U0001F600\\x41\\/\"",
            "\"\\u00e9\\u2014\\U0001F600\\x41\\/\"",
            "é—😀A/",
        ),
        (" \"\\ud800\\u+123\\q\\u12\"", "\"\\ud800\\u+123\\q\\u12\"", "\\ud800\\u+123\\q\\u12"),
        (" nullable", "nullable", "nullable"),
        (" \"null\"", "\"null\"", "null"),
        (" - x", "- x", "- x"),
        (" 🙂 — end", "🙂 — end", "🙂 — end"),
        (" wraps\n  here", "wraps\n  here", "wraps here"),
        (" wraps\n  here\n\n  again", "wraps\n  here\n\n  again", "wraps here\nagain"),
        (" 'wraps  \n  here'", "'wraps  \n  here'", "wraps here"),
        (" \"wraps \\t\n  here\\\n   on\"", "\"wraps \\t\n  here\\\n   on\"", "wraps \t hereon"),
        (" \"# no\n  # comment\" # c\n  # c", "\"# no\n  # comment\"", "# no # comment"),
        (" one\n  # comment", "one", "one"),
        (" |\n  a: b\n    - c\n\n  # d", "|\n  a: b\n    - c\n\n  # d", "a: b\n  - c\n# d"),
        (" >-\n  a\n  b\n\n  c", ">-\n  a\n  b\n\n  c", "a b\nc"),
    ] {
        for end in ["\n", "\r\n"] {
            let text = format!("---\nid: x\ntitle:{written}\nstatus: active\n---\n");
            let text = text.replace('\n', end);
            let plan = parse_text(&text);
            let value = plan.front.title().unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!(&*value.text, said, "{text:?}");
            assert_eq!(text.get(value.span()), Some(&*raw.replace('\n', end)), "{text:?}");
            assert_eq!(plan.front.status().map(|s| &*s.text), Some("active"), "{text:?}");
            assert_problems(&plan, &[]);
        }
    }
}

#[test]
fn an_empty_value_is_none() {
    for written in
        ["", " ", " ~", " null", " Null", " NULL", " \"\"", " ''", " # c", " '  '", " ~ # c", "\t"]
    {
        let (plan, text) = title(written);
        assert_eq!(plan.front.title(), None, "{text:?}");
        assert_eq!(plan.front.status().map(|s| &*s.text), Some("active"));
        assert_problems(&plan, &[]);
    }
}

#[test]
fn a_value_that_is_not_understood_is_none_and_harms_no_other() {
    for (written, problem) in [
        (" [a, b]", None),
        (" {a: b}", None),
        (" *alias", None),
        (" &anchor x", None),
        (" !!str x", None),
        ("\n  a: b\n  c:\n    - d", None),
        ("\n- a\n- b: c", None),
        (" > folded?", None),
        (" \"open", Some("quote")),
        (" 'open''", Some("quote")),
        (" \"a\" b", Some("text after the closing quote")),
        (" \"a\"# b", Some("text after the closing quote")),
        (" 'a'\n  b", Some("text after the closing quote")),
        (" a\n  b: c", Some("below")),
        (" a\n  - c", Some("below")),
        (" a # comment\n  b", Some("below")),
        (" a\n  b\n  # c", Some("below")),
    ] {
        let (plan, text) = title(written);
        assert_eq!(plan.front.title(), None, "{text:?}");
        assert_eq!(plan.front.status().map(|s| &*s.text), Some("active"), "{text:?}");
        let expected: Vec<_> = problem.iter().map(|words| (3, *words)).collect();
        assert_problems(&plan, &expected);
    }
}

#[test]
fn lines_that_are_no_keys_are_passed_over() {
    let plan = parse_text(
        "---\n# comment: no\n\nextra:\n  id: nested\n  - status: nested\n? what\njunk\n  status: deep\n\
         \"id\" : WP-1\n'owner': me # too\n# id: x\njunk # owner: x\njunk # owner: x\n- status: item\ntags: [a,\n  \
         b]\nstatus : active\n...\n---\n",
    );
    assert_problems(&plan, &[]);
    for (key, text) in [(Key::Id, "WP-1"), (Key::Owner, "me"), (Key::Status, "active")] {
        assert_eq!(plan.front.get(key).map(|v| &*v.text), Some(text), "{key:?}");
    }
    let indented =
        parse_body_text("```task\n  # c\n  id: T01\n  x: y\n    id: deep\n  status: todo\n```\n");
    assert_eq!(task_ids(&indented), ["T01"]);
    assert_problems(&indented, &[]);
    let deep = parse_body_text("```task\nid: T01\n status: todo\n```\n");
    assert_problems(&deep, &[(5, "no id"), (5, "no status"), (6, "id: the indented lines")]);
}

#[test]
fn every_key_is_read() {
    let names = [
        ("id", Key::Id),
        ("type", Key::Type),
        ("title", Key::Title),
        ("status", Key::Status),
        ("state_hub_workstream_id", Key::Link),
        ("domain", Key::Domain),
        ("repo", Key::Repo),
        ("repo_slug", Key::RepoSlug),
        ("owner", Key::Owner),
        ("topic_slug", Key::TopicSlug),
        ("created", Key::Created),
        ("updated", Key::Updated),
        ("planning_priority", Key::PlanningPriority),
        ("planning_order", Key::PlanningOrder),
    ];
    let lines = names
        .map(|(name, _)| {
            format!(
                "{name}: of {name}
"
            )
        })
        .concat();
    let front = parse_text(&format!("---\n{lines}---\n")).front;
    for (name, key) in names {
        let value = front.get(key).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(*value.text, format!("of {name}"));
    }
    assert_eq!(front.repo().map(|r| &*r.text), Some("of repo"));
    assert_eq!(front.link().map(|l| &*l.text), Some("of state_hub_workstream_id"));
    let slug = parse_text("---\nrepo: ~\nrepo_slug: it\n---\n").front;
    assert_eq!(slug.repo().map(|r| &*r.text), Some("it"));
    let names = [
        ("id", Key::Id),
        ("title", Key::Title),
        ("status", Key::Status),
        ("state_hub_task_id", Key::Link),
        ("priority", Key::Priority),
        ("assignee", Key::Assignee),
        ("needs_human", Key::NeedsHuman),
        ("intervention_note", Key::InterventionNote),
    ];
    let lines = names
        .map(|(name, _)| {
            format!(
                "{name}: of {name}
"
            )
        })
        .concat();
    let plan = parse_body_text(&format!("```task\n{lines}```\n"));
    for (name, key) in names {
        let value = plan.tasks[0].get(key).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(*value.text, format!("of {name}"));
    }
    // Front matters and blocks have different keys.
    assert_eq!(parse_text("---\nassignee: a\nstate_hub_task_id: b\n---\n").front.link(), None);
    let other = parse_body_text("```task\nid: a\nstatus: b\nstate_hub_workstream_id: c\n```\n");
    assert_eq!(other.tasks[0].link(), None);
}

#[test]
fn dependencies_are_lists_however_they_are_written() {
    for (written, ids) in [
        (" []", &[][..]),
        ("", &[]),
        (" ~", &[]),
        (" []  # none", &[]),
        (" [a]", &["a"]),
        (" [a, \"b\" , 'c''d',]  # e", &["a", "b", "c'd"]),
        (" [ a b,null,\"\",c ]", &["a b", "c"]),
        (" [a, # one\n  b,\n  # two, three\n  c\n  ]", &["a", "b", "c"]),
        (" a", &["a"]),
        (" \"a, b\"", &["a, b"]),
        (" a, b ,c", &["a", "b", "c"]),
        (" a,\n  b", &["a", "b"]),
        ("\n  - a\n  - \"b\" # c\n\n  # d\n  -   'e'", &["a", "b", "e"]),
        ("\n- a\n-\n- ~\n- b", &["a", "b"]),
        ("\n# c\n  - a", &["a"]),
        ("\n  # c\n  - a", &["a"]),
        (" # list\n  - a", &["a"]),
    ] {
        for (key, end) in [("depends_on", "\n"), ("depends-on", "\r\n")] {
            let text = format!("---\n{key}:{written}\nstatus: active\n---\n").replace('\n', end);
            let plan = parse_text(&text);
            assert_eq!(scalar_texts(plan.front.depends_on()), ids, "{text:?}");
            assert_eq!(plan.front.status().map(|s| &*s.text), Some("active"));
            assert_problems(&plan, &[]);
            for id in plan.front.depends_on() {
                let raw = text.get(id.span()).unwrap();
                let raw = raw.trim_matches(['"', '\'']).replace("''", "'");
                assert_eq!(*id.text, raw, "{text:?}");
                let before = text.get(..id.span().start).unwrap();
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                let found = (id.place.line as usize, id.place.column as usize);
                assert_eq!(found, (line, column), "{text:?}");
            }
        }
    }
}

#[test]
fn a_list_that_cannot_be_read_is_named() {
    for (written, ids, problem) in [
        (" [a", &[][..], (2, "list cannot be read")),
        (" [a, [b]]", &[], (2, "list cannot be read")),
        (" [a, {b: c}]", &[], (2, "list cannot be read")),
        (" [#a\n  b]", &[], (2, "list cannot be read")),
        (" [\"a\" b]", &[], (2, "list cannot be read")),
        (" [a] b", &[], (2, "list cannot be read")),
        (" [a\n  b]", &[], (2, "list cannot be read")),
        ("\n  a: b", &[], (2, "list cannot be read")),
        ("\n  - \"a\n  - b", &["b"], (3, "quote")),
        ("\n  - a\n  - [b]", &["a"], (4, "no id")),
    ] {
        let plan = parse_text(&format!("---\ndepends_on:{written}\nstatus: active\n---\n"));
        assert_eq!(scalar_texts(plan.front.depends_on()), ids, "{written:?}");
        assert_problems(&plan, &[problem]);
    }
}

#[test]
fn places_count_characters() {
    let plan = parse_text("\u{feff}---\r\n\"id\" :\té☃ # c\r\ntitle:\r\n---\r\n");
    let id = plan.front.id().unwrap();
    assert_eq!((id.place.line, id.place.column), (2, 8));
    let plan = parse_body_text("~~~task\r\n\tid: T01\r\n\tstatus: 'todo'\r\n~~~");
    let status = plan.tasks[0].status().unwrap();
    assert_eq!((status.place.line, status.place.column), (7, 10));
}

#[test]
fn the_vocabulary_is_the_one_in_use() {
    use StatusVocabulary::{Classic, Short};
    for (front, words, expected) in [
        ("active", &["todo", "done"][..], Classic),
        ("proposed", &["todo", "done"], Short),
        ("ready", &[], Short),
        ("backlog", &[], Short),
        ("finished", &[], Short),
        ("completed", &[], Classic),
        ("archived", &["done"], Classic),
        ("", &[], Classic),
        ("finished", &["in_progress"], Classic),
        ("finished", &["canceled"], Classic),
        ("finished", &["blocked"], Classic),
        ("finished", &["cancelled", "done"], Classic),
        ("completed", &["wait"], Short),
        ("active", &["progress"], Short),
        ("active", &["cancel"], Short),
        ("active", &["cancel", "wait", "blocked"], Short),
        ("finished", &["cancel", "in_progress", "blocked"], Classic),
        ("finished", &["cancel", "blocked"], Short),
        ("active", &["cancel", "blocked"], Classic),
    ] {
        let blocks: String = words.iter().map(|word| BLOCK.replace("todo", word)).collect();
        let plan = parse_text(&format!("---\nstatus: {front}\n---\n{blocks}"));
        assert_eq!(plan.vocabulary, expected, "{front} {words:?}");
    }
}
