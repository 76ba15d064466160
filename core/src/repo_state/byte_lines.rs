//! Lines of a file that may hold any bytes. Only `\n` and `\r\n` end one.

use std::io::BufRead as _;
use std::ops::Range;
use std::str;

/// Returns the byte range of each line in a stretch that begins and ends with lines.
pub(super) fn line_ranges(
    file: &[u8],
    stretch: Range<usize>,
) -> impl Iterator<Item = Range<usize>> {
    let mut at = stretch.start;
    std::iter::from_fn(move || {
        let line = at..line_end(file, at);
        at = line.end;
        (line.start < stretch.end).then_some(line)
    })
}

/// Returns the offset behind the line that begins at `at`, and behind its end.
pub(super) fn line_end(file: &[u8], at: usize) -> usize {
    let mut rest = file.get(at..).unwrap_or_default();
    // Reading from a slice cannot fail, and this uses the fastest search of the platform.
    at + rest.skip_until(b'\n').unwrap_or(rest.len())
}

/// Returns a line as text, without its end.
pub(super) fn line_text(line: &[u8]) -> Option<&str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    str::from_utf8(line).ok()
}
