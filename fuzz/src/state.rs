//! The file of other repositories' states: what is put is found, twice is once, and what is
//! another's stays.

use trueup_core::model::{RepoSlug, Timestamp};
use trueup_core::repo_state::{
    MAX_SUMMARY_CHARS, RepoSection, SectionState, StatusBody, find_section, list_sections,
    summarize_status, write_section,
};

use crate::text::assert_one_line;

const TIME: Timestamp = Timestamp::from_millis(1_770_300_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_770_400_000_000);

/// Checks a file; parts of it are also the bodies that are put into it, marks and all.
pub fn check(file: &[u8]) {
    let line = summarize_status(&String::from_utf8_lossy(file));
    assert_one_line(&line);
    assert!(line.chars().count() <= MAX_SUMMARY_CHARS);

    let found = list_sections(file);
    in_order(file, &found);
    let named = found.first().and_then(|section| section.slug.parse().ok());
    let (half, third) = (file.len() / 2, file.len() / 3);
    let (_, end) = file.split_at(half);
    let (start, _) = file.split_at(third);
    let shop: RepoSlug = "shop".parse().expect("it is a slug");
    for slug in named.into_iter().chain([shop]) {
        for body in [file, start, end, b"one\n"] {
            is_put(file, &slug, body);
        }
    }
}

/// No section stands in another.
fn in_order(file: &[u8], found: &[RepoSection<'_>]) {
    let mut end = 0;
    for section in found {
        let at = section.body.as_ptr() as usize - file.as_ptr() as usize;
        assert!(at >= end && at + section.body.len() <= file.len(), "{section:?}");
        end = at + section.body.len();
        if let Ok(slug) = section.slug.parse() {
            assert!(find_section(file, &slug).is_some());
        }
    }
}

/// Returns whether a section is of this repository; the original spells names freely.
fn is_of(section: &RepoSection<'_>, slug: &RepoSlug) -> bool {
    let plain = |text: &str| text.replace(['-', '_', ' '], "").to_ascii_lowercase();
    match section.state {
        SectionState::Legacy => plain(section.slug) == plain(slug.as_str()),
        SectionState::Sound | SectionState::Edited => slug.is_same(section.slug),
    }
}

/// Returns what the file says of others, and the bytes it says it in.
fn others<'f>(file: &'f [u8], slug: &RepoSlug) -> Vec<RepoSection<'f>> {
    let mut others = list_sections(file);
    others.retain(|section| !is_of(section, slug));
    others
}

fn is_put(file: &[u8], slug: &RepoSlug, body: &[u8]) {
    let body = StatusBody::new(body);
    let Some(new) = write_section(file, slug, TIME, &body) else {
        let section = find_section(file, slug).expect("it was found to be there");
        assert_eq!((section.body, section.state), (body.bytes(), SectionState::Sound));
        return;
    };
    let section = find_section(&new, slug).expect("it was put there");
    assert_eq!((section.body, section.state), (body.bytes(), SectionState::Sound));
    assert_eq!(section.synced_at, TIME.to_string());
    assert!(slug.is_same(section.slug));
    assert_eq!(write_section(&new, slug, LATER, &body), None);
    let is_own = |section: &&RepoSection<'_>| is_of(section, slug);
    let was_there = list_sections(file).iter().filter(is_own).count();
    let has_end = file.ends_with(b"\n") || was_there > 0;
    let ended = [file, if has_end { b"" } else { b"\n" }].concat();
    assert_eq!(others(&new, slug), others(&ended, slug));
    if was_there <= 1 {
        let (start, end) = around(&new, slug);
        assert!(file.ends_with(end));
        if file.is_empty() {
            assert!(start.starts_with(b"# "));
        } else {
            assert!(ended.starts_with(start));
        }
    }
    let longer = [body.bytes(), b"more"].concat();
    let other = write_section(&new, slug, LATER, &StatusBody::new(&longer)).expect("it is another");
    assert_eq!(around(&other, slug), around(&new, slug));
    assert_eq!(others(&other, slug), others(&new, slug));
}

/// Returns what stands before a section of ours and behind it.
fn around<'f>(file: &'f [u8], slug: &RepoSlug) -> (&'f [u8], &'f [u8]) {
    let body = find_section(file, slug).expect("it was put there").body;
    let (head, _) = file.split_at(body.as_ptr() as usize - file.as_ptr() as usize);
    let (_, rest) = file.split_at(head.len() + body.len());
    let heading = head.windows(5).rposition(|text| text == b"<!-- ");
    let (start, _) = head.split_at(heading.expect("it has a mark"));
    let mark = format!("\n<!-- /trueup:repo-state sha256={} -->\n", StatusBody::new(body).digest());
    (start, rest.strip_prefix(mark.as_bytes()).expect("it has an end"))
}
