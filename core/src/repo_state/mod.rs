//! The file `.aibrain/global-state-cache.md` of a repository: copies of the status files of *other*
//! repositories.
//!
//! Invariants:
//! - Reading never panics and takes time in proportion to the file.
//! - A body is kept byte for byte, even if it holds our own markers.
//! - A change touches the sections of one repository and no other byte.
//! - Writing a body that is there already changes nothing.
//!
//! A section is an opening marker with the length and the digest of its body, a heading, the time,
//! the body, and a closing marker with the digest. No text can hold its own digest, so nothing in a
//! body ends its section. A legacy section, written by an earlier tool, has no markers: it ends
//! where the next one begins, and is replaced by one with markers when its repository is next
//! written.

mod byte_lines;
mod code_fences;
mod section_marker;
mod section_scan;
mod status_body;
mod status_summary;
#[cfg(test)]
mod tests;

use crate::model::{RepoSlug, Timestamp};
use section_scan::{LocatedSection, SectionForm};
use status_body::sha256_hex;

pub use status_body::StatusBody;
pub use status_summary::{MAX_SUMMARY_CHARS, summarize_status};

/// The largest status file that is copied, in bytes.
pub const MAX_BODY_BYTES: u64 = 4 << 20;

/// The largest file of sections that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// How a new file begins.
const FILE_TITLE: &str = "# State of other repositories\n\n";

/// The state in which a section was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionState {
    /// Unchanged.
    Sound,
    /// Edited since it was written, or its line ends were converted.
    Edited,
    /// Without markers, by an earlier tool.
    Legacy,
}

/// The copy of one repository's status file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepoSection<'a> {
    /// The repository; for a legacy section the name in its heading.
    pub slug: &'a str,
    /// When it was written, as the file has it; for a legacy section any text behind its label.
    pub synced_at: &'a str,
    /// The status file.
    pub body: &'a [u8],
    /// The state in which the section was found.
    pub state: SectionState,
}

/// Returns every section, in the order of the file. Digests are not checked: a section with the
/// right length counts as sound.
pub fn list_sections(file: &[u8]) -> Vec<RepoSection<'_>> {
    let sections = section_scan::scan_sections(file);
    sections.iter().map(|piece| to_repo_section(file, piece)).collect()
}

/// Returns whether the file has nothing but the title and sections with markers.
pub(crate) fn has_only_sections(file: &[u8]) -> bool {
    let mut at = if file.starts_with(FILE_TITLE.as_bytes()) { FILE_TITLE.len() } else { 0 };
    for piece in section_scan::scan_sections(file) {
        let gap = file.get(at..piece.range.start).unwrap_or_default();
        if piece.form == SectionForm::Legacy || !gap.trim_ascii().is_empty() {
            return false;
        }
        at = piece.range.end;
    }
    file.get(at..).unwrap_or_default().trim_ascii().is_empty()
}

/// Returns the section of a repository: the first one with markers, or else the first legacy one,
/// which is the newest.
pub fn find_section<'a>(file: &'a [u8], slug: &RepoSlug) -> Option<RepoSection<'a>> {
    let sections = section_scan::scan_sections(file);
    let sections_of_slug = || sections.iter().filter(|piece| piece.is_of(slug));
    let written_by_us = sections_of_slug().find(|piece| piece.form != SectionForm::Legacy);
    let located = written_by_us.or_else(|| sections_of_slug().next())?;
    let mut section = to_repo_section(file, located);
    if section.state == SectionState::Sound && sha256_hex(section.body) != located.digest {
        section.state = SectionState::Edited;
    }
    Some(section)
}

/// Returns the file with a section written: in the place of the repository's first section, or at
/// the end. `None` if the file has exactly this body already; its time is not renewed then.
pub fn write_section(
    file: &[u8],
    slug: &RepoSlug,
    synced_at: Timestamp,
    body: &StatusBody<'_>,
) -> Option<Vec<u8>> {
    let mut sections = section_scan::scan_sections(file);
    sections.retain(|piece| piece.is_of(slug));
    if let [only] = sections.as_slice()
        && only.form == SectionForm::Whole
        && only.digest == body.digest
        && file.get(only.body.clone()) == Some(body.bytes)
    {
        return None;
    }
    let (head, tail) = section_marker::render_frame(slug, &synced_at.to_string(), body);
    let size = file.len() + FILE_TITLE.len() + head.len() + body.bytes.len() + tail.len() + 1;
    let mut new = Vec::with_capacity(size);
    let first = sections.first().map_or(file.len(), |piece| piece.range.start);
    new.extend_from_slice(file.get(..first).unwrap_or_default());
    if file.is_empty() {
        new.extend_from_slice(FILE_TITLE.as_bytes());
    } else if new.last().is_some_and(|last| *last != b'\n') {
        new.push(b'\n');
    }
    new.extend_from_slice(head.as_bytes());
    new.extend_from_slice(body.bytes);
    new.extend_from_slice(tail.as_bytes());
    let mut at = first;
    for piece in &sections {
        new.extend_from_slice(file.get(at..piece.range.start).unwrap_or_default());
        at = piece.range.end;
        if piece.range.start != first && piece.form != SectionForm::Legacy {
            new.extend_from_slice(section_marker::DUPLICATE_NOTE.as_bytes());
        }
    }
    new.extend_from_slice(file.get(at..).unwrap_or_default());
    Some(new)
}

fn to_repo_section<'a>(file: &'a [u8], piece: &LocatedSection<'a>) -> RepoSection<'a> {
    RepoSection {
        slug: piece.slug,
        synced_at: piece.synced_at,
        body: file.get(piece.body.clone()).unwrap_or_default(),
        state: match piece.form {
            SectionForm::Whole => SectionState::Sound,
            SectionForm::Changed => SectionState::Edited,
            SectionForm::Legacy => SectionState::Legacy,
        },
    }
}
