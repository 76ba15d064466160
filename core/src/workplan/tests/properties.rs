//! Properties that hold for any file, built from pieces that confuse parsers of Markdown and YAML.

use proptest::prelude::*;

use super::super::{ByteEdit, TextPosition, apply_edits};
use super::*;

/// A piece of a body.
fn piece() -> impl Strategy<Value = String> {
    let fence =
        prop_oneof!["`{1,6}", "~{1,6}", " {0,5}`{3,5}", "\t`{3}", "> ```", "- ```", "1. ~~~"];
    let info = prop_oneof![
        4 => Just("task"),
        1 => Just(""),
        1 => Just(" task x"),
        1 => Just("sh"),
        1 => Just("task `"),
    ];
    let opening = (fence, info).prop_map(|(fence, info)| format!("{fence}{info}"));
    let text = prop::sample::select(vec![
        "",
        "",
        "# One",
        "## Two ##",
        "Para",
        "---",
        "===",
        "    code",
        "<!--",
        "-->",
        "<!-- x -->",
        "- item",
        "  - deep",
        "> quote",
        "\u{feff}",
        "é☃",
        "lone\rreturn",
        "***",
        "```",
        "```",
        "~~~",
        "````",
        "   ```",
        "\0",
    ]);
    prop_oneof![1 => opening, 2 => text.prop_map(str::to_owned), 3 => line(), 2 => block()]
}

/// A line of a front matter or a block.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "id",
        "status",
        "title",
        "state_hub_task_id",
        "state_hub_workstream_id",
        "depends_on",
        "depends-on",
        "priority",
        "intervention_note",
        "other",
        "\"id\"",
        "'status'",
        "- id",
        "#",
        "junk",
        "",
    ]);
    let value = prop::sample::select(vec![
        "",
        "",
        "todo",
        "done",
        "a b # c",
        "'x'",
        "\"x\"",
        "\"\"",
        "''",
        "~",
        "null",
        "# c",
        "\"open",
        "'it''s'",
        "\"a\\\"b\\u00e9\"",
        "[a, \"b\"]",
        "[a,",
        "]",
        "{a: b}",
        "|",
        ">-",
        "&a",
        "*a",
        "a: b",
        "a, b",
        "é",
        "\"wraps",
        "end\"",
    ]);
    let indent = prop::sample::select(vec!["", "", "", "", "  ", "\t", "    "]);
    let colon = prop::sample::select(vec![":", ": ", ": ", ": ", ":\t", " : ", ""]);
    let tail = prop::sample::select(vec!["", "", "", " ", "\t", " # c", "\r"]);
    (indent, key, colon, value, tail).prop_map(|parts| {
        let (indent, key, colon, value, tail) = parts;
        format!("{indent}{key}{colon}{value}{tail}")
    })
}

/// A block with correct fences and arbitrary lines.
fn block() -> impl Strategy<Value = String> {
    let fence = prop_oneof!["`{3,5}", "~{3,5}"];
    let indent = prop::sample::select(vec!["", "", " ", "   "]);
    let status =
        prop::sample::select(vec!["todo", "'todo'", "\"wait\"", "done # c", "", "in\n  two"]);
    let lines = prop::collection::vec(line(), 0..4);
    (fence, indent, status, lines, any::<prop::sample::Index>()).prop_map(
        |(fence, indent, status, mut lines, at)| {
            lines.insert(at.index(lines.len() + 1), format!("status: {status}"));
            format!("{indent}{fence}task\n{}\n{indent}{fence}", lines.join("\n"))
        },
    )
}

/// A file, with or without front matter, blocks and line ends.
fn file() -> impl Strategy<Value = String> {
    let mark = prop::sample::select(vec!["---", "---", "---", "--- ", "\u{feff}---", "--"]);
    let front = prop::collection::vec(line(), 0..6);
    let pieces = prop::collection::vec(piece(), 0..14);
    // All lines end the same way, or each in its own way.
    let ends = prop_oneof![
        Just(vec!["\n"]),
        Just(vec!["\r\n"]),
        Just(vec!["\n", "\r\n", "\n", "\r\r\n"]),
    ];
    (mark, front, pieces, ends, any::<bool>()).prop_map(|(mark, front, pieces, ends, last)| {
        let text = format!("{mark}\n{}\n---\n{}", front.join("\n"), pieces.join("\n"));
        let mut ends = ends.into_iter().cycle();
        let mut file = String::new();
        for line in text.split('\n') {
            file.push_str(line);
            file.push_str(ends.next().unwrap_or("\n"));
        }
        if last {
            return file;
        }
        file.trim_end_matches(['\n', '\r']).to_owned()
    })
}

/// All keys.
const KEYS: [Key; 19] = [
    Key::Id,
    Key::Type,
    Key::Title,
    Key::Status,
    Key::Link,
    Key::DependsOn,
    Key::Domain,
    Key::Repo,
    Key::RepoSlug,
    Key::Owner,
    Key::TopicSlug,
    Key::Created,
    Key::Updated,
    Key::PlanningPriority,
    Key::PlanningOrder,
    Key::Priority,
    Key::Assignee,
    Key::NeedsHuman,
    Key::InterventionNote,
];

/// Returns every value of a file.
fn values(plan: &Workplan) -> Vec<&Scalar> {
    let front = KEYS.iter().filter_map(|key| plan.front.get(*key));
    let tasks = plan.tasks.iter().flat_map(|task| {
        let own = KEYS.iter().filter_map(|key| task.get(*key));
        own.chain(task.depends_on())
    });
    front.chain(plan.front.depends_on()).chain(tasks).collect()
}

/// The values of a task except one key, without their byte ranges.
type Said<'a> = (TextPosition, Option<&'a str>, u64, Vec<(Key, &'a str, u32)>, Vec<&'a str>);

/// Returns the values of all tasks, without line numbers, which move when an edit adds a line.
fn said(plan: &Workplan, except: Option<(usize, Key)>) -> Vec<Said<'_>> {
    let tasks = plan.tasks.iter().enumerate();
    let said = tasks.map(|(at, task)| {
        let keys = KEYS.iter().filter(|key| except != Some((at, **key)));
        let values = keys.filter_map(|key| {
            let value = task.get(*key)?;
            Some((*key, &*value.text, value.place.column))
        });
        let (title, digest) = (task.title(), task.description_digest());
        (
            TextPosition { line: 0, ..task.place },
            title,
            digest,
            values.collect(),
            scalar_texts(task.depends_on()),
        )
    });
    said.collect()
}

fn front_said(plan: &Workplan, except: Option<Key>) -> Vec<(Key, &str, TextPosition)> {
    let keys = KEYS.iter().filter(|key| except != Some(**key));
    let values = keys.filter_map(|key| {
        let value = plan.front.get(*key)?;
        Some((*key, &*value.text, value.place))
    });
    values.collect()
}

/// Returns the problems, without line numbers, which move when a line is added.
fn words(plan: &Workplan) -> Vec<String> {
    let texts = plan.problems.iter().map(|problem| &problem.text);
    texts.map(|text| text.replace(|c: char| c.is_ascii_digit(), "")).collect()
}

fn applied(text: &str, edit: Option<ByteEdit>) -> String {
    String::from_utf8(apply_edits(text.as_bytes(), edit.into_iter().collect())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_workplan(&bytes);
        let _ = parse_workplan(&[b"---\n", bytes.as_slice(), b"\n---\n", &bytes].concat());
        prop_assert_eq!(apply_edits(&bytes, Vec::new()), bytes);
    }

    #[test]
    fn a_value_stands_where_it_is_said_to(text in file()) {
        let Ok(plan) = parse_workplan(text.as_bytes()) else {
            return Ok(());
        };
        for value in values(&plan) {
            let raw = text.get(value.span()).unwrap();
            prop_assert!(!raw.is_empty() && !value.is_empty());
            let is_same = raw == &*value.text;
            prop_assert!(is_same || raw.starts_with(['"', '\'', '|', '>']) || raw.contains('\n'));
            let before = text.get(..value.span().start).unwrap();
            let line = before.matches('\n').count() + 1;
            prop_assert_eq!(value.place.line as usize, line);
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            let column = before.get(start..).unwrap().chars().count() + 1;
            prop_assert_eq!(value.place.column as usize, column);
        }
        let mut end = plan.front.span().end;
        for task in &plan.tasks {
            prop_assert!(end <= task.span().start);
            let block = text.get(task.span()).unwrap();
            prop_assert!(block.trim_start().starts_with(['`', '~']), "{block:?}");
            let mut inner: Vec<&str> = block.lines().collect();
            let closing = inner.pop().unwrap();
            prop_assert!(closing.trim().starts_with(['`', '~']), "{block:?}");
            let description = text.get(task.description()).unwrap();
            prop_assert_eq!(description.trim_matches([' ', '\t', '\r', '\n']), description);
            prop_assert!(task.span().end <= task.description().start);
            end = task.description().end;
        }
        let lines = text.matches('\n').count() + 1;
        for (problem, next) in plan.problems.iter().zip(plan.problems.iter().skip(1)) {
            prop_assert!(problem.place <= next.place);
        }
        for problem in &plan.problems {
            prop_assert!((1..=lines).contains(&(problem.place.line as usize)));
        }
        prop_assert_eq!(applied(&text, None), text);
    }

    #[test]
    fn line_ends_make_no_difference(text in file()) {
        let lf = text.replace("\r\n", "\n").replace('\r', "");
        let crlf = lf.replace('\n', "\r\n");
        match (parse_workplan(lf.as_bytes()), parse_workplan(crlf.as_bytes())) {
            (Ok(lf), Ok(crlf)) => {
                prop_assert_eq!(said(&lf, None), said(&crlf, None));
                prop_assert_eq!(front_said(&lf, None), front_said(&crlf, None));
                prop_assert_eq!(lf.problems, crlf.problems);
            }
            (lf, crlf) => prop_assert_eq!(lf, crlf),
        }
    }

    #[test]
    fn a_status_changes_and_nothing_else_does(
        text in file(),
        at in any::<prop::sample::Index>(),
        word in prop::sample::select(vec!["done", "in_progress", "null", "it's # so", "\"\n"]),
    ) {
        let Ok(plan) = parse_workplan(text.as_bytes()) else {
            return Ok(());
        };
        if plan.tasks.is_empty() {
            return Ok(());
        }
        let at = at.index(plan.tasks.len());
        let old = plan.tasks[at].status();
        let edit = plan.tasks[at].build_status_edit(word);
        if old.is_some_and(|old| &*old.text == word) {
            prop_assert_eq!(edit, None);
            return Ok(());
        }
        prop_assert!(edit.is_some() || old.is_none());
        if edit.is_none() {
            return Ok(());
        }
        let after = applied(&text, edit.clone());
        let again = parse_text(&after);
        prop_assert_eq!(again.tasks[at].status().map(|s| &*s.text), Some(word));
        prop_assert_eq!(again.tasks[at].build_status_edit(word), None);
        let but = Some((at, Key::Status));
        prop_assert_eq!(said(&again, but), said(&plan, but));
        prop_assert_eq!(front_said(&again, None), front_said(&plan, None));
        if old.is_some() {
            prop_assert_eq!(words(&again), words(&plan));
        }
        let is_one_line = old.is_none_or(|old| !text.get(old.span()).unwrap().contains('\n'));
        if is_one_line {
            let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
            let (before, after) = (lines(&text), lines(&after));
            prop_assert_eq!(before.len(), after.len());
            let differ = before.iter().zip(&after).filter(|(a, b)| a != b).count();
            prop_assert_eq!(differ, 1);
        }
    }

    #[test]
    fn a_link_is_written_once_and_nothing_else_changes(
        text in file(),
        at in any::<prop::sample::Index>(),
    ) {
        let Ok(plan) = parse_workplan(text.as_bytes()) else {
            return Ok(());
        };
        let linked = plan.front.link().is_some();
        let edit = plan.front.build_link_edit(text.as_bytes(), "u-1");
        prop_assert!(!(linked && edit.is_some()));
        if edit.is_some() {
            let after = applied(&text, edit);
            let again = parse_text(&after);
            prop_assert_eq!(again.front.link().map(|link| &*link.text), Some("u-1"));
            prop_assert_eq!(again.front.build_link_edit(after.as_bytes(), "u-2"), None);
            let but = Some(Key::Link);
            prop_assert_eq!(front_said(&again, but), front_said(&plan, but));
            prop_assert_eq!(said(&again, None), said(&plan, None));
            prop_assert_eq!(words(&again), words(&plan));
        }
        if plan.tasks.is_empty() {
            return Ok(());
        }
        let at = at.index(plan.tasks.len());
        let edit = plan.tasks[at].build_link_edit(text.as_bytes(), "u-1");
        prop_assert!(!(plan.tasks[at].link().is_some() && edit.is_some()));
        if edit.is_some() {
            let after = applied(&text, edit.clone());
            let again = parse_text(&after);
            prop_assert_eq!(again.tasks[at].link().map(|link| &*link.text), Some("u-1"));
            prop_assert_eq!(again.tasks[at].build_link_edit(after.as_bytes(), "u-2"), None);
            let but = Some((at, Key::Link));
            prop_assert_eq!(said(&again, but), said(&plan, but));
            prop_assert_eq!(front_said(&again, None), front_said(&plan, None));
            prop_assert_eq!(words(&again), words(&plan));
            // Both edits of a task can be applied together.
            let status = plan.tasks[at].build_status_edit("in_progress");
            let both: Vec<ByteEdit> = edit.into_iter().chain(status.clone()).collect();
            let both = apply_edits(text.as_bytes(), both);
            let again = parse_workplan(&both).unwrap();
            prop_assert_eq!(again.tasks[at].link().map(|link| &*link.text), Some("u-1"));
            if status.is_some() {
                let found = again.tasks[at].status().map(|s| &*s.text);
                prop_assert_eq!(found, Some("in_progress"));
            }
        }
    }
}
