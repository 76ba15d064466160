//! Finds the sections of a file in one pass over the lines outside of bodies.

use std::collections::HashMap;
use std::ops::Range;

use super::byte_lines::{line_end, line_ranges, line_text};
use super::code_fences::CodeFences;
use super::section_marker::{self, LAST_SYNCED, MAX_LINE_BYTES, OpeningMarker};
use crate::model::RepoSlug;

/// The form of a section in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SectionForm {
    /// The body has its length, and is followed by its closing marker.
    Whole,
    /// The closing marker is not where the length says.
    Changed,
    /// A legacy section, without markers.
    Legacy,
}

/// A section, and where it is in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocatedSection<'a> {
    pub(super) slug: &'a str,
    pub(super) synced_at: &'a str,
    /// The digest in the markers; empty for a legacy section.
    pub(super) digest: &'a str,
    pub(super) form: SectionForm,
    /// The whole section.
    pub(super) range: Range<usize>,
    pub(super) body: Range<usize>,
}

impl LocatedSection<'_> {
    /// Returns whether the section is of this repository. Legacy headings are in capitals, with `_`
    /// in the place of other characters.
    pub(super) fn is_of(&self, slug: &RepoSlug) -> bool {
        let plain = |text: &str| -> Vec<u8> {
            let bytes = text.bytes().filter(|byte| !b"-_ ".contains(byte));
            bytes.map(|byte| byte.to_ascii_lowercase()).collect()
        };
        match self.form {
            SectionForm::Legacy => plain(self.slug) == plain(slug.as_str()),
            SectionForm::Whole | SectionForm::Changed => slug.is_same(self.slug),
        }
    }
}

/// Finds every section, in order.
pub(super) fn scan_sections(file: &[u8]) -> Vec<LocatedSection<'_>> {
    let mut marker_pairs = None;
    let mut sections: Vec<LocatedSection<'_>> = Vec::new();
    // The legacy section whose end is not reached yet.
    let mut open_legacy: Option<LocatedSection<'_>> = None;
    let mut fences = CodeFences::default();
    let mut stretch_end = 0;
    let mut below_mark = false;
    let mut offset = 0;
    while offset < file.len() {
        let end = line_end(file, offset);
        let line = file.get(offset..end).unwrap_or_default();
        let is_mark = section_marker::is_opening(line);
        if is_mark {
            close_legacy_section(&mut open_legacy, offset, &mut sections);
            let piece = section_marker::parse_opening(line).and_then(|opening| {
                read_whole_section(file, offset, end, &opening).or_else(|| {
                    let marks = marker_pairs.get_or_insert_with(|| MarkerPairs::pair_markers(file));
                    read_changed_section(file, offset, end, &opening, marks)
                })
            });
            if let Some(piece) = piece {
                offset = piece.range.end;
                sections.push(piece);
                below_mark = false;
                continue;
            }
        } else {
            if offset >= stretch_end {
                stretch_end = next_mark(file, offset);
                fences = CodeFences::find_in(file, offset..stretch_end);
            }
            // Below a marker without its section, our own heading is plain text.
            if !below_mark
                && let Some(piece) = read_legacy_section(file, offset, end)
                && !fences.is_code(offset)
            {
                close_legacy_section(&mut open_legacy, offset, &mut sections);
                open_legacy = Some(piece);
            }
        }
        below_mark = is_mark && line != section_marker::DUPLICATE_NOTE.as_bytes();
        offset = end;
    }
    close_legacy_section(&mut open_legacy, file.len(), &mut sections);
    sections
}

/// Returns the offset of the next line, from `at` on, that is an opening marker or was one.
fn next_mark(file: &[u8], at: usize) -> usize {
    let is_mark =
        |line: &Range<usize>| file.get(line.clone()).is_some_and(section_marker::is_opening);
    let mark = line_ranges(file, at..file.len()).find(is_mark);
    mark.map_or(file.len(), |line| line.start)
}

/// Ends the open legacy section.
fn close_legacy_section<'a>(
    open: &mut Option<LocatedSection<'a>>,
    at: usize,
    pieces: &mut Vec<LocatedSection<'a>>,
) {
    if let Some(mut piece) = open.take() {
        piece.range.end = at;
        piece.body.end = at;
        pieces.push(piece);
    }
}

/// Reads the section whose opening marker is at `start..end`, by its length.
fn read_whole_section<'a>(
    file: &'a [u8],
    start: usize,
    end: usize,
    opening: &OpeningMarker<'a>,
) -> Option<LocatedSection<'a>> {
    let below = section_marker::render_heading(opening.slug, opening.synced_at);
    let rest = file.get(end..)?;
    if !rest.starts_with(below.as_bytes()) {
        return None;
    }
    let from = end + below.len();
    let to = from.checked_add(opening.bytes)?;
    let closing = file.get(to..)?.strip_prefix(b"\n")?;
    let after = closing.strip_prefix(section_marker::render_closing(opening.digest).as_bytes())?;
    let after = match after {
        [] => after,
        [b'\n', after @ ..] => after,
        _ => return None,
    };
    Some(located_section(opening, SectionForm::Whole, start..file.len() - after.len(), from..to))
}

/// Reads the section whose opening marker is at `start..end`, up to its closing marker.
fn read_changed_section<'a>(
    file: &'a [u8],
    start: usize,
    end: usize,
    opening: &OpeningMarker<'a>,
    marks: &MarkerPairs,
) -> Option<LocatedSection<'a>> {
    let closing = marks.closing_marker(start)?;
    let mut from = end;
    // What is left of the lines between marker and body is not part of the body.
    for place in 0..3 {
        let to = line_end(file, from);
        let line = file.get(from..to).and_then(line_text).unwrap_or("?");
        let is_ours = match place {
            0 => line.starts_with("## ") && line.ends_with(" State"),
            1 => line.starts_with(LAST_SYNCED),
            _ => line.is_empty(),
        };
        if is_ours && to <= closing.start {
            from = to;
        }
    }
    let body = file.get(from..closing.start)?;
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    Some(located_section(
        opening,
        SectionForm::Changed,
        start..closing.end,
        from..from + body.len(),
    ))
}

fn located_section<'a>(
    opening: &OpeningMarker<'a>,
    form: SectionForm,
    range: Range<usize>,
    body: Range<usize>,
) -> LocatedSection<'a> {
    LocatedSection {
        slug: opening.slug,
        synced_at: opening.synced_at,
        digest: opening.digest,
        form,
        range,
        body,
    }
}

/// Which closing marker ends which opening marker, outside of bodies.
///
/// A closing marker ends the last open opening marker with its digest; markers that were opened in
/// between belong to the section. So pairs are nested or apart, and removing or replacing a section
/// does not change where its neighbors end.
#[derive(Default)]
struct MarkerPairs {
    /// The closing marker for each offset of an opening one.
    closings: HashMap<usize, Range<usize>>,
}

impl MarkerPairs {
    /// Reads every marker once, however many have lost their counterpart.
    fn pair_markers(file: &[u8]) -> Self {
        let mut closings = HashMap::new();
        let mut open: Vec<(usize, &str)> = Vec::new();
        let mut open_by_digest: HashMap<&str, usize> = HashMap::new();
        let mut at = 0;
        while at < file.len() {
            let end = line_end(file, at);
            let line = file.get(at..end).unwrap_or_default();
            if let Some(digest) = section_marker::parse_closing(line) {
                let is_open = open_by_digest.get(digest).is_some_and(|count| *count > 0);
                while let Some((start, opened)) = open.pop_if(|_| is_open) {
                    *open_by_digest.entry(opened).or_default() -= 1;
                    if opened == digest {
                        closings.insert(start, at..end);
                        break;
                    }
                }
            } else if let Some(opening) = section_marker::parse_opening(line) {
                // A marker in a body belongs to the body.
                if let Some(piece) = read_whole_section(file, at, end, &opening) {
                    at = piece.range.end;
                    continue;
                }
                open.push((at, opening.digest));
                *open_by_digest.entry(opening.digest).or_default() += 1;
            }
            at = end;
        }
        Self { closings }
    }

    /// Returns the closing marker of the section that begins at `start`, if it has one.
    fn closing_marker(&self, start: usize) -> Option<&Range<usize>> {
        self.closings.get(&start)
    }
}

/// Reads the legacy section whose heading is at `start..end`: `## NAME State` and, below it, apart
/// from blank lines, `**Last Synced**: …`. Its end is not known yet.
fn read_legacy_section(file: &[u8], start: usize, end: usize) -> Option<LocatedSection<'_>> {
    let line = file.get(start..end)?;
    if line.len() > MAX_LINE_BYTES || !line.starts_with(b"## ") {
        return None;
    }
    let name = line_text(line)?.strip_prefix("## ")?.trim();
    let slug = name.strip_suffix(" State")?.trim_end();
    let mut from = end;
    // A limit, so that blank lines are not read again for each heading.
    for _ in 0..MAX_BLANK_LINES {
        let to = line_end(file, from);
        let line = file.get(from..to)?;
        if line.is_empty() || line.len() > MAX_LINE_BYTES {
            return None;
        }
        let line = line_text(line)?.trim();
        from = to;
        if let Some(time) = line.strip_prefix(LAST_SYNCED) {
            return Some(LocatedSection {
                slug,
                synced_at: time.trim_start_matches(':').trim(),
                digest: "",
                form: SectionForm::Legacy,
                range: start..to,
                body: to..to,
            });
        }
        if !line.is_empty() {
            return None;
        }
    }
    None
}

/// The most blank lines between a legacy heading and its time.
const MAX_BLANK_LINES: usize = 8;
