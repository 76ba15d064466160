//! Lists of dependencies in the text of a task, `(depends: 1.1, 1.2)`.

use super::dependencies::is_range;
use super::task_ids::is_id_word;

/// The lists of dependencies in a text, `(depends: 1.1, 1.2)`.
pub(super) struct DependencyLists {
    /// The text without the lists.
    pub(super) rest: String,
    pub(super) lists: Vec<String>,
    /// Whether a list is not closed.
    pub(super) is_open: bool,
}

impl DependencyLists {
    pub(super) fn split_from(text: &str) -> Self {
        let mut lists = Self { rest: String::new(), lists: Vec::new(), is_open: false };
        let mut left = text;
        while let Some((before, after)) = left.split_once('(') {
            lists.rest.push_str(before);
            match find_list(after) {
                FoundList::Closed { note, list, after } if !is_of_packages(list) => {
                    if note.is_empty() {
                        lists.rest.truncate(lists.rest.trim_end().len());
                    } else {
                        lists.rest.extend(["(", note, ")"]);
                    }
                    lists.lists.push(list.to_owned());
                    left = after;
                }
                FoundList::Closed { after: behind, .. } => {
                    let inside = after.strip_suffix(behind).unwrap_or_default();
                    lists.rest.extend(["(", inside]);
                    left = behind;
                }
                FoundList::Unclosed => {
                    // Nothing further on is closed either, and searching again at every parenthesis
                    // would take the square of the line.
                    lists.is_open = true;
                    lists.rest.push('(');
                    left = after;
                    break;
                }
                FoundList::Nothing => {
                    lists.rest.push('(');
                    left = after;
                }
            }
        }
        lists.rest.push_str(left);
        lists
    }
}

/// The longest text in parentheses before a list.
const MAX_NOTE_BYTES: usize = 40;

/// What stands in parentheses.
enum FoundList<'a> {
    Nothing,
    Unclosed,
    /// A list, what is said before it, and the text behind the parentheses.
    Closed {
        note: &'a str,
        list: &'a str,
        after: &'a str,
    },
}

/// Finds the list behind a parenthesis. It may stand behind a note, as in
/// `(wave 2, depends on 1.1)`.
fn find_list(text: &str) -> FoundList<'_> {
    let behind_note = || {
        let (note, rest) = text.split_once([',', ';', '('])?;
        let is_note = note.len() <= MAX_NOTE_BYTES && !note.contains(')');
        list_start(rest).filter(|_| is_note).map(|list| (note.trim(), list))
    };
    let Some((note, list)) = list_start(text).map(|list| ("", list)).or_else(behind_note) else {
        return FoundList::Nothing;
    };
    match list.split_once(')') {
        Some((list, after)) => FoundList::Closed { note, list, after },
        None => FoundList::Unclosed,
    }
}

/// Returns whether a list names packages, as in `` (deps: `ai@^6`, `zod`) ``, and no tasks.
fn is_of_packages(list: &str) -> bool {
    let is_id = |part: &str| {
        let part = part.trim().trim_matches(['`', '*', '_']);
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number || is_id_word(part) || is_range(part)
    };
    list.contains(['@', '`']) && !list.split([',', ';', ' ']).any(is_id)
}

/// Words that begin a list of dependencies, in any case.
const DEPENDENCY_WORDS: [&str; 7] =
    ["depends", "depend", "dependencies", "dependency", "deps", "dep", "blocked by"];

/// Returns the list of dependencies in parentheses. Without a colon it must begin with a number,
/// since `(depends on the weather)` is prose.
fn list_start(text: &str) -> Option<&str> {
    let rest = DEPENDENCY_WORDS.iter().find_map(|word| after_word(text.trim_start(), word))?;
    let rest = after_word(rest.trim_start_matches(['-', '_']).trim_start(), "on").unwrap_or(rest);
    let list = rest.trim_start().strip_prefix([':', '=', '：']);
    list.or_else(|| {
        let mut words = rest.split_whitespace();
        let is_noun = |word: &&str| matches!(*word, "Task" | "task" | "Tasks" | "tasks");
        let first = words.find(|word| !is_noun(word)).unwrap_or_default();
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
