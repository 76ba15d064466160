//! Realistic workplan files, of which a few differ from the database.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::BenchError;

/// How many files, and tasks in each.
pub(super) const FILES: usize = 10_000;
pub(super) const TASKS: usize = 10;

/// The repository that they name.
pub(super) const REPO: &str = "app";

/// Differences of each kind.
const DIFFERENCES_PER_KIND: usize = 12;

/// A kind of workplan recurs after so many.
const KINDS: usize = TASKS + 1;

/// What files differ in; each has its own workplans.
#[derive(Debug, Clone, Copy)]
enum Difference {
    /// The file's status is ahead of the database's.
    FileAhead,
    /// The database's status is ahead of the file's.
    DatabaseAhead,
    /// The heading was reworded.
    Title,
    /// The priority was changed.
    Priority,
}

const DIFFERENCES: [Difference; 4] =
    [Difference::FileAhead, Difference::DatabaseAhead, Difference::Title, Difference::Priority];

/// Sentences of descriptions.
const SENTENCES: [&str; 8] = [
    "The counts of both warehouses are read at one moment, so that\nno parcel is in neither of them.",
    "What the importer skipped is listed with its line; today it is\nsilent, and the next run finds the same rows again.",
    "A cancelled order gives its stock back before the answer is sent.",
    "The old table stays until the last reader of it is gone, which\n`stock report --readers` shows.",
    "Only the owner of a shelf may move it; the others get a 409 with\nthe name of the owner.",
    "Retries wait twice as long each time, at most a minute, and give\nup after the fifth.",
    "Measure before and after: the nightly run took 41 minutes in March.",
    "Done when the weekly report has the same totals for three weeks.",
];

/// Titles of tasks.
const TITLES: [&str; 7] = [
    "Count both warehouses at one moment",
    "Name what the importer skips",
    "Give stock back when an order is cancelled",
    "Move readers off the old table",
    "Refuse moves by others",
    "Wait longer between retries",
    "Compare the totals of three weeks",
];

fn pick_text<'a>(texts: &[&'a str], number: usize) -> &'a str {
    texts.get(number % texts.len()).copied().unwrap_or_default()
}

/// Returns the id of a workplan, or of a task of it.
fn workplan_id(number: usize) -> String {
    format!("APP-WP-{number:05}")
}

fn task_id(number: usize, task: usize) -> String {
    format!("{}-T{task:02}", workplan_id(number))
}

/// Returns the path of a file from the root of its checkout.
fn workplan_path(number: usize) -> String {
    format!("workplans/{}-region-{}.md", workplan_id(number), number % 97)
}

/// Writes the files of a checkout, none linked yet.
pub(super) fn write_workplans(root: &Path) -> Result<(), BenchError> {
    fs::create_dir_all(root.join("workplans"))?;
    for number in 0..FILES {
        fs::write(root.join(workplan_path(number)), render_workplan(number)?)?;
    }
    Ok(())
}

fn render_workplan(number: usize) -> Result<String, BenchError> {
    let done = number % KINDS;
    let status = match done {
        0 => "proposed",
        TASKS => "completed",
        _ => "active",
    };
    let mut text = format!(
        "---\nid: {}\ntype: workplan\ntitle: \"Region {number}: {}\"\ndomain: logistics\n\
         repo: {REPO}\nstatus: {status}\nowner: ana\ntopic_slug: stock\ncreated: \"2026-03-21\"\n\
         updated: \"2026-03-24\"   # by hand\nplanning_priority: high\nplanning_order: {number}\n\
         ---\n\n# Region {number}\n\n## Problem\n\n{}\n{}\n\n",
        workplan_id(number),
        pick_text(&TITLES, number).to_lowercase(),
        pick_text(&SENTENCES, number),
        pick_text(&SENTENCES, number + 3),
    );
    if number.is_multiple_of(4) {
        text.push_str(
            "A task is noted like this:\n\n````markdown\n### An example\n\n```task\nid: T99\n\
             status: todo\n```\n````\n\n",
        );
    }
    text.push_str("## Tasks\n\n");
    for task in 1..=TASKS {
        let status = match task {
            _ if task <= done => "done",
            _ if task == done + 1 && done > 0 => "in_progress",
            _ if task == done + 2 && done > 0 => "blocked",
            _ => "todo",
        };
        write!(
            text,
            "### T{task:02} — {}\n\n```task\nid: {}\nstatus: {status}\npriority: {}\n",
            pick_text(&TITLES, number + task),
            task_id(number, task),
            pick_text(&["high", "medium", "low"], number / 7 + task),
        )?;
        if task == TASKS && done < TASKS {
            writeln!(text, "depends_on: [{}]", task_id(number, 1))?;
        }
        write!(
            text,
            "```\n\n{}\n{}\n\n",
            pick_text(&SENTENCES, number + task),
            pick_text(&SENTENCES, number + 3 * task + 1),
        )?;
        if (number + task).is_multiple_of(5) {
            write!(
                text,
                "```bash\n# the same day, both of them\nstock count --region {number} \\\n  \
                 --at 2026-03-24 | diff - counts.txt\n```\n\n",
            )?;
        }
    }
    Ok(text)
}

/// Returns the workplans that differ, spread over all. The last task of each is open.
fn list_differing() -> impl Iterator<Item = (usize, Difference)> {
    let step = FILES / count_differences() / KINDS * KINDS;
    let kinds = DIFFERENCES.into_iter().cycle();
    let places = (0..count_differences()).map(move |nth| nth * step + 1);
    places.zip(kinds)
}

/// Makes files differ from the database.
pub(super) fn edit_files(root: &Path) -> Result<(), BenchError> {
    for (number, difference) in list_differing() {
        let head = format!("### T{TASKS:02} — ");
        let block = format!("```task\nid: {}\nstatus: ", task_id(number, TASKS));
        let (old, new) = match difference {
            Difference::DatabaseAhead => continue,
            Difference::FileAhead => (format!("{block}todo"), format!("{block}in_progress")),
            Difference::Title => (head.clone(), format!("{head}Soon: ")),
            Difference::Priority => {
                (format!("{block}todo\npriority: "), format!("{block}todo\npriority: very-"))
            }
        };
        let path = root.join(workplan_path(number));
        let text = fs::read_to_string(&path)?;
        if text.matches(&old).count() != 1 {
            return Err(format!("{} has no {old:?}", path.display()).into());
        }
        fs::write(&path, text.replace(&old, &new))?;
    }
    Ok(())
}

/// Moves items in the database ahead of their files.
pub(super) fn advance_database(database: &Path) -> Result<(), BenchError> {
    let connection = Connection::open(database)?;
    for (number, difference) in list_differing() {
        if !matches!(difference, Difference::DatabaseAhead) {
            continue;
        }
        let changed = connection.execute(
            "UPDATE work_items SET status = 'completed', last_actor = 'seed',
                 last_op = 'ahead-' || key WHERE key = ?1 AND status IN ('queued', 'ready')",
            [task_id(number, TASKS)],
        )?;
        if changed != 1 {
            return Err(format!("{} does not wait to begin", task_id(number, TASKS)).into());
        }
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Returns how many differences there are.
pub(super) const fn count_differences() -> usize {
    DIFFERENCES_PER_KIND * DIFFERENCES.len()
}

/// Returns how many of them are of a status.
pub(super) const fn count_status_differences() -> usize {
    2 * DIFFERENCES_PER_KIND
}
