//! What reaches the server: lines of the client, and signals.

use std::io::{self, BufRead, BufReader, Read as _};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Longest line read, in bytes. The text of a call fits into a small part of it.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// Most lines that wait to be answered. The client waits with further ones.
const MAX_WAITING: usize = 8;

/// Something that reached the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A line, without its line break.
    Line(Vec<u8>),
    /// A line that is longer than what is read.
    LongLine,
    /// The client closed stdin, or a signal asks this process to end.
    End,
}

/// Starts to read stdin and to receive signals.
pub(super) fn watch_input() -> io::Result<Receiver<Input>> {
    let (sender, inputs) = mpsc::sync_channel(MAX_WAITING);
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    let signal_sender = sender.clone();
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            // The server ended already.
            let _ = signal_sender.send(Input::End);
        }
    });
    thread::spawn(move || send_lines(&mut BufReader::new(io::stdin()), &sender));
    Ok(inputs)
}

/// Sends lines until there are no more, or nobody receives them.
fn send_lines(reader: &mut impl BufRead, sender: &SyncSender<Input>) {
    loop {
        // What cannot be read is over.
        let input = read_input(reader, MAX_LINE_BYTES).unwrap_or(Input::End);
        let is_end = input == Input::End;
        if sender.send(input).is_err() || is_end {
            return;
        }
    }
}

/// Reads the next line. The rest of one that is too long is skipped.
fn read_input(reader: &mut impl BufRead, max_bytes: usize) -> io::Result<Input> {
    let mut line = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(Input::End);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > max_bytes {
        skip_line(reader)?;
        return Ok(Input::LongLine);
    }
    Ok(Input::Line(line))
}

/// Skips what is left of a line without keeping it.
fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let length = buffer.len();
        let end = buffer.iter().position(|byte| *byte == b'\n');
        reader.consume(end.map_or(length, |end| end + 1));
        if end.is_some() || length == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_skipped_and_the_last_line_needs_no_break() {
        let line = |text: &str| Input::Line(text.as_bytes().to_vec());
        for (text, expected) in [
            ("", vec![]),
            ("abc\nde", vec![line("abc"), line("de")]),
            ("abcd\n\n", vec![line("abcd"), line("")]),
            ("abcde\nf\n", vec![Input::LongLine, line("f")]),
            ("abcdefghijkl", vec![Input::LongLine]),
        ] {
            // A small buffer, so that a long line comes in parts.
            let mut reader = BufReader::with_capacity(3, text.as_bytes());
            let mut inputs = Vec::new();
            loop {
                match read_input(&mut reader, 4).unwrap() {
                    Input::End => break,
                    input => inputs.push(input),
                }
            }
            assert_eq!(inputs, expected, "{text:?}");
        }
    }
}
