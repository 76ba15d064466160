//! The file `.aibrain/global-state-cache.md` of a repository: what the status files of OTHER
//! repositories say (seed 2).
//!
//! Invariants: reading never panics and is linear in the file; a body is kept byte for byte,
//! whatever it holds, copies of our own marks included; a change touches the sections of one
//! repository and no other byte; writing what is there already changes nothing.
//!
//! A section is an opening mark with length and digest of its body, a heading, the time, the
//! body, and a closing mark with the digest. No text can hold its own digest, so nothing in a
//! body ends its section. The original's sections have no end at all: theirs is where the next
//! one begins, and each is replaced by one of ours the first time its repository is written.

mod code_fences;
mod section_marker;
mod section_scan;
mod status_summary;
#[cfg(test)]
mod tests;

use std::str;

use sha2::{Digest as _, Sha256};

use crate::model::{RepoSlug, Timestamp};
use crate::text::to_hex;
use section_scan::{LocatedSection, SectionForm};

pub use status_summary::{MAX_SUMMARY_CHARS, summarize_status};

/// Most bytes that are taken of a status file.
pub const MAX_BODY_BYTES: u64 = 4 << 20;

/// Most bytes of a file of sections that are read.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// What a new file begins with.
const FILE_TITLE: &str = "# State of other repositories\n\n";

/// The status file of a repository, and its digest, which is taken once for all the files it is
/// put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusBody<'a> {
    bytes: &'a [u8],
    digest: String,
}

impl<'a> StatusBody<'a> {
    /// Takes the digest of a status file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            digest: sha256_hex(bytes),
        }
    }

    /// Returns the status file.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns its SHA-256 in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// How a section was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionState {
    /// As it was written.
    Sound,
    /// Somebody changed it, or its line ends, since.
    Edited,
    /// Written by the original.
    Legacy,
}

/// What the file says of one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepoSection<'a> {
    /// The repository; of the original's sections the name in their heading.
    pub slug: &'a str,
    /// When it was written, as it stands there; of the original's whatever follows its label.
    pub synced_at: &'a str,
    /// The status file.
    pub body: &'a [u8],
    /// How it was found.
    pub state: SectionState,
}

/// Returns every section, in the order of the file. Digests are not taken here: a section that
/// has its length counts as sound.
pub fn list_sections(file: &[u8]) -> Vec<RepoSection<'_>> {
    let sections = section_scan::scan_sections(file);
    sections
        .iter()
        .map(|piece| to_repo_section(file, piece))
        .collect()
}

/// Returns the section of a repository: the first of ours, or else of the original's, whose
/// first is its newest.
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

/// Returns the file with the section of a repository written, where its first stood, or at the
/// end. Nothing when the file has exactly this body already: then its time is not renewed.
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
    let first = sections
        .first()
        .map_or(file.len(), |piece| piece.range.start);
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

fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// Returns a line without its end, as text.
fn line_text(line: &[u8]) -> Option<&str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    str::from_utf8(line).ok()
}
