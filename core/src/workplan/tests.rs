//! Tests of the parser: which blocks and values are found and where, and what edits leave as it
//! was.

mod blocks;
mod edits;
mod properties;
mod sample;
mod values;

use super::{Key, Problem, Scalar, TaskBlock, Workplan, is_workplan_path, parse_workplan};

/// A minimal front matter.
const FRONT: &str = "---\nid: WP-1\nstatus: active\n---\n";

/// A minimal block.
const BLOCK: &str = "```task\nid: T01\nstatus: todo\n```\n";

#[track_caller]
fn parse_text(text: &str) -> Workplan {
    parse_workplan(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Parses a text below a front matter of four lines.
#[track_caller]
fn parse_body_text(text: &str) -> Workplan {
    parse_text(&format!("{FRONT}{text}"))
}

fn task_ids(plan: &Workplan) -> Vec<&str> {
    let ids = plan.tasks.iter().filter_map(TaskBlock::id);
    ids.map(|id| &*id.text).collect()
}

fn scalar_texts(values: &[Scalar]) -> Vec<&str> {
    values.iter().map(|value| &*value.text).collect()
}

fn problem_lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Asserts the problems, each by its line and a part of its text.
#[track_caller]
fn assert_problems(plan: &Workplan, expected: &[(u32, &str)]) {
    let found = &plan.problems;
    assert_eq!(found.len(), expected.len(), "{:?}", problem_lines(found));
    for (problem, (line, words)) in found.iter().zip(expected) {
        assert_eq!(problem.place.line, *line, "{problem}");
        assert!(problem.text.contains(words), "{problem} lacks {words:?}");
        assert_eq!(problem.text.lines().count(), 1, "{problem}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem_with_its_place() {
    for (bytes, place, words) in [
        (&b""[..], (1, 1), "no front matter"),
        (b"# Title\n", (1, 1), "no front matter"),
        (b"\n---\nid: x\n---\n", (1, 1), "no front matter"),
        (b" ---\nid: x\n---\n", (1, 1), "no front matter"),
        (b"----\nid: x\n----\n", (1, 1), "no front matter"),
        (b"---\nid: x\n", (1, 1), "unclosed"),
        (b"---\nid: x\n ---\n", (1, 1), "unclosed"),
        (b"---", (1, 1), "unclosed"),
        (b"\xef\xbb\xbf---\n\xff", (2, 1), "UTF-8"),
        (b"\xef\xbb\xbfa\xff", (1, 2), "UTF-8"),
        ("---\r\nid: é\u{0}".as_bytes(), (1, 1), "unclosed"),
        (b"---\r\nid: \xc3\xa9\xc3", (2, 6), "UTF-8"),
    ] {
        let problem = parse_workplan(bytes).unwrap_err();
        let found = (problem.place.line, problem.place.column);
        assert_eq!(found, place, "{bytes:?}: {problem}");
        assert!(problem.text.contains(words), "{problem}");
    }
}

#[test]
fn a_front_matter_ends_with_its_second_line_of_dashes() {
    for text in [
        "---\nid: x\n---",
        "\u{feff}---\nid: x\n---\n",
        "--- \t\r\nid: x\r\n---\t\r\n",
        "---\nid: x\n---\r",
        "---\nid: x\nextra: y\n  ---\n----\n--- x\n---\n---\nid: y\n",
    ] {
        let plan = parse_text(text);
        assert_eq!(plan.front.id().map(|id| &*id.text), Some("x"), "{text:?}");
    }
    let text = "\u{feff}---\r\nid: x\r\n---\r\nrest";
    assert_eq!(text.get(parse_text(text).front.span()), Some("---\r\nid: x\r\n---\r\n"));
    let empty = parse_text("---\n---\n");
    assert_eq!((empty.front.id(), empty.problems.len()), (None, 0));
}

#[test]
fn only_files_of_folders_of_workplans_are_workplans() {
    for (path, is_one) in [
        ("workplans/CUST-WP-0026-sync.md", true),
        ("workplans/archived/260401-CUST-WP-0026.md", true),
        ("workplans/my-readme.md", true),
        ("workplans/README.md", false),
        ("workplans/archived/ReadMe.md", false),
        ("workplans/readme.MD", false),
        ("workplans/a.MD", false),
        ("workplans/a.txt", false),
        ("workplans/.md", false),
        ("workplans/.#a.md", false),
        ("workplans/archived", false),
        ("workplans/drafts/a.md", false),
        ("workplans/archived/2026/a.md", false),
        ("workplans/archived/archived/a.md", false),
        ("workplans//a.md", false),
        ("docs/workplans/a.md", true),
        ("/workplans/a.md", false),
        ("./workplans/a.md", false),
        ("Workplans/a.md", false),
        ("a.md", false),
        ("", false),
    ] {
        assert_eq!(is_workplan_path(path), is_one, "{path:?}");
    }
}
