//! The format of sections, legacy sections, and what edits and bodies must not do to the rest.

mod properties;

use super::{
    MAX_SUMMARY_CHARS, SectionState, StatusBody, find_section, list_sections, summarize_status,
    write_section,
};
use crate::model::{RepoSlug, Timestamp};

const TIME: Timestamp = Timestamp::from_millis(1_770_300_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_770_400_000_000);

/// A legacy file in which the header was repeated and `karematch` appended twice.
const ORIGINAL: &str = "# Global State Cache

**Purpose**: Cross-repo context
---
## KAREMATCH State

**Last Synced**: 2026-01-18T13:00:00

# KareMatch - Current State

## Done

- one

---

## AI_ORCHESTRATOR State
**Last Synced**: Never

*Not yet synced*

---

## KAREMATCH State

**Last Synced**: 2026-01-17T09:00:00

older

---
";

fn repo_slug(text: &str) -> RepoSlug {
    text.parse().unwrap()
}

fn write_body(file: &[u8], name: &str, body: &[u8]) -> Vec<u8> {
    write_section(file, &repo_slug(name), TIME, &StatusBody::new(body)).unwrap()
}

fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Returns the text before a section with markers, and the text behind it.
fn section_text<'f>(file: &'f [u8], name: &str) -> (&'f [u8], &'f [u8]) {
    let body = find_section(file, &repo_slug(name)).unwrap().body;
    let from = body.as_ptr() as usize - file.as_ptr() as usize;
    let digest = StatusBody::new(body).digest().to_owned();
    let heading = file[..from].windows(5).rposition(|text| text == b"<!-- ");
    let tail = format!("\n<!-- /trueup:repo-state sha256={digest} -->\n");
    let behind = file[from + body.len()..].strip_prefix(tail.as_bytes());
    (&file[..heading.unwrap()], behind.unwrap())
}

fn section_states(file: &[u8]) -> Vec<(&str, SectionState)> {
    let found = list_sections(file).into_iter();
    found.map(|section| (section.slug, section.state)).collect()
}

#[test]
fn a_new_file_is_a_title_and_a_section() {
    let file = write_body(b"", "karematch", b"# KareMatch\n");
    let digest = StatusBody::new(b"# KareMatch\n").digest().to_owned();
    assert_eq!(
        as_text(&file),
        format!(
            "# State of other repositories\n\n<!-- trueup:repo-state slug=karematch \
             synced=2026-02-05T14:00:00.000Z bytes=12 sha256={digest} -->\n## karematch \
             State\n**Last Synced**: 2026-02-05T14:00:00.000Z\n\n# KareMatch\n\n<!-- \
             /trueup:repo-state sha256={digest} -->\n"
        )
    );
    let section = find_section(&file, &repo_slug("KareMatch")).unwrap();
    assert_eq!((section.slug, section.state), ("karematch", SectionState::Sound));
    assert_eq!(section.synced_at, "2026-02-05T14:00:00.000Z");
    assert_eq!(section.body, b"# KareMatch\n");
}

#[test]
fn what_stands_there_already_is_not_written_again() {
    let file = write_body(b"", "a", b"one");
    let again =
        |name, body: &[u8]| write_section(&file, &repo_slug(name), LATER, &StatusBody::new(body));
    assert_eq!(again("a", b"one"), None);
    assert_eq!(again("A", b"one"), None);
    assert!(again("a", b"two").is_some() && again("b", b"one").is_some());
}

#[test]
fn a_section_that_stands_twice_is_written_once_and_leaves_its_neighbours_apart() {
    let file = write_body(b"", "a", b"one");
    let heading = "## B State\n**Last Synced**: now\n";
    for (between, behind, others) in [
        ("", "", vec![]),
        ("```\n", "", vec![]),
        // The second one ended this code block.
        ("```\n", heading, vec!["B"]),
        ("", heading, vec!["B"]),
        ("", "```\n## B State\n**Last Synced**: now\n```\n", vec![]),
        ("```\n", "```\n## A State\n**Last Synced**: now\n```\n", vec![]),
    ] {
        let twice = [&file[..], between.as_bytes(), &file[..], behind.as_bytes()].concat();
        let once = write_section(&twice, &repo_slug("a"), LATER, &StatusBody::new(b"one")).unwrap();
        let names: Vec<&str> = section_states(&once).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [&["a"], &others[..]].concat(), "{}", as_text(&once));
        assert_eq!(write_section(&once, &repo_slug("a"), TIME, &StatusBody::new(b"one")), None);
        assert_eq!(as_text(&once).matches("stood here twice").count(), 1);
    }
}

#[test]
fn around_a_body_stands_little() {
    let longest = "s".repeat(64);
    assert!(write_body(b"x\n", &longest, &vec![b'y'; 100_000]).len() < 100_000 + 4_096);
}

#[test]
fn an_edited_section_is_found_by_its_closing_mark() {
    let file = write_body(b"before\n", "a", b"one\ntwo");
    let file = write_body(&file, "b", b"other");
    let plain = as_text(&file).to_owned();
    for (edited, body) in [
        (plain.replace("one\n", "one and more\n"), "one and more\ntwo"),
        (plain.replace("one\n", "ONE\n"), "ONE\ntwo"),
        (plain.replace('\n', "\r\n"), "one\r\ntwo"),
        (plain.replace("## a State\n", ""), "one\ntwo"),
        (plain.replace("bytes=7", "bytes=99999999999999999999"), "one\ntwo"),
        (plain.replace("bytes=7", "bytes=18446744073709551615"), "one\ntwo"),
    ] {
        let section = find_section(edited.as_bytes(), &repo_slug("a")).unwrap();
        assert_eq!(as_text(section.body), body);
        assert_eq!(section.state, SectionState::Edited, "{edited}");
        let new =
            write_section(edited.as_bytes(), &repo_slug("a"), TIME, &StatusBody::new(b"one\ntwo"))
                .unwrap();
        assert_eq!(find_section(&new, &repo_slug("a")).unwrap().state, SectionState::Sound);
        assert_eq!(section_states(&new).len(), 2);
    }
}

#[test]
fn a_section_without_its_end_is_text_and_swallows_nothing() {
    let body = write_body(b"", "a", b"one");
    let cut = as_text(&body).replace("<!-- /trueup", "<!-- trueup");
    for after in ["mine\n".to_owned(), cut.clone(), as_text(&body).to_owned()] {
        let file = format!("{cut}{after}");
        let file = write_body(file.as_bytes(), "b", b"two");
        let expected = usize::from(after.as_bytes() == body);
        assert_eq!(list_sections(&file).len(), expected + 1);
        let new = write_body(&file, "a", b"three");
        let kept = if expected == 1 { cut.clone() } else { format!("{cut}{after}") };
        assert!(as_text(&new).starts_with(&kept), "{}", as_text(&new));
        assert_eq!(find_section(&new, &repo_slug("a")).unwrap().body, b"three");
        assert_eq!(find_section(&new, &repo_slug("b")).unwrap().body, b"two");
    }
}

#[test]
fn a_body_does_not_end_a_section_that_lost_its_end() {
    let written_body = write_body(b"", "a", b"one");
    let lost = as_text(&written_body).replace("<!-- /trueup", "<!-- trueup");
    let closing = as_text(&written_body).lines().next_back().unwrap().to_owned();
    let body = format!("text\n{closing}\nmore");
    let file = write_body(lost.as_bytes(), "a", body.as_bytes());
    assert_eq!(find_section(&file, &repo_slug("a")).unwrap().body, body.as_bytes());
    assert_eq!(
        write_section(&file, &repo_slug("a"), LATER, &StatusBody::new(body.as_bytes())),
        None
    );
    assert!(as_text(&file).starts_with(&lost));
}

#[test]
fn a_mark_that_lost_its_end_takes_none_of_another() {
    let file = write_body(b"", "a", b"one");
    let (opening, closing) = as_text(&file).split_once("one\n").unwrap();
    let other = write_body(b"", "b", b"two");
    let (lost, _) = as_text(&other).split_once("two\n").unwrap();
    // The section of `a` was edited, and holds the rest of `b`.
    let edited = format!("{opening}more\n{lost}and more\n{closing}");
    assert_eq!(section_states(edited.as_bytes()), [("a", SectionState::Edited)]);
    let section = find_section(edited.as_bytes(), &repo_slug("a")).unwrap();
    assert_eq!(as_text(section.body), format!("more\n{lost}and more"));
}

#[test]
fn a_section_that_is_replaced_gives_no_other_an_end() {
    let file = write_body(b"", "a", b"one");
    let edited = as_text(&file).replace("one\n", "more\n");
    let (opening, closing) = edited.split_once("more\n").unwrap();
    let other = as_text(&write_body(b"", "b", b"two")).replace("two\n", "2\n");
    let (other_opening, other_closing) = other.split_once("2\n").unwrap();
    for file in [
        // A section nested in itself, and one with a closing marker too many.
        format!("{opening}{edited}{closing}"),
        format!("{edited}{closing}{edited}{closing}"),
        format!("{opening}{opening}{edited}{closing}{closing}"),
        // Two that overlap.
        format!("{opening}{other_opening}{closing}{other_closing}"),
        format!("{opening}{other_opening}{opening}{other_closing}{closing}"),
        format!("{other_opening}{opening}{other_opening}{closing}{other_closing}"),
    ] {
        for (name, other) in [("a", "b"), ("b", "a")] {
            let before = find_section(file.as_bytes(), &repo_slug(other));
            let new = write_body(file.as_bytes(), name, b"new");
            assert_eq!(find_section(&new, &repo_slug(name)).unwrap().body, b"new", "{file}");
            assert_eq!(find_section(&new, &repo_slug(other)), before, "{file}");
        }
    }
}

#[test]
fn what_an_edit_left_of_a_mark_is_text_with_all_below_it() {
    let file = write_body(b"", "a", b"one");
    for (from, to) in
        [("slug=a", "slug=/a"), ("bytes=3", "bytes=x"), ("sha256=", "sha512="), (" -->", "")]
    {
        let edited = as_text(&file).replacen(from, to, 1);
        assert_eq!(section_states(edited.as_bytes()), [], "{edited}");
        let new = write_body(edited.as_bytes(), "a", b"two");
        assert!(new.starts_with(edited.as_bytes()));
    }
}

#[test]
fn sections_of_the_original_are_read() {
    let found = list_sections(ORIGINAL.as_bytes());
    let names: Vec<_> = found.iter().map(|s| (s.slug, s.synced_at)).collect();
    assert_eq!(
        names,
        [
            ("KAREMATCH", "2026-01-18T13:00:00"),
            ("AI_ORCHESTRATOR", "Never"),
            ("KAREMATCH", "2026-01-17T09:00:00"),
        ]
    );
    for name in ["karematch", "Kare-Match", "KARE_MATCH"] {
        let section = find_section(ORIGINAL.as_bytes(), &repo_slug(name)).unwrap();
        assert_eq!(section.state, SectionState::Legacy);
        assert!(as_text(section.body).ends_with("- one\n\n---\n\n"));
    }
    assert_eq!(find_section(ORIGINAL.as_bytes(), &repo_slug("kare")), None);
}

#[test]
fn a_section_of_the_original_is_replaced_once() {
    let new = write_body(ORIGINAL.as_bytes(), "KareMatch", b"now");
    let new = as_text(&new);
    let header = "# Global State Cache\n\n**Purpose**: Cross-repo context\n---\n";
    assert!(new.starts_with(&format!("{header}<!-- trueup:repo-state slug=KareMatch ")));
    assert!(new.ends_with(
        " -->\n## AI_ORCHESTRATOR State\n**Last Synced**: Never\n\n*Not yet synced*\n\n---\n\n"
    ));
    assert!(!new.contains("older") && !new.contains("- one"));
    assert_eq!(new.matches("## KareMatch State").count(), 1);
    let last = write_body(new.as_bytes(), "ai-orchestrator", b"then");
    assert_eq!(
        section_states(&last),
        [("KareMatch", SectionState::Sound), ("ai-orchestrator", SectionState::Sound)]
    );
}

#[test]
fn a_heading_in_a_fence_or_a_body_or_without_a_time_is_none_of_the_originals() {
    let heading = "## X State\n\n**Last Synced**: now\n\ntext\n";
    assert_eq!(section_states(heading.as_bytes()), [("X", SectionState::Legacy)]);
    for text in [
        format!("```md\n{heading}```\n"),
        format!("~~~~\n~~~\n{heading}~~~~\n"),
        "## X State\n\ntext\n**Last Synced**: now\n".to_owned(),
        "### X State\n**Last Synced**: now\n".to_owned(),
        "## X Statement\n**Last Synced**: now\n".to_owned(),
        "## X State".to_owned(),
        " ## X State\n**Last Synced**: now\n".to_owned(),
    ] {
        assert_eq!(section_states(text.as_bytes()), [], "{text}");
    }
    let file = write_body(b"", "a", heading.as_bytes());
    assert_eq!(section_states(&file), [("a", SectionState::Sound)]);
    // A fence that a legacy section left open does not hide what follows a marker either.
    let file = [heading.as_bytes(), b"```\n", &file, heading.as_bytes()].concat();
    let new = write_body(&file, "X", b"new");
    assert_eq!(section_states(&new), [("X", SectionState::Sound), ("a", SectionState::Sound)]);
    // A closed fence hides nothing behind it.
    let fenced = format!("```\ncode\n```\n{heading}");
    assert_eq!(section_states(fenced.as_bytes()), [("X", SectionState::Legacy)]);
}

#[test]
fn the_file_does_not_grow_from_sync_to_sync() {
    let body = "## Part\n\ntext\n\n---\n\n".repeat(11);
    let mut file = ORIGINAL.as_bytes().to_vec();
    let mut sizes = Vec::new();
    for round in 0..11 {
        let body = format!("{body}round {round:2}");
        file = write_body(&file, "karematch", body.as_bytes());
        sizes.push(file.len());
        assert_eq!(find_section(&file, &repo_slug("karematch")).unwrap().body, body.as_bytes());
    }
    sizes.dedup();
    assert_eq!(sizes.len(), 1, "{sizes:?}");
    assert_eq!(list_sections(&file).len(), 2);
}

#[test]
fn bytes_that_are_no_text_stay() {
    let foreign = b"\xff\xfe\n## \xff State\n**Last Synced**: x\nend without a newline \x80";
    let file = write_body(foreign, "a", b"\xc3\x28");
    assert!(file.starts_with(foreign));
    assert_eq!(find_section(&file, &repo_slug("a")).unwrap().body, b"\xc3\x28");
    let before = [&foreign[..], b"\n"].concat();
    assert_eq!(section_text(&file, "a"), (&before[..], &b""[..]));
}

#[test]
fn a_status_file_is_told_in_one_line() {
    for (state, line) in [
        (
            "# AI_Orchestrator - Current State\n\n**Last Updated**: 2026-02-05\n**Current Phase**: \
             v6.0 - **Queues**\n**Status**: \u{1b}[32mrunning\u{1b}[0m\n**Version**: 6\n",
            "AI_Orchestrator - Current State; Current Phase: v6.0 - Queues; Status: running; Last \
             Updated: 2026-02-05",
        ),
        ("# T\n\n- **Status:** ok\n", "T; Status: ok"),
        ("# T\n\n## Part\n---\n\nFirst words.\nSecond.", "T; First words."),
        ("```\n# no\n```\n| a |\n> Quoted words", "> Quoted words"),
        ("\u{feff}# T\r\n\r\nStatus: plain words\r\n", "T; Status: plain words"),
        ("", ""),
        ("\n\n---\n", ""),
    ] {
        assert_eq!(summarize_status(state), line);
    }
}
