//! The table of the commands that work on files, with what must be reached.

use super::check::{Check, Script};
use super::plan::Plan;
use super::state::State;
use super::workplans::{FILES, TASKS};
use crate::report::grouped;
use crate::verdict::megabytes;

/// Longest check, in seconds, and its largest memory, in megabytes.
const CHECK: f64 = 1.5;
const MEGABYTES: f64 = 200.0;
/// How much faster than a script a check is at least.
const SCRIPT_RATIO: f64 = 10.0;
/// Longest answer about a long plan, in milliseconds.
const PLAN: f64 = 30.0;
/// Longest sync of a long state into many repositories, in seconds.
const STATE: f64 = 0.3;

/// Renders as Markdown.
pub(super) fn render(check: &Check, plan: &Plan, state: &State) -> String {
    let size = grouped((FILES * TASKS).try_into().unwrap_or(u64::MAX));
    let mut rows = vec![
        row(
            &format!("check of {size} tasks outside git, s"),
            "<= 1.5",
            &format!("{:.2}", check.folder),
            check.folder <= CHECK,
        ),
        row(
            "the same in a repository without a remote, s",
            "<= 1.5",
            &format!("{:.2}", check.repository),
            check.repository <= CHECK,
        ),
        row(
            "its peak MB",
            "<= 200",
            &format!("{:.1}", megabytes(check.peak)),
            megabytes(check.peak) <= MEGABYTES,
        ),
    ];
    for Script { name, time, peak } in &check.scripts {
        let ratio = time / check.folder;
        let (found, peak) = (check.found, megabytes(*peak));
        rows.push(row(
            &format!("{name} to it, both finding the same"),
            ">= 10",
            &format!("{ratio:.2} ({time:.2} s, {peak:.1} MB, {found} differences)"),
            ratio >= SCRIPT_RATIO,
        ));
    }
    for (what, time) in [("text", plan.text), ("--json", plan.json)] {
        rows.push(row(
            &format!("plan status of 10,000 tasks, {what}, ms"),
            "<= 30",
            &format!("{time:.2}"),
            time <= PLAN,
        ));
    }
    for (what, time) in [("changed", state.changed), ("unchanged", state.same)] {
        rows.push(row(
            &format!("state sync of 1 MB into 20 repositories, {what}, s"),
            "<= 0.3",
            &format!("{time:.3}"),
            time <= STATE,
        ));
    }
    format!(
        "| must be reached | bound | measured | |\n|---|--:|--:|---|\n{}\n\nThe first linking of \
         them all, with one commit, took {:.1} s.\nTwenty files of 1 MB replaced and settled, one after the other, take \
         {:.3} s.\n",
        rows.join("\n"),
        check.linked_in,
        state.floor,
    )
}

fn row(what: &str, bound: &str, measured: &str, holds: bool) -> String {
    let word = if holds { "yes" } else { "**NO**" };
    format!("| {what} | {bound} | {measured} | {word} |")
}
