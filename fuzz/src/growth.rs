//! Time: four times the text takes no more than about four times as long, whatever is repeated.
//!
//! An input is `r^head^before^after^tail`: a letter for the reader, what stands first, what is
//! repeated, with a number between its two parts that counts up, and what stands last.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use trueup_core::metadata::sources::{Language, scan};
use trueup_core::text::redact::redact;
use trueup_core::{cache, hook, metadata, plan, workplan};

/// Bytes of the text that is looked at first.
const SMALL: usize = 32 * 1024;

/// How often it is made four times as long, while it looks as if that took longer than it may.
const STEPS: usize = 3;

/// A text of this length, the longest file that is read, takes at most this long.
const LONGEST: usize = SMALL << (2 * STEPS);

/// So much processor time is too much for the longest text.
const TOO_LONG: Duration = Duration::from_secs(4);

/// Checks what is to be repeated.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let parts: Vec<&str> = text.split('^').collect();
    let [reader, head, before, after, tail] = parts[..] else {
        return;
    };
    let Some(read) = reader.bytes().next().and_then(reader_of) else {
        return;
    };
    if before.len() + after.len() == 0 {
        return;
    }
    let spent = |length: usize| {
        let text = repeated(length, head, before, after, tail);
        let start = processor_time();
        read(&text);
        processor_time() - start
    };
    let mut length = SMALL;
    let mut least = spent(length);
    for _ in 0..STEPS {
        length *= 4;
        let more = spent(length);
        let is_linear = more < least * 7 || more < Duration::from_millis(40);
        if is_linear && length < LONGEST {
            return;
        }
        assert!(
            more < TOO_LONG,
            "{length} bytes took {more:?}, a quarter of them {least:?}"
        );
        least = more;
    }
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time is not negative")
}

fn repeated(length: usize, head: &str, before: &str, after: &str, tail: &str) -> String {
    let mut text = String::with_capacity(length + 1024);
    text.push_str(head);
    let mut number = 0_u32;
    while text.len() < length {
        text.push_str(before);
        if !after.is_empty() {
            text.push_str(&number.to_string());
        }
        text.push_str(after);
        number += 1;
    }
    text.push_str(tail);
    text
}

fn reader_of(letter: u8) -> Option<fn(&str)> {
    Some(match letter {
        b'w' => |text| drop(workplan::parse(text.as_bytes())),
        b'p' => |text| drop(plan::compare_checkboxes(text, &[])),
        b's' => |text| drop(plan::check_status_file(text)),
        b'c' => |text| drop(cache::Document::parse(text.as_bytes()).map(|read| read.reading())),
        b'h' => |text| drop(hook::parse(text.as_bytes())),
        b'm' => |text| drop(metadata::Document::parse(text.as_bytes())),
        b'r' => |text| drop(redact(text)),
        b'1' => |text| drop(scan(Language::Python, text)),
        b'2' => |text| drop(scan(Language::Script, text)),
        b'3' => |text| drop(scan(Language::Ruby, text)),
        b'4' => |text| drop(scan(Language::Go, text)),
        b'5' => |text| drop(scan(Language::Rust, text)),
        b'6' => |text| drop(scan(Language::Shell, text)),
        _ => return None,
    })
}
