//! The tables of the hub.

use std::fmt::Write as _;

use super::claims::{CONNECTIONS, ClaimTimes, Contention};
use super::followers::{CLIENTS, EVENTS_PER_SECOND, StreamTimes};

/// The longest time from a commit to its receipt for 99 of 100, in milliseconds.
const MAX_P99_MS: f64 = 500.0;

/// Most memory of the hub, in MB.
const MAX_PEAK_MB: f64 = 150.0;

/// Renders as Markdown.
pub(crate) fn render_hub(stream: &StreamTimes, claims: &[ClaimTimes]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_stream(&mut text, stream);
    let _ = write_claims(&mut text, claims);
    text
}

fn write_stream(text: &mut String, stream: &StreamTimes) -> std::fmt::Result {
    let StreamTimes { events, whole_clients, median_ms, p99_ms, max_ms, hub, seconds } = stream;
    writeln!(
        text,
        "| {CLIENTS} clients, {EVENTS_PER_SECOND} events a second, {events} events | bound | \
         measured | |\n|---|--:|--:|---|"
    )?;
    let mut row = |name: &str, bound: &str, measured: String, is_reached: bool| {
        let word = if is_reached { "yes" } else { "**NO**" };
        writeln!(text, "| {name} | {bound} | {measured} | {word} |")
    };
    row(
        "clients that got each event once, in order",
        &CLIENTS.to_string(),
        whole_clients.to_string(),
        *whole_clients == CLIENTS,
    )?;
    row(
        "from the write to the receipt, p99 ms",
        &format!("<= {MAX_P99_MS}"),
        format!("{p99_ms:.0}, median {median_ms:.0}, longest {max_ms:.0}"),
        *p99_ms <= MAX_P99_MS,
    )?;
    row(
        "peak MB of the hub",
        &format!("<= {MAX_PEAK_MB}"),
        format!("{:.1}", hub.peak_mb),
        hub.peak_mb <= MAX_PEAK_MB,
    )?;
    writeln!(text, "| of a processor, % | | {:.0} | |\n", hub.processor / seconds * 100.0)
}

fn write_claims(text: &mut String, claims: &[ClaimTimes]) -> std::fmt::Result {
    writeln!(
        text,
        "| claims over {CONNECTIONS} connections | answers a second | median / p99 ms | granted | \
         refused | failed | lost |\n|---|--:|--:|--:|--:|--:|--:|"
    )?;
    for times in claims {
        let name = match times.contention {
            Contention::None => "each of its own",
            Contention::All => "all of the same",
        };
        let ClaimTimes { rate, median_ms, p99_ms, granted, refused, failed, lost, .. } = times;
        writeln!(
            text,
            "| {name} | {rate:.0} | {median_ms:.1} / {p99_ms:.1} | {granted} | {refused} | \
             {failed} | {lost} |"
        )?;
    }
    Ok(())
}
