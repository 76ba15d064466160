//! Headings of Markdown and the names by which links find them.

use super::page::{Part, parse_page};

/// A heading with the text below it, up to the next one of its level or above.
#[derive(Debug)]
pub(crate) struct Section {
    /// The name in a link.
    pub anchor: String,
    /// What is below it, the heading included.
    pub text: String,
}

/// Lists the sections of a page.
pub(crate) fn list_sections(page: &str) -> Vec<Section> {
    let mut lines = Vec::new();
    for part in parse_page(page) {
        match part {
            Part::Text(line) => lines.push((heading_level(&line), line)),
            Part::Block(block) => lines.push((None, block.body)),
            Part::Directive(_) => {}
        }
    }
    let mut sections: Vec<Section> = Vec::new();
    for (at, (level, line)) in lines.iter().enumerate() {
        let Some(level) = *level else { continue };
        let below = lines.iter().skip(at + 1);
        let own = below.take_while(|(other, _)| other.is_none_or(|other| other > level));
        let text = own.fold(line.clone(), |text, (_, line)| format!("{text}\n{line}"));
        let anchor = anchor_of(line);
        let same = |section: &&Section| is_numbered(&section.anchor, &anchor);
        let anchor = match sections.iter().filter(same).count() {
            0 => anchor,
            before => format!("{anchor}-{before}"),
        };
        sections.push(Section { anchor, text });
    }
    sections
}

/// Returns whether an anchor is another one, or that with a number.
fn is_numbered(anchor: &str, other: &str) -> bool {
    let rest = anchor.strip_prefix(other);
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('-').is_some_and(is_number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn heading_level(line: &str) -> Option<usize> {
    let level = line.len() - line.trim_start_matches('#').len();
    let is_heading = (1..=6).contains(&level) && line.get(level..)?.starts_with(' ');
    is_heading.then_some(level)
}

/// Returns the name of a heading, as GitHub and mdBook make it.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn sections_have_the_names_of_their_headings() {
    let page = "# The `a` b, c\nx\n## Two\ny\n```sh\n# no heading\n```\n## Two\n# Last\n";
    let sections = list_sections(page);
    let anchors: Vec<_> = sections.iter().map(|section| section.anchor.as_str()).collect();
    assert_eq!(anchors, ["the-a-b-c", "two", "two-1", "last"]);
    assert!(sections[0].text.contains('y') && !sections[2].text.contains('y'));
}
