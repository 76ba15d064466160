//! Parses lines with a checkbox: `- [ ] 1.2 Title (depends: 1.1)` and its variants.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::dependency_lists::DependencyLists;
use super::line_rules::LineRules;
use super::source_lines::SourceLines;
use super::task_box::{FoundBox, find_box};
use super::task_ids::split_id_comment;
use super::written_id::{EMPHASIS_MARKS, find_id, split_number, split_title};
use crate::model::{PlanTaskId, PlanTaskStatus};

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlanLine {
    /// A line without a checkbox.
    Text,
    /// A task.
    Task(TaskLine),
    /// A line with a checkbox that is no task.
    Malformed {
        /// Whether it has something like the id of a task.
        has_id: bool,
        /// What is wrong, for a person.
        problem: &'static str,
    },
}

/// The content of a task's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaskLine {
    /// `None` if the line has no id.
    pub(super) id: Option<PlanTaskId>,
    pub(super) status: PlanTaskStatus,
    /// Whether the box is followed by a star, which marks a task that may be left out.
    pub(super) is_optional: bool,
    /// The byte range of the mark, from the start of the line.
    pub(super) mark: Range<usize>,
    /// The mark, if it is none that is known.
    pub(super) own_mark: Option<char>,
    pub(super) title: String,
    /// The title with the id as it is written, for a task that cannot have the id.
    pub(super) whole_title: String,
    /// Whether a comment at the end of the line names the id.
    pub(super) has_comment_id: bool,
    /// The lists of dependencies, as they are written.
    pub(super) depends_on: Vec<String>,
    /// Whether a list of dependencies is not closed, and counts as part of the title.
    pub(super) has_unclosed_list: bool,
}

/// Parses a line, without its end.
pub(super) fn parse_line(line: &str, rules: &LineRules) -> PlanLine {
    let (line, comment_id) = split_id_comment(line);
    let malformed = |after: &str, problem| PlanLine::Malformed {
        has_id: find_id(after.trim_start(), rules).is_some(),
        problem,
    };
    match find_box(line, rules) {
        None => PlanLine::Text,
        Some(Ok(found)) => parse_task(found, rules, comment_id),
        Some(Err((after, problem))) => malformed(after, problem),
    }
}

/// Returns whether numbers such as `1.` and `Task 1:` are ids: no two tasks have the same.
pub(super) fn has_unique_numbers(text: &str, rules: &LineRules) -> bool {
    let rules = LineRules { has_number_ids: false, ..*rules };
    let mut seen = BTreeSet::new();
    SourceLines::new(text).all(|line| {
        let PlanLine::Task(task) = parse_line(line.text, &rules) else {
            return true;
        };
        let title = task.whole_title.trim_start_matches(EMPHASIS_MARKS);
        let title = title.strip_prefix("Task ").or_else(|| title.strip_prefix("TASK "));
        let title = title.unwrap_or(&task.whole_title).trim_start();
        match split_number(title) {
            Some((_, number, _)) => seen.insert(number.to_owned()),
            None => true,
        }
    })
}

fn parse_task(found: FoundBox<'_>, rules: &LineRules, comment_id: Option<PlanTaskId>) -> PlanLine {
    let malformed = |has_id, problem| PlanLine::Malformed { has_id, problem };
    let starred = found.after.strip_prefix('*').filter(|_| rules.is_lenient);
    let starred = starred.filter(|rest| !rest.starts_with('*'));
    let text = starred.unwrap_or(found.after).trim();
    let text = without_closing(text, found.emphasis);
    let lists = DependencyLists::split_from(&text);
    let own = if comment_id.is_none() { find_id(&lists.rest, rules) } else { None };
    let has_comment_id = comment_id.is_some();
    let (id, title) = match own {
        None => (comment_id, lists.rest.trim().to_owned()),
        Some((emphasis, word, rest)) => match (word.parse(), split_title(emphasis, rest)) {
            // A line with nothing but an id is a task with that name.
            (Ok(id), Some(title)) if title.is_empty() && rules.is_lenient => {
                (Some(id), lists.rest.trim().trim_matches(EMPHASIS_MARKS).to_owned())
            }
            (Ok(id), Some(title)) => (Some(id), title),
            // `1.2/3` is no id: the whole is the title.
            (_, None) => (None, lists.rest.trim().to_owned()),
            // All characters of the word may be in an id, so only its length can be wrong.
            (Err(_), Some(_)) => return malformed(true, "the id is too long"),
        },
    };
    if title.is_empty() {
        return malformed(id.is_some(), "no title");
    }
    PlanLine::Task(TaskLine {
        has_comment_id,
        id,
        status: found.status,
        is_optional: starred.is_some(),
        mark: found.mark,
        own_mark: found.own_mark,
        title,
        whole_title: lists.rest.trim().to_owned(),
        depends_on: lists.lists,
        has_unclosed_list: lists.is_open,
    })
}

/// Removes the end of an emphasis that began before the text.
fn without_closing<'a>(text: &'a str, emphasis: &str) -> Cow<'a, str> {
    match text.split_once(emphasis) {
        Some((before, after)) if !emphasis.is_empty() => format!("{before}{after}").into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn task_of(line: &str) -> TaskLine {
        match parse_line(line, &LineRules::STRICT) {
            PlanLine::Task(task) => task,
            other => panic!("{line:?} is {other:?}"),
        }
    }

    #[test]
    fn every_spelling_of_a_task_is_one() {
        for line in [
            "- [ ] 1.2 Write it",
            "  - [ ] 1.2 Write it",
            "\t- [ ] 1.2 Write it",
            "* [ ] 1.2 Write it",
            "+ [ ] 1.2 Write it",
            "1. [ ] 1.2 Write it",
            "-   [ ]   1.2   Write it  ",
            "- [ ] **1.2** Write it",
            "- [ ] **1.2**: Write it",
            "- [ ] **1.2:** Write it",
            "- [ ] **1.2 Write it**",
            "- [ ] `1.2` Write it",
            "- [ ] 1.2: Write it",
            "- [ ] 1.2. Write it",
            "- [ ] 1.2) Write it",
            "- [ ] 1.2 - Write it",
            "- [ ] 1.2 — Write it",
        ] {
            let task = task_of(line);
            assert_eq!(
                (task.id.as_ref().map(PlanTaskId::as_str), task.title.as_str()),
                (Some("1.2"), "Write it"),
                "{line:?}"
            );
            assert_eq!(line.get(task.mark), Some(" "), "{line:?}");
            assert_eq!(task.status, PlanTaskStatus::Pending);
        }
        for (line, mark) in [("- [x] 1.2.3 a", "x"), ("* [X] 1.2.3 a", "X")] {
            let task = task_of(line);
            assert_eq!(task.status, PlanTaskStatus::Completed);
            assert_eq!(task.id.unwrap().as_str(), "1.2.3");
            assert_eq!(line.get(task.mark), Some(mark));
        }
    }

    #[test]
    fn dependencies_leave_the_title() {
        for (line, title, lists) in [
            ("- [ ] 1.3 a (depends: 1.1, 1.2)", "a", &[" 1.1, 1.2"][..]),
            ("- [ ] 1.3 a (Depends on: 1.1-1.2) b", "a b", &[" 1.1-1.2"]),
            ("- [ ] 1.3 a (depends on 1.1)", "a", &[" 1.1"]),
            ("- [ ] 1.3 a (see x) (depends:1.1)", "a (see x)", &["1.1"]),
            ("- [ ] 1.3 a (depends on the weather)", "a (depends on the weather)", &[]),
        ] {
            let task = task_of(line);
            assert_eq!(task.title, title, "{line}");
            assert_eq!(task.depends_on, lists, "{line}");
            assert!(!task.has_unclosed_list);
        }
        let open = task_of("- [ ] 1.3 a (depends: 1.1");
        assert!(open.has_unclosed_list && open.title == "a (depends: 1.1");
    }

    #[test]
    fn odd_spaces_and_spellings_of_dependencies_are_read() {
        for list in [
            "( DEPENDS:1.1 )",
            "(  Depends   On :  1.1)",
            "(depends_on: 1.1)",
            "(depends-on=1.1)",
            "(depends：1.1)",
            "(dependencies: 1.1)",
            "(Deps 1.1)",
        ] {
            let task = task_of(&format!("- [ ] 1.3 a {list}"));
            assert_eq!((task.title.as_str(), task.depends_on.len()), ("a", 1), "{list}");
            assert_eq!(task.depends_on[0].trim(), "1.1", "{list}");
        }
        for prose in ["(deposit 1.1)", "(depending: 1.1)", "(depends onward: x)"] {
            let task = task_of(&format!("- [ ] 1.3 a {prose}"));
            assert!(task.depends_on.is_empty(), "{prose}");
        }
    }

    #[test]
    fn a_line_without_an_id_is_a_task_all_the_same() {
        for (line, title) in [
            ("- [ ] do it", "do it"),
            ("- [ ] 1 do it", "1 do it"),
            ("- [ ] UTF-8 everywhere", "UTF-8 everywhere"),
            ("- [ ] 1..2 do it", "1..2 do it"),
            ("- [ ] **Bold** words", "**Bold** words"),
        ] {
            let task = task_of(line);
            assert_eq!((task.id, task.title.as_str()), (None, title), "{line}");
        }
        let written = task_of("- [ ] 1.2 do it <!-- id: t-0a -->");
        assert_eq!(written.title, "1.2 do it");
        assert_eq!(written.id.unwrap().as_str(), "t-0a");
    }

    #[test]
    fn what_looks_like_a_task_says_what_is_wrong() {
        for (line, id, words) in [
            ("- [ ] 1.2", true, "no title"),
            ("- [ ] 1.2 (depends: 1.1)", true, "no title"),
            ("- [ ]   ", false, "no title"),
            ("- [] 1.2 do it", true, "neither [ ] nor [x]"),
            ("- [  ] 1.2 do it", true, "neither [ ] nor [x]"),
            ("-[ ] 1.2 do it", true, "bullet and checkbox"),
            ("[ ] 1.2 do it", true, "no bullet"),
            ("- [x]1.2 do it", true, "space after the checkbox"),
            ("> - [ ] 1.2 do it", true, "quote"),
            ("- **[ ] 1.2 do it**", true, "emphasis"),
        ] {
            match parse_line(line, &LineRules::STRICT) {
                PlanLine::Malformed { has_id, problem } => {
                    assert_eq!(has_id, id, "{line}");
                    assert!(problem.contains(words), "{line}: {problem}");
                }
                other => panic!("{line} is {other:?}"),
            }
        }
    }

    #[test]
    fn an_id_that_is_too_long_is_named() {
        let longest = format!("{}.1", "9".repeat(98));
        assert_eq!(task_of(&format!("- [ ] {longest} a")).id.unwrap().as_str(), longest);
        let malformed = PlanLine::Malformed { has_id: true, problem: "the id is too long" };
        let line = format!("- [ ] 9{longest} a");
        assert_eq!(parse_line(&line, &LineRules::STRICT), malformed);
    }

    #[test]
    fn what_has_no_checkbox_is_text() {
        for line in [
            "",
            "prose 1.2 more",
            "- 1.2 no box",
            "- [a](https://example.org)",
            "[1]: https://example.org",
            "- [see this] 1.2",
            "- [ unclosed 1.2",
            "[link] text",
            "1.2 [ ] text",
        ] {
            assert_eq!(parse_line(line, &LineRules::STRICT), PlanLine::Text, "{line:?}");
        }
    }

    #[test]
    fn an_id_alone_names_its_task() {
        for (line, title) in [("- [ ] 1.2", "1.2"), ("- [x] **VERIFY-1**", "VERIFY-1")] {
            let PlanLine::Task(task) = parse_line(line, &LineRules::LENIENT) else {
                panic!("{line} is no task");
            };
            assert_eq!((task.id.unwrap().as_str(), task.title.as_str()), (title, title));
        }
    }

    #[test]
    fn lenient_rules_read_what_is_missing() {
        let rules = LineRules { has_symbols: true, ..LineRules::LENIENT };
        for (line, mark, title) in [
            ("[ ] do it", " ", "do it"),
            ("-[x] do it", "x", "do it"),
            ("- [x]do it", "x", "do it"),
            ("- [] do it", "", "do it"),
            ("- [ ]* do it", " ", "do it"),
            ("- [ ] **do** it", " ", "**do** it"),
            ("- [ ]**do** it", " ", "**do** it"),
            ("- ⬜ do it", "⬜", "do it"),
            ("1. ✅ do it", "✅", "do it"),
            ("* ☑\u{fe0f} do it", "☑\u{fe0f}", "do it"),
            ("- [✅] do it", "✅", "do it"),
            ("- [ ] 1.2/3 do it", " ", "1.2/3 do it"),
            ("> - [ ] do it", " ", "do it"),
            ("  > > * [x] do it", "x", "do it"),
            ("1. **[x] do it**", "x", "do it"),
            ("- **[ ] do** it", " ", "do it"),
            ("- _[X] do it_", "X", "do it"),
            ("- **[ ]** do it", " ", "do it"),
        ] {
            let PlanLine::Task(task) = parse_line(line, &rules) else {
                panic!("{line} is no task");
            };
            assert_eq!((line.get(task.mark), task.title.as_str()), (Some(mark), title), "{line}");
            assert_eq!(task.is_optional, line.contains("]* "), "{line}");
            assert_eq!(task.id, None, "{line}");
        }
        for line in [
            "✅ do it",
            "[see] x",
            "- [a](b)",
            "[] x",
            "- [1] x",
            "- [ab] x",
            "- [x]: y",
            "**[x] do it**",
            "- **[a] b**",
        ] {
            assert_eq!(parse_line(line, &rules), PlanLine::Text, "{line}");
        }
        for line in ["> - [ ]", "- [ ]", "- ⬜", "- **[ ]**"] {
            let read = parse_line(line, &rules);
            assert!(matches!(read, PlanLine::Malformed { .. }), "{line}: {read:?}");
        }
    }
}
