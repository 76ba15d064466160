//! The table of the commands that coordinate, with their bounds.

use super::completes::{REPETITIONS, TASKS};
use super::contention::{Contention, PROCESSES};
use super::growth::Growth;

/// Least writes a second, and the longest wait of one in a hundred, in seconds.
const MIN_RATE: f64 = 700.0;
const MAX_P99_SECONDS: f64 = 0.6;
/// Largest share of its time with few rows that a command may take with many.
const MAX_GROWTH: f64 = 1.3;

/// Renders as Markdown.
pub(crate) fn render_coordination(
    contention: &Contention,
    growth: &[Growth],
    recorded: &[i64],
) -> String {
    let Contention { commands, floor, recorded: rows_found } = contention;
    let mut rows = vec![
        render_row(
            &format!("writes a second, {PROCESSES} processes at once"),
            ">= 700",
            &format!("{:.0} (floor-write {:.0})", commands.rate, floor.rate),
            commands.rate >= MIN_RATE,
        ),
        render_row(
            "one in a hundred of them takes, s",
            "<= 0.6",
            &format!(
                "{:.2}, median {:.2} (floor-write {:.2}, {:.2})",
                commands.p99, commands.median, floor.p99, floor.median
            ),
            commands.p99 <= MAX_P99_SECONDS,
        ),
        render_row(
            "of them recorded",
            &commands.asked.to_string(),
            &format!(
                "{rows_found}, {} refused (floor-write: {} refused)",
                commands.refused, floor.refused
            ),
            commands.refused == 0
                && i64::try_from(commands.asked).is_ok_and(|asked| asked == *rows_found),
        ),
    ];
    for grown in growth {
        let ratio = grown.many / grown.few;
        rows.push(render_row(
            &format!("{}, 100,000 rows to 1,000", grown.command),
            "<= 1.3",
            &format!("{ratio:.2} ({:.2} ms to {:.2} ms)", grown.many, grown.few),
            ratio <= MAX_GROWTH,
        ));
    }
    let least = recorded.iter().min().copied().unwrap_or_default();
    rows.push(render_row(
        &format!("{TASKS} completes at once, {REPETITIONS} times: least recorded"),
        &TASKS.to_string(),
        &least.to_string(),
        i64::try_from(TASKS).is_ok_and(|tasks| tasks == least),
    ));
    format!("| must be reached | bound | measured | |\n|---|--:|--:|---|\n{}\n", rows.join("\n"))
}

fn render_row(what: &str, bound: &str, measured: &str, holds: bool) -> String {
    let word = if holds { "yes" } else { "**NO**" };
    format!("| {what} | {bound} | {measured} | {word} |")
}
