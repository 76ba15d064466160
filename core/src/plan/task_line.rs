//! Parses lines with a checkbox: `- [ ] 1.2 Title (depends: 1.1)` and its variants.

use std::ops::Range;

use super::task_ids::{is_id_word, split_id_comment};
use crate::model::PlanTaskId;

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
    pub(super) is_checked: bool,
    /// The byte range between the brackets, from the start of the line.
    pub(super) checkbox: Range<usize>,
    pub(super) title: String,
    /// The lists of dependencies, as they are written.
    pub(super) depends_on: Vec<String>,
    /// Whether a list of dependencies is not closed, and counts as part of the title.
    pub(super) has_unclosed_list: bool,
}

/// Marks that may surround an id.
const EMPHASIS_MARKS: &[char] = &['*', '_', '`'];

/// Characters that may follow an id, as in `1.2:` and `1.2)`.
const ID_TERMINATORS: &[char] = &[':', '.', ')'];

/// Parses a line, without its end.
pub(super) fn parse_line(line: &str) -> PlanLine {
    let (line, comment_id) = split_id_comment(line);
    let is_quote = |c: char| c == '>' || c.is_whitespace();
    let body = line.trim_start_matches(is_quote);
    let quoted = line.trim_start().starts_with('>');
    let (bullet, rest) = split_bullet(body);
    let Some(inside) = rest.trim_start().strip_prefix('[') else {
        return PlanLine::Text;
    };
    let Some((mark, after)) = inside.split_once(']') else {
        return PlanLine::Text;
    };
    let is_known = matches!(mark, " " | "x" | "X");
    let is_box_sized = mark.trim().chars().count() <= 1 && mark.chars().count() <= 3;
    // `[x](…)` is a link and `[1]: …` a definition. Without a bullet, only `[ ]`, `[x]` and `[X]`
    // count.
    if !is_box_sized || after.starts_with(['(', '[', ':']) || !bullet && !is_known {
        return PlanLine::Text;
    }
    let problem = if quoted {
        "inside a quote"
    } else if !bullet {
        "no bullet before the checkbox"
    } else if rest.starts_with('[') {
        "no space between bullet and checkbox"
    } else if !is_known {
        "checkbox is neither [ ] nor [x]"
    } else if !after.starts_with(char::is_whitespace) {
        "no space after the checkbox"
    } else {
        let start = line.len() - inside.len();
        return parse_task(after.trim(), mark != " ", start..start + mark.len(), comment_id);
    };
    PlanLine::Malformed { has_id: split_id(after.trim_start()).is_some(), problem }
}

/// Splits the bullet of a plain or numbered list off; tells whether there was one.
fn split_bullet(text: &str) -> (bool, &str) {
    if let Some(rest) = text.strip_prefix(['-', '*', '+']) {
        return (true, rest);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match rest.strip_prefix(['.', ')']) {
        Some(after) if rest.len() < text.len() => (true, after),
        _ => (false, text),
    }
}

/// Splits a text into the emphasis before its id, the id, and the rest.
fn split_id(text: &str) -> Option<(&str, &str, &str)> {
    let bare = text.trim_start_matches(EMPHASIS_MARKS);
    let emphasis = text.strip_suffix(bare)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let rest = bare.trim_start_matches(is_part);
    let id = bare.strip_suffix(rest)?.trim_end_matches(['.', '-']);
    is_id_word(id).then_some((emphasis, id, bare.strip_prefix(id)?))
}

fn parse_task(
    text: &str,
    done: bool,
    mark: Range<usize>,
    comment_id: Option<PlanTaskId>,
) -> PlanLine {
    let malformed = |has_id, problem| PlanLine::Malformed { has_id, problem };
    let lists = DependencyLists::split_from(text);
    let own = if comment_id.is_none() { split_id(&lists.rest) } else { None };
    let (id, title) = match own {
        None => (comment_id, lists.rest.trim().to_owned()),
        Some((emphasis, word, rest)) => match (word.parse(), split_title(emphasis, rest)) {
            (Ok(id), Some(title)) => (Some(id), title),
            (Ok(_), None) => return malformed(true, "no space after the id"),
            // All characters of the word may be in an id, so only its length can be wrong.
            (Err(_), _) => return malformed(true, "the id is too long"),
        },
    };
    if title.is_empty() {
        return malformed(id.is_some(), "no title");
    }
    PlanLine::Task(TaskLine {
        id,
        is_checked: done,
        checkbox: mark,
        title,
        depends_on: lists.lists,
        has_unclosed_list: lists.is_open,
    })
}

/// Returns the title behind an id; `None` if nothing separates the two.
fn split_title(emphasis: &str, rest: &str) -> Option<String> {
    let closed = rest.trim_start_matches(EMPHASIS_MARKS);
    let title = closed.strip_prefix(ID_TERMINATORS).unwrap_or(closed);
    let title = title.trim_start_matches(EMPHASIS_MARKS);
    if title.starts_with(|c: char| !c.is_whitespace()) {
        return None;
    }
    let title = without_dash(title.trim());
    Some(match title.split_once(emphasis) {
        // `**1.2 Title**`: the emphasis ends somewhere in the title.
        Some((before, after)) if closed.len() == rest.len() => format!("{before}{after}"),
        _ => title.to_owned(),
    })
}

/// Removes a dash between id and title.
fn without_dash(title: &str) -> &str {
    let after = title.strip_prefix(['-', '–', '—']);
    after.map_or(title, str::trim_start)
}

/// The lists of dependencies in a text, `(depends: 1.1, 1.2)`.
struct DependencyLists {
    /// The text without the lists.
    rest: String,
    lists: Vec<String>,
    /// Whether a list is not closed.
    is_open: bool,
}

impl DependencyLists {
    fn split_from(text: &str) -> Self {
        let mut lists = Self { rest: String::new(), lists: Vec::new(), is_open: false };
        let mut left = text;
        while let Some((before, after)) = left.split_once('(') {
            let list = list_start(after).map(|start| start.split_once(')'));
            match list {
                Some(Some((list, after))) => {
                    lists.rest.push_str(before);
                    lists.lists.push(list.to_owned());
                    lists.rest.truncate(lists.rest.trim_end().len());
                    left = after;
                    continue;
                }
                Some(None) => {
                    // Nothing further on is closed either, and searching again at every parenthesis
                    // would take the square of the line.
                    lists.is_open = true;
                    break;
                }
                None => {}
            }
            lists.rest.push_str(before);
            lists.rest.push('(');
            left = after;
        }
        lists.rest.push_str(left);
        lists
    }
}

/// Words that begin a list of dependencies, in any case.
const DEPENDENCY_WORDS: [&str; 6] =
    ["depends", "depend", "dependencies", "dependency", "deps", "dep"];

/// Returns the list of dependencies in parentheses. Without a colon it must begin with a number,
/// since `(depends on the weather)` is prose.
fn list_start(text: &str) -> Option<&str> {
    let rest = DEPENDENCY_WORDS.iter().find_map(|word| after_word(text.trim_start(), word))?;
    let rest = after_word(rest.trim_start_matches(['-', '_']).trim_start(), "on").unwrap_or(rest);
    let list = rest.trim_start().strip_prefix([':', '=', '：']);
    list.or_else(|| {
        let first = rest.split_whitespace().next().unwrap_or_default();
        let has_number = first.contains(|c: char| c.is_ascii_digit());
        has_number.then_some(rest)
    })
}

/// Returns what follows a word, if the text begins with this whole word.
fn after_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (found, rest) = text.split_at_checked(word.len())?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric());
    (found.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn task_of(line: &str) -> TaskLine {
        match parse_line(line) {
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
            assert_eq!(line.get(task.checkbox), Some(" "), "{line:?}");
            assert!(!task.is_checked);
        }
        for (line, mark) in [("- [x] 1.2.3 a", "x"), ("* [X] 1.2.3 a", "X")] {
            let task = task_of(line);
            assert!(task.is_checked && task.id.unwrap().as_str() == "1.2.3");
            assert_eq!(line.get(task.checkbox), Some(mark));
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
            ("- [-] 1.2 do it", true, "neither [ ] nor [x]"),
            ("- [  ] 1.2 do it", true, "neither [ ] nor [x]"),
            ("-[ ] 1.2 do it", true, "bullet and checkbox"),
            ("[ ] 1.2 do it", true, "no bullet"),
            ("- [x]1.2 do it", true, "space after the checkbox"),
            ("> - [ ] 1.2 do it", true, "quote"),
        ] {
            match parse_line(line) {
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
        assert_eq!(parse_line(&format!("- [ ] 9{longest} a")), malformed);
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
            assert_eq!(parse_line(line), PlanLine::Text, "{line:?}");
        }
    }
}
