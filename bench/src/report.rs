//! The table of the hooks, with the verdicts.

use std::fmt::Write as _;

use crate::run::{HookRun, Row, Subject};
use crate::scripts::{NODE_HOOK, PYTHON_HOOK};
use crate::verdict::{judge_run, to_megabytes};

/// Renders a run as Markdown.
pub(crate) fn render(run: &HookRun) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_head(&mut text, run);
    let _ = write_table(&mut text, run);
    let _ = write_verdicts(&mut text, run);
    text
}

fn write_head(text: &mut String, run: &HookRun) -> std::fmt::Result {
    writeln!(
        text,
        "Built: {}. {} rounds, everything once in each, in changing order; whole processes from \
         spawn to exit. Load of the machine: {} before, {} after.",
        run.build, run.rounds, run.load.0, run.load.1
    )?;
    for row in run.rows.iter().filter(|row| Some(row.size) == run.rows.first().map(|r| r.size)) {
        if let Subject::Script(script) = &row.subject {
            writeln!(text, "{}: {}.", script.name, script.detail)?;
        }
    }
    if !run.has_instructions {
        writeln!(text, "**Instructions were not counted: there is no valgrind here.**")?;
    }
    writeln!(text)
}

fn write_table(text: &mut String, run: &HookRun) -> std::fmt::Result {
    writeln!(
        text,
        "| items | sessions | process | median ms | min ms | to its floor | Node / it | Python / it \
         | instructions | peak MB |"
    )?;
    writeln!(text, "|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for row in &run.rows {
        let time = |name: &str| run.find_row(name, row.size).map(Row::median);
        let floor = match &row.subject {
            Subject::Hook(case) => time(case.floor.program()),
            _ => None,
        };
        let script = |name: &str| match &row.subject {
            Subject::Script(_) => String::new(),
            _ => render_ratio(time(name).map(|script| script / row.median())),
        };
        writeln!(
            text,
            "| {} | {} | {} | {:.2} | {:.2} | {} | {} | {} | {} | {:.1} |",
            group_thousands(u64::from(row.size.items)),
            group_thousands(u64::from(row.size.sessions)),
            row.subject.label(),
            row.median(),
            row.min(),
            render_ratio(floor.map(|floor| row.median() / floor)),
            script(NODE_HOOK),
            script(PYTHON_HOOK),
            row.instructions.map(group_thousands).unwrap_or_default(),
            to_megabytes(row.peak),
        )?;
    }
    writeln!(text)
}

fn write_verdicts(text: &mut String, run: &HookRun) -> std::fmt::Result {
    writeln!(text, "| must be reached | bound | measured | |")?;
    writeln!(text, "|---|--:|--:|---|")?;
    for verdict in judge_run(run) {
        let word = match (&verdict.measured, verdict.holds) {
            (None, _) => "not measured",
            (Some(_), true) => "yes",
            (Some(_), false) => "**NO**",
        };
        let measured = verdict.measured.unwrap_or_default();
        writeln!(text, "| {} | {} | {measured} | {word} |", verdict.subject, verdict.bound)?;
    }
    Ok(())
}

fn render_ratio(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.2}")).unwrap_or_default()
}

/// Writes a number with a comma between thousands.
pub(crate) fn group_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(group_thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
