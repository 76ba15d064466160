//! Files of workplans: an edit touches no byte that it is not about, and says what it was to
//! say when the file is read again.

use trueup_core::workplan::{
    ByteEdit, Key, Scalar, TextPosition, Workplan, apply_edits, parse_workplan,
};

use crate::text::{assert_one_line, assert_replaced, lines};

/// Words to write, of which several need quotes.
const WORDS: [&str; 6] = ["done", "in_progress", "null", "it's # so", "\"\n", "- é: [a]"];

/// All keys, to ask each part for each.
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

/// Most tasks that are edited one by one.
const MOST: usize = 4;

/// Checks a file.
pub fn check(bytes: &[u8]) {
    assert_eq!(apply_edits(bytes, Vec::new()), bytes);
    let plan = match parse_workplan(bytes) {
        Ok(plan) => plan,
        Err(problem) => {
            assert_place(bytes, problem.place);
            return assert_one_line(&problem.text);
        }
    };
    let text = std::str::from_utf8(bytes).expect("only UTF-8 is read");
    for problem in &plan.problems {
        assert_place(bytes, problem.place);
        assert_one_line(&problem.text);
    }
    assert!(plan.problems.is_sorted_by_key(|problem| problem.place));
    parts(text, &plan);
    line_ends(text);
    let word = WORDS[bytes.len() % WORDS.len()];
    for at in 0..plan.tasks.len().min(MOST) {
        status(text, &plan, at, word);
        task_link(text, &plan, at);
    }
    front_link(text, &plan);
    everything(text, &plan, word);
}

fn assert_place(bytes: &[u8], place: TextPosition) {
    assert!((1..=lines(bytes)).contains(&(place.line as usize)), "{place:?}");
    assert!(place.column >= 1, "{place:?}");
}

/// Every value stands where it is said to, and no part in another.
fn parts(text: &str, plan: &Workplan) {
    let tasks = plan.tasks.iter();
    let of_tasks = tasks.flat_map(|task| {
        let own = KEYS.iter().filter_map(|key| task.get(*key));
        own.chain(task.depends_on())
    });
    let front = KEYS.iter().filter_map(|key| plan.front.get(*key));
    for value in front.chain(plan.front.depends_on()).chain(of_tasks) {
        stands(text, value);
    }
    let mut end = plan.front.span().end;
    for task in &plan.tasks {
        assert!(end <= task.span().start);
        let block = &text[task.span()];
        let closing = block.lines().next_back().unwrap_or_default();
        for fence in [block, closing] {
            assert!(fence.trim_start().starts_with(['`', '~']), "{block:?}");
        }
        let described = &text[task.description()];
        assert_eq!(described.trim_matches([' ', '\t', '\r', '\n']), described);
        assert!(task.span().end <= task.description().start);
        end = task.description().end;
    }
}

fn stands(text: &str, value: &Scalar) {
    let raw = &text[value.span()];
    assert!(!raw.is_empty() && !value.is_empty(), "{value:?}");
    let is_plain = !raw.starts_with(['"', '\'', '|', '>']) && !raw.contains('\n');
    assert!(!is_plain || raw == &*value.text, "{raw:?} is {value:?}");
    let before = &text[..value.span().start];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let place = (value.place.line as usize, value.place.column as usize);
    let column = before[line..].chars().count() + 1;
    assert_eq!(place, (lines(before.as_bytes()), column));
}

/// Neither of the two line ends says anything.
fn line_ends(text: &str) {
    let lf = text.replace('\r', "");
    let crlf = lf.replace('\n', "\r\n");
    match (parse_workplan(lf.as_bytes()), parse_workplan(crlf.as_bytes())) {
        (Ok(lf), Ok(crlf)) => {
            assert_eq!(said(&lf, None), said(&crlf, None));
            assert_eq!(front_said(&lf, None), front_said(&crlf, None));
            assert_eq!(lf.problems, crlf.problems);
            assert_eq!(lf.vocabulary, crlf.vocabulary);
        }
        (lf, crlf) => assert_eq!(lf, crlf),
    }
}

fn status(text: &str, plan: &Workplan, at: usize, word: &str) {
    let task = &plan.tasks[at];
    let old = task.status();
    let edit = task.build_status_edit(word);
    if old.is_some_and(|old| &*old.text == word) {
        assert_eq!(edit, None);
    }
    let Some(edit) = edit else {
        assert!(old.is_none_or(|old| &*old.text == word));
        return;
    };
    if let Some(old) = old {
        assert_eq!(edit.span, old.span());
    }
    let (after, again) = applied(text, &edit);
    assert_eq!(again.tasks[at].status().map(shown), Some(word));
    assert_eq!(again.tasks[at].build_status_edit(word), None);
    let but = Some((at, Key::Status));
    assert_eq!(said(&again, but), said(plan, but));
    assert_eq!(front_said(&again, None), front_said(plan, None));
    if old.is_some() {
        assert_eq!(problems(&again), problems(plan));
    }
    if !text[edit.span].contains('\n') {
        assert_eq!(changed_lines(text, &after), Some(1));
    }
}

fn task_link(text: &str, plan: &Workplan, at: usize) {
    let task = &plan.tasks[at];
    let Some(edit) = task.build_link_edit(text.as_bytes(), "u-1") else {
        return;
    };
    assert!(task.link().is_none());
    let (after, again) = applied(text, &edit);
    assert_eq!(again.tasks[at].link().map(shown), Some("u-1"));
    assert_eq!(again.tasks[at].build_link_edit(after.as_bytes(), "u-2"), None);
    let but = Some((at, Key::Link));
    assert_eq!(said(&again, but), said(plan, but));
    assert_eq!(front_said(&again, None), front_said(plan, None));
    assert_eq!(problems(&again), problems(plan));
    assert_one_line_more(text, &after, &edit);
}

fn front_link(text: &str, plan: &Workplan) {
    let Some(edit) = plan.front.build_link_edit(text.as_bytes(), "u-1") else {
        return;
    };
    assert!(plan.front.link().is_none());
    let (after, again) = applied(text, &edit);
    assert_eq!(again.front.link().map(shown), Some("u-1"));
    assert_eq!(again.front.build_link_edit(after.as_bytes(), "u-2"), None);
    let but = Some(Key::Link);
    assert_eq!(front_said(&again, but), front_said(plan, but));
    assert_eq!(said(&again, None), said(plan, None));
    assert_eq!(problems(&again), problems(plan));
    assert_one_line_more(text, &after, &edit);
}

/// All edits of one file go together.
fn everything(text: &str, plan: &Workplan, word: &str) {
    let file = text.as_bytes();
    let tasks = plan.tasks.iter();
    let edits =
        tasks.flat_map(|task| [task.build_status_edit(word), task.build_link_edit(file, "u-1")]);
    let front = plan.front.build_link_edit(file, "u-0");
    let after = apply_edits(file, edits.chain([front]).flatten().collect());
    let again = parse_workplan(&after).expect("an edit breaks no file");
    assert_eq!(again.tasks.len(), plan.tasks.len());
    assert!(again.front.build_link_edit(&after, "u-2").is_none());
    for (task, before) in again.tasks.iter().zip(&plan.tasks) {
        assert_eq!(task.build_status_edit(word), None);
        assert_eq!(task.build_link_edit(&after, "u-2"), None);
        assert_eq!(task.title(), before.title());
        assert_eq!(task.description_digest(), before.description_digest());
    }
}

fn applied(text: &str, edit: &ByteEdit) -> (String, Workplan) {
    let after = apply_edits(text.as_bytes(), vec![edit.clone()]);
    assert_replaced(text.as_bytes(), &after, &edit.span, &edit.text);
    let plan = parse_workplan(&after).expect("an edit breaks no file");
    (String::from_utf8(after).expect("an edit is UTF-8"), plan)
}

/// Returns how many lines differ, if there are as many as before.
fn changed_lines(before: &str, after: &str) -> Option<usize> {
    let is_same = lines(before.as_bytes()) == lines(after.as_bytes());
    let pairs = before.split('\n').zip(after.split('\n'));
    is_same.then(|| pairs.filter(|(before, after)| before != after).count())
}

/// A link fills the place of one that said nothing, or is a line of its own.
fn assert_one_line_more(before: &str, after: &str, edit: &ByteEdit) {
    let replaced = &before[edit.span.clone()];
    if edit.text.ends_with('\n') {
        assert_eq!(replaced, "");
        assert_eq!(lines(after.as_bytes()), lines(before.as_bytes()) + 1);
        assert!(before[..edit.span.start].ends_with('\n'));
    } else if !replaced.contains('\n') {
        assert_eq!(changed_lines(before, after), Some(1));
    }
}

fn shown(value: &Scalar) -> &str {
    &value.text
}

/// What a task says, without the lines in which it does.
#[derive(Debug, PartialEq)]
struct Said<'a> {
    column: u32,
    title: Option<&'a str>,
    description: u64,
    values: Vec<(Key, &'a str, u32)>,
    depends_on: Vec<&'a str>,
}

/// Returns what tasks say, but for one key of one task.
fn said(plan: &Workplan, except: Option<(usize, Key)>) -> Vec<Said<'_>> {
    let tasks = plan.tasks.iter().enumerate();
    tasks
        .map(|(at, task)| {
            let keys = KEYS.iter().filter(|key| except != Some((at, **key)));
            let values = keys.filter_map(|key| {
                let value = task.get(*key)?;
                Some((*key, shown(value), value.place.column))
            });
            Said {
                column: task.place.column,
                title: task.title(),
                description: task.description_digest(),
                values: values.collect(),
                depends_on: task.depends_on().iter().map(shown).collect(),
            }
        })
        .collect()
}

fn front_said(plan: &Workplan, except: Option<Key>) -> Vec<(Key, &str, TextPosition)> {
    let keys = KEYS.iter().filter(|key| except != Some(**key));
    let own = keys.filter_map(|key| Some((*key, plan.front.get(*key)?)));
    let listed = plan.front.depends_on().iter();
    own.chain(listed.map(|value| (Key::DependsOn, value)))
        .map(|(key, value)| (key, shown(value), value.place))
        .collect()
}

/// Returns what is wrong; lines that a text names move with those above them.
fn problems(plan: &Workplan) -> Vec<String> {
    let texts = plan.problems.iter().map(|problem| &problem.text);
    let is_digit = |c: char| c.is_ascii_digit();
    texts.map(|text| text.replace(is_digit, "")).collect()
}
