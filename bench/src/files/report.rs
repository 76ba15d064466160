//! The table of the commands that work on files, with their bounds.

use super::check::{CheckTimes, ScriptTimes};
use super::plan::PlanTimes;
use super::state::StateTimes;
use super::workplans::{FILES, TASKS};
use crate::report::group_thousands;
use crate::verdict::to_megabytes;

/// Longest check, in seconds, and its largest memory, in megabytes.
const MAX_CHECK_SECONDS: f64 = 1.5;
const MAX_MEGABYTES: f64 = 200.0;
/// How much faster than a script a check is at least.
const MIN_SCRIPT_RATIO: f64 = 10.0;
/// Longest answer about a long plan, in milliseconds.
const MAX_PLAN_MILLIS: f64 = 30.0;
/// Longest sync of a long state into many repositories, in seconds.
const MAX_STATE_SECONDS: f64 = 0.3;

/// Renders as Markdown.
pub(super) fn render_files(check: &CheckTimes, plan: &PlanTimes, state: &StateTimes) -> String {
    let size = group_thousands((FILES * TASKS).try_into().unwrap_or(u64::MAX));
    let mut rows = vec![
        render_row(
            &format!("check of {size} tasks outside git, s"),
            "<= 1.5",
            &format!("{:.2}", check.folder),
            check.folder <= MAX_CHECK_SECONDS,
        ),
        render_row(
            "the same in a repository without a remote, s",
            "<= 1.5",
            &format!("{:.2}", check.repository),
            check.repository <= MAX_CHECK_SECONDS,
        ),
        render_row(
            "its peak MB",
            "<= 200",
            &format!("{:.1}", to_megabytes(check.peak)),
            to_megabytes(check.peak) <= MAX_MEGABYTES,
        ),
    ];
    for ScriptTimes { name, time, peak } in &check.scripts {
        let ratio = time / check.folder;
        let (found, peak) = (check.found, to_megabytes(*peak));
        rows.push(render_row(
            &format!("{name} to it, both finding the same"),
            ">= 10",
            &format!("{ratio:.2} ({time:.2} s, {peak:.1} MB, {found} differences)"),
            ratio >= MIN_SCRIPT_RATIO,
        ));
    }
    for (what, time) in [("text", plan.text), ("--json", plan.json)] {
        rows.push(render_row(
            &format!("plan status of 10,000 tasks, {what}, ms"),
            "<= 30",
            &format!("{time:.2}"),
            time <= MAX_PLAN_MILLIS,
        ));
    }
    for (what, time) in [("changed", state.changed), ("unchanged", state.same)] {
        rows.push(render_row(
            &format!("state sync of 1 MB into 20 repositories, {what}, s"),
            "<= 0.3",
            &format!("{time:.3}"),
            time <= MAX_STATE_SECONDS,
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

fn render_row(what: &str, bound: &str, measured: &str, holds: bool) -> String {
    let word = if holds { "yes" } else { "**NO**" };
    format!("| {what} | {bound} | {measured} | {word} |")
}
