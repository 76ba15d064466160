//! The table.

use std::fmt::Write as _;

use crate::run::{Row, Run, Subject};
use crate::scripts::{NODE_HOOK, PYTHON_HOOK};
use crate::verdict::{megabytes, verdicts};

/// Renders a run as Markdown.
pub(crate) fn render(run: &Run) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, run);
    let _ = table(&mut text, run);
    let _ = judgement(&mut text, run);
    text
}

fn head(text: &mut String, run: &Run) -> std::fmt::Result {
    writeln!(
        text,
        "Built: {}. {} rounds, everything once in each, in changing order; whole processes from \
         spawn to exit. Load of the machine: {} before, {} after.",
        run.built, run.rounds, run.load.0, run.load.1
    )?;
    for row in run
        .rows
        .iter()
        .filter(|row| Some(row.size) == run.rows.first().map(|r| r.size))
    {
        if let Subject::Script(script) = &row.subject {
            writeln!(text, "{}: {}.", script.name, script.detail)?;
        }
    }
    if !run.counted {
        writeln!(
            text,
            "**Instructions were not counted: there is no valgrind here.**"
        )?;
    }
    writeln!(text)
}

fn table(text: &mut String, run: &Run) -> std::fmt::Result {
    writeln!(
        text,
        "| items | sessions | process | median ms | min ms | to its floor | Node / it | Python / it \
         | instructions | peak MB |"
    )?;
    writeln!(text, "|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for row in &run.rows {
        let time = |name: &str| run.row(name, row.size).map(Row::median);
        let floor = match &row.subject {
            Subject::Hook(case) => time(case.floor.program()),
            _ => None,
        };
        let script = |name: &str| match &row.subject {
            Subject::Script(_) => String::new(),
            _ => shown(time(name).map(|script| script / row.median())),
        };
        writeln!(
            text,
            "| {} | {} | {} | {:.2} | {:.2} | {} | {} | {} | {} | {:.1} |",
            grouped(u64::from(row.size.items)),
            grouped(u64::from(row.size.sessions)),
            row.subject.name(),
            row.median(),
            row.min(),
            shown(floor.map(|floor| row.median() / floor)),
            script(NODE_HOOK),
            script(PYTHON_HOOK),
            row.instructions.map(grouped).unwrap_or_default(),
            megabytes(row.peak),
        )?;
    }
    writeln!(text)
}

fn judgement(text: &mut String, run: &Run) -> std::fmt::Result {
    writeln!(text, "| must be reached | bound | measured | |")?;
    writeln!(text, "|---|--:|--:|---|")?;
    for verdict in verdicts(run) {
        let word = match (&verdict.measured, verdict.holds) {
            (None, _) => "not measured",
            (Some(_), true) => "yes",
            (Some(_), false) => "**NO**",
        };
        let measured = verdict.measured.unwrap_or_default();
        writeln!(
            text,
            "| {} | {} | {measured} | {word} |",
            verdict.what, verdict.bound
        )?;
    }
    Ok(())
}

fn shown(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.2}")).unwrap_or_default()
}

/// Writes a number with a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
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
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
