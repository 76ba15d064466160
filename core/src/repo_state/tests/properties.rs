//! The laws of the file: what is written is found again, and the rest of the file stays.

use proptest::prelude::*;

use super::{
    LATER, MAX_SUMMARY_CHARS, ORIGINAL, SectionState, StatusBody, TIME, as_text, find_section,
    list_sections, repo_slug, section_text, summarize_status, write_body, write_section,
};
use crate::model::RepoSlug;

/// Bodies with what could be taken for an end.
fn arbitrary_body() -> impl Strategy<Value = Vec<u8>> {
    let file = write_body(b"", "a", b"one");
    let nested = write_body(&file, "b", &file);
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::sample::select(vec![
            file,
            nested,
            ORIGINAL.as_bytes().to_vec(),
            b"## a State\n\n**Last Synced**: x\n".to_vec(),
            b"<!-- trueup:repo-state slug=a ".to_vec(),
            b"\n-->\n".to_vec(),
            b"\r\n".to_vec(),
            b"\n".to_vec(),
            b"```\n".to_vec(),
            b"---\n".to_vec(),
        ]),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_put_is_found(file in arbitrary_body(), a in arbitrary_body(), b in arbitrary_body()) {
        let with_a = write_section(&file, &repo_slug("a"), TIME, &StatusBody::new(&a)).unwrap_or(file);
        let with_b = write_section(&with_a, &repo_slug("b"), TIME, &StatusBody::new(&b)).unwrap_or(with_a);
        for (name, body) in [("a", &a), ("b", &b)] {
            let section = find_section(&with_b, &repo_slug(name)).unwrap();
            prop_assert_eq!(section.body, body.as_slice());
            prop_assert_eq!(section.state, SectionState::Sound);
            prop_assert_eq!(write_section(&with_b, &repo_slug(name), LATER, &StatusBody::new(body)), None);
        }
    }

    #[test]
    fn a_change_of_one_leaves_the_rest(foreign in "[a-z#` \n]{0,40}", a in arbitrary_body(), b in arbitrary_body(), new in arbitrary_body()) {
        let start = write_section(foreign.as_bytes(), &repo_slug("a"), TIME, &StatusBody::new(&a)).unwrap();
        let start = write_section(&start, &repo_slug("b"), TIME, &StatusBody::new(&b)).unwrap();
        let changed = write_section(&start, &repo_slug("a"), LATER, &StatusBody::new(&new)).unwrap_or(start.clone());
        prop_assert_eq!(section_text(&changed, "a"), section_text(&start, "a"));
        let (before, after) = section_text(&changed, "b");
        prop_assert!(before.len() > foreign.len() && after.is_empty());
        let (before, _) = section_text(&changed, "a");
        if foreign.is_empty() {
            prop_assert!(as_text(before).starts_with("# State of"));
        } else {
            let line_end = if foreign.ends_with('\n') { "" } else { "\n" };
            prop_assert_eq!(as_text(before), format!("{foreign}{line_end}"));
        }
    }

    #[test]
    fn any_bytes_are_read(file in arbitrary_body(), cut in any::<prop::sample::Index>()) {
        let file = &file[..cut.index(file.len() + 1)];
        let found = list_sections(file);
        for section in found {
            if let Ok(slug) = section.slug.parse::<RepoSlug>() {
                prop_assert!(find_section(file, &slug).is_some());
            }
        }
    }

    #[test]
    fn a_summary_is_one_short_line(state in "(\\PC|[\\x00-\\x1f]|# |\\*\\*Status\\*\\*: |\n){0,60}") {
        let line = summarize_status(&state);
        prop_assert!(line.chars().count() <= MAX_SUMMARY_CHARS);
        prop_assert!(!line.chars().any(char::is_control));
    }
}
