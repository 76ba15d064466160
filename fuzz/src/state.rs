//! The file of other repositories' states: what is put is found, twice is once, and what is
//! another's stays.

use trueup_core::model::{RepoSlug, Timestamp};
use trueup_core::repo_state::{
    Body, LONGEST_SUMMARY, Section, SectionState, find, put, remove, sections, summary,
};

use crate::text::assert_one_line;

const TIME: Timestamp = Timestamp::from_millis(1_770_300_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_770_400_000_000);

/// Checks a file; parts of it are also the bodies that are put into it, marks and all.
pub fn check(file: &[u8]) {
    let line = summary(&String::from_utf8_lossy(file));
    assert_one_line(&line);
    assert!(line.chars().count() <= LONGEST_SUMMARY);

    let found = sections(file);
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
        is_removed(file, &slug);
    }
}

/// No section stands in another.
fn in_order(file: &[u8], found: &[Section<'_>]) {
    let mut end = 0;
    for section in found {
        let at = section.body.as_ptr() as usize - file.as_ptr() as usize;
        assert!(
            at >= end && at + section.body.len() <= file.len(),
            "{section:?}"
        );
        end = at + section.body.len();
        if let Ok(slug) = section.slug.parse() {
            assert!(find(file, &slug).is_some());
            assert!(remove(file, &slug).is_some_and(|left| left.len() < file.len()));
        }
    }
}

/// Tells whether two names are of one repository; the original's are spelled freely.
fn is_same(name: &str, slug: &RepoSlug) -> bool {
    let plain = |text: &str| text.replace(['-', '_', ' '], "").to_ascii_lowercase();
    plain(name) == plain(slug.as_str())
}

/// Returns what the file says of others, and the bytes it says it in.
fn others<'f>(file: &'f [u8], slug: &RepoSlug) -> Vec<Section<'f>> {
    let mut others = sections(file);
    others.retain(|section| !is_same(section.slug, slug));
    others
}

/// What was said of others is said. One of the original's sections has no end of its own: what
/// stood behind a section of ours that is gone reads as a part of it.
#[track_caller]
fn assert_kept(before: &[Section<'_>], after: &[Section<'_>]) {
    assert_eq!(after.len(), before.len(), "{after:?}");
    for (before, after) in before.iter().zip(after) {
        let whole = Section {
            body: before.body,
            ..*after
        };
        assert_eq!(whole, *before);
        if before.state == SectionState::Legacy {
            assert!(
                after.body.starts_with(before.body),
                "{before:?} became {after:?}"
            );
        } else {
            assert_eq!(after.body, before.body);
        }
    }
}

fn is_put(file: &[u8], slug: &RepoSlug, body: &[u8]) {
    let body = Body::new(body);
    let before = others(file, slug);
    let Some(new) = put(file, slug, TIME, &body) else {
        let section = find(file, slug).expect("it was found to be there");
        assert_eq!(
            (section.body, section.state),
            (body.bytes(), SectionState::Sound)
        );
        return;
    };
    let section = find(&new, slug).expect("it was put there");
    assert_eq!(
        (section.body, section.state),
        (body.bytes(), SectionState::Sound)
    );
    assert_eq!(section.synced_at, TIME.to_string());
    assert!(slug.is_same(section.slug));
    assert_eq!(put(&new, slug, LATER, &body), None);
    assert_kept(&before, &others(&new, slug));
    // Around the section stands what stood around those it replaces.
    let stood = remove(file, slug).unwrap_or_else(|| file.to_vec());
    let left = remove(&new, slug).expect("it has one");
    if file.is_empty() {
        assert!(left.starts_with(b"# "));
    } else if left != stood {
        let more = [&stood[..], b"\n"].concat();
        assert_eq!(left, more, "{}", String::from_utf8_lossy(file));
    }
}

fn is_removed(file: &[u8], slug: &RepoSlug) {
    let before = others(file, slug);
    let Some(left) = remove(file, slug) else {
        assert_eq!(find(file, slug), None);
        return;
    };
    assert_eq!(find(&left, slug), None);
    assert_kept(&before, &others(&left, slug));
}
