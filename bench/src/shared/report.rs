//! The tables of a shared database.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::commands::{Floor, ProcessTimes};
use super::hooks::PushCost;
use super::load::Load;

/// Largest ratio of a command to the program that only connects, selects and updates.
const MAX_RATIO: f64 = 1.6;

/// Largest ratio of a push over a server to one with an embedded database: its time, and its
/// instructions.
const MAX_PUSH_TIME: f64 = 1.3;
const MAX_PUSH_INSTRUCTIONS: f64 = 0.5;

/// The operations of a load, as the summary and the table name them.
const OPERATIONS: [&str; 8] =
    ["register", "add", "claim", "load", "push", "heartbeat", "complete", "release"];

/// Renders as Markdown.
pub(crate) fn render_shared(
    commands: &[ProcessTimes],
    pushes: &[PushCost],
    loads: &[Load],
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_commands(&mut text, commands);
    let _ = write_pushes(&mut text, pushes);
    let _ = write_loads(&mut text, loads);
    text
}

fn write_commands(text: &mut String, commands: &[ProcessTimes]) -> std::fmt::Result {
    // The first of its kind is the floor itself.
    let floor_of = |kind: Floor| commands.iter().find(|times| times.floor == kind);
    writeln!(text, "| over TLS with SCRAM | median ms | min ms | to its floor | <= {MAX_RATIO} |")?;
    writeln!(text, "|---|--:|--:|--:|---|")?;
    for times in commands {
        let floor = floor_of(times.floor).map_or(f64::NAN, |floor| floor.median_ms);
        let ratio = times.median_ms / floor;
        let word = if ratio <= MAX_RATIO { "yes" } else { "**NO**" };
        let ProcessTimes { name, median_ms, min_ms, .. } = times;
        writeln!(text, "| {name} | {median_ms:.1} | {min_ms:.1} | {ratio:.2} | {word} |")?;
    }
    writeln!(text)
}

fn write_pushes(text: &mut String, pushes: &[PushCost]) -> std::fmt::Result {
    let Some(embedded) = pushes.first() else { return Ok(()) };
    writeln!(
        text,
        "| checkpoint-push, task captured | median ms | <= {MAX_PUSH_TIME} | instructions | \
         <= {MAX_PUSH_INSTRUCTIONS} |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|")?;
    for PushCost { name, median_ms, instructions } in pushes {
        let time = median_ms / embedded.median_ms;
        let (count, share) = match (instructions, embedded.instructions) {
            (Some(count), Some(of)) => (count.to_string(), share_of(*count, of)),
            _ => ("not counted".to_owned(), f64::NAN),
        };
        writeln!(text, "| {name} | {median_ms:.1} | {time:.2} | {count} | {share:.2} |")?;
    }
    writeln!(text)
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn share_of(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

fn write_loads(text: &mut String, loads: &[Load]) -> std::fmt::Result {
    let names: Vec<&str> = loads.iter().map(|load| load.name.as_str()).collect();
    writeln!(text, "| 8 processes | {} |\n|---|{}", names.join(" | "), "--:|".repeat(loads.len()))?;
    let number = |value: &Json, digits: usize| match value.as_f64() {
        Some(number) => format!("{number:.digits$}"),
        None => "not measured".to_owned(),
    };
    let mut row = |name: &str, cell: &dyn Fn(&Json) -> String| {
        let cells: Vec<String> = loads.iter().map(|load| cell(&load.summary)).collect();
        writeln!(text, "| {name} | {} |", cells.join(" | "))
    };
    row("operations a second", &|summary| number(&summary["operations_per_second"], 0))?;
    for operation in OPERATIONS {
        row(&format!("{operation}, median / p99 ms"), &|summary| {
            let figures = &summary["operations"][operation];
            format!("{} / {}", number(&figures["median_ms"], 1), number(&figures["p99_ms"], 1))
        })?;
    }
    for (name, key) in [
        ("acknowledged", "acknowledged"),
        ("repeated after a deadline", "repeated"),
        ("refused", "refused"),
        ("given up", "given_up"),
        ("lost, twice, two holders, skipped by a cursor", "violations"),
    ] {
        row(name, &|summary| number(&summary[key], 0))?;
    }
    Ok(())
}
