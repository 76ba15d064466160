//! Time: four times the text takes no more than about four times as long, whatever is repeated.
//!
//! An input is `r^head^before^after^tail`: a letter for the reader, what stands first, what is
//! repeated, with a number between its two parts that counts up, and what stands last. With three
//! more parts, `r^head^before^after^middle^before^after^tail`, something else is repeated in the
//! second half: what grows with the one for each of the other grows with the square.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use trueup_core::metadata::script_search::{Language, find_field_uses};
use trueup_core::plan::trackers::{SourceFile, TrackerFormat, read_tracker};
use trueup_core::text::redact::redact;
use trueup_core::{cache, hook, metadata, plan, repo_state, workplan};

/// Bytes of the text that is looked at first.
const SMALL: usize = 64 * 1024;

/// Bytes of the longest text: what the largest file may have.
const LARGE: usize = 4 * 1024 * 1024;

/// How many times as long a text that is four times as long may take. The square takes sixteen.
const MOST_TIMES: u32 = 7;

/// What takes less than this says nothing.
const TOO_SHORT: Duration = Duration::from_millis(20);

/// What takes this long, and more than it may for its length, is a finding.
const TOO_LONG: Duration = Duration::from_secs(2);

/// Checks what is to be repeated.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let parts: Vec<&str> = text.split('^').collect();
    let (reader, head, first, second, tail) = match parts[..] {
        [reader, head, before, after, tail] => (reader, head, (before, after), None, tail),
        [reader, head, before, after, middle, again, behind, tail] => {
            let second = Some((middle, (again, behind)));
            (reader, head, (before, after), second, tail)
        }
        _ => return,
    };
    let Some(read) = reader.bytes().next().and_then(reader_of) else {
        return;
    };
    let text_of = |length: usize| {
        let mut text = String::with_capacity(length + 4 * bytes.len());
        text.push_str(head);
        if let Some((middle, second)) = second {
            repeat(&mut text, first, length / 2);
            text.push_str(middle);
            repeat(&mut text, second, length);
        } else {
            repeat(&mut text, first, length);
        }
        text.push_str(tail);
        text
    };
    let spent = |length: usize| {
        let text = text_of(length);
        let start = processor_time();
        read(&text);
        processor_time().saturating_sub(start)
    };
    let (mut length, mut least) = (SMALL, spent(SMALL));
    while length < LARGE {
        length *= 4;
        let mut more = spent(length);
        if more < least * MOST_TIMES || more < TOO_SHORT {
            return;
        }
        if more >= TOO_LONG {
            // Another process may have had the caches meanwhile: what is too slow stays too slow.
            least = least.max(spent(length / 4));
            more = more.min(spent(length));
        }
        let is_slow = more >= least * MOST_TIMES && more >= TOO_LONG;
        assert!(!is_slow, "{length} bytes took {more:?}, a quarter of them {least:?}");
        least = more;
    }
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time is not negative")
}

/// Adds a piece with its number until the text is so long.
fn repeat(text: &mut String, (before, after): (&str, &str), length: usize) {
    if before.is_empty() && after.is_empty() {
        return;
    }
    let mut number = 0_u32;
    while text.len() < length {
        text.push_str(before);
        if !after.is_empty() {
            text.push_str(&number.to_string());
        }
        text.push_str(after);
        number += 1;
    }
}

fn read_records(format: TrackerFormat, text: &str) {
    let _ = read_tracker(format, &[SourceFile { path: "a.md", bytes: text.as_bytes() }]);
}

fn reader_of(letter: u8) -> Option<fn(&str)> {
    Some(match letter {
        b'w' => |text| drop(workplan::parse_workplan(text.as_bytes())),
        b'p' => |text| {
            for format in plan::PlanFormat::ALL.iter().filter(|format| format.is_markdown()) {
                drop(plan::compare_checkboxes(*format, text, &[]));
            }
            plan::recognise_format(std::path::Path::new("plan.md"), text);
        },
        b's' => |text| drop(plan::check_status_file(text)),
        b'c' => {
            |text| drop(cache::CacheDocument::parse(text.as_bytes()).map(|read| read.to_reading()))
        }
        b'h' => |text| drop(hook::parse_payload(text.as_bytes())),
        b'm' => |text| drop(metadata::JsonDocument::parse(text.as_bytes())),
        b't' => |text| {
            let slug = "a".parse().expect("it is a slug");
            let _ = repo_state::find_section(text.as_bytes(), &slug);
            let _ = repo_state::summarize_status(text);
        },
        b'b' => |text| read_records(TrackerFormat::Beads, text),
        b'k' => |text| read_records(TrackerFormat::TaskMaster, text),
        b'f' => |text| read_records(TrackerFormat::Backlog, text),
        b'r' => |text| drop(redact(text)),
        b'1' => |text| drop(find_field_uses(Language::Python, text)),
        b'2' => |text| drop(find_field_uses(Language::JavaScript, text)),
        b'3' => |text| drop(find_field_uses(Language::Ruby, text)),
        b'4' => |text| drop(find_field_uses(Language::Go, text)),
        b'5' => |text| drop(find_field_uses(Language::Rust, text)),
        b'6' => |text| drop(find_field_uses(Language::Shell, text)),
        _ => return None,
    })
}
