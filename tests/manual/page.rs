//! A page of the manual as parts: text, blocks of code, and directives to the test.
//!
//! A directive is a comment of HTML that a reader does not see, `<!-- NAME: VALUE -->`, alone on its
//! lines. A value may have several lines.

use std::fs;
use std::path::PathBuf;

use support::client::repository_root;

/// A part of a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// A line that is none of the others.
    Text(String),
    /// A fenced block of code.
    Block(Block),
    /// What the test does at this place.
    Directive(Directive),
}

/// A fenced block of code.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    /// The line of its opening fence, from 1.
    pub line: usize,
    /// The fence itself: three backticks or more.
    pub fence: String,
    /// What follows the opening fence, such as `sh run`.
    pub info: String,
    /// The lines between the fences, each with its line break.
    pub body: String,
}

/// What the test does at a place of a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Directive {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// What to do.
    pub name: String,
    /// With what.
    pub value: String,
    /// The comment as it is written.
    source: String,
}

/// Returns the path of a page of `docs`.
pub(crate) fn page_path(name: &str) -> PathBuf {
    repository_root().join("docs").join(name)
}

/// Reads a page of `docs`.
#[track_caller]
pub(crate) fn read_page(name: &str) -> Vec<Part> {
    let path = page_path(name);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse_page(&text)
}

/// Joins lines, each with a line break.
pub(crate) fn join_lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// Splits a page into its parts.
pub(crate) fn parse_page(text: &str) -> Vec<Part> {
    let lines: Vec<&str> = text.lines().collect();
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let rest = lines.get(at..).unwrap_or_default();
        let (part, taken) = match fence_of(line) {
            Some(fence) => read_block(rest, fence, at + 1),
            None => {
                read_directive(rest, at + 1).unwrap_or_else(|| (Part::Text((*line).to_owned()), 1))
            }
        };
        parts.push(part);
        at += taken;
    }
    parts
}

/// Writes the parts of a page as its text.
pub(crate) fn render_page(parts: &[Part]) -> String {
    let render = |part: &Part| match part {
        Part::Text(line) => format!("{line}\n"),
        Part::Block(block) => {
            format!("{}{}\n{}{}\n", block.fence, block.info, block.body, block.fence)
        }
        Part::Directive(directive) => format!("{}\n", directive.source),
    };
    parts.iter().map(render).collect()
}

fn fence_of(line: &str) -> Option<&str> {
    let ticks = line.len() - line.trim_start_matches('`').len();
    (ticks >= 3).then(|| line.get(..ticks)).flatten()
}

fn read_block(lines: &[&str], fence: &str, line: usize) -> (Part, usize) {
    let inner: Vec<&str> =
        lines.iter().skip(1).copied().take_while(|line| line.trim_end() != fence).collect();
    let block = Block {
        line,
        fence: fence.to_owned(),
        info: lines.first().and_then(|line| line.get(fence.len()..)).unwrap_or_default().to_owned(),
        body: join_lines(inner.iter().copied()),
    };
    (Part::Block(block), inner.len() + 2)
}

fn read_directive(lines: &[&str], line: usize) -> Option<(Part, usize)> {
    lines.first()?.strip_prefix("<!-- ")?;
    let count = lines.iter().position(|line| line.ends_with("-->"))? + 1;
    let source = lines.get(..count)?.join("\n");
    let inner = source.strip_prefix("<!-- ")?.strip_suffix("-->")?;
    let (name, value) = inner.split_once(':')?;
    let directive =
        Directive { line, name: name.to_owned(), value: value.trim().to_owned(), source };
    Some((Part::Directive(directive), count))
}

#[test]
fn a_page_is_read_to_parts_and_written_back() {
    let text = "# A\n\n<!-- as: ann -->\n```sh run\ntrueup status\n```\n\
                <!-- run: one\ntwo -->\n````markdown\n```task\n```\n````\n";
    let parts = parse_page(text);
    assert_eq!(render_page(&parts), text);
    let infos = parts.iter().filter_map(|part| match part {
        Part::Block(block) => Some((block.line, block.info.as_str(), block.body.as_str())),
        _ => None,
    });
    let expected = [(4, "sh run", "trueup status\n"), (9, "markdown", "```task\n```\n")];
    assert_eq!(infos.collect::<Vec<_>>(), expected);
    assert!(matches!(&parts[4], Part::Directive(run) if run.value == "one\ntwo"), "{parts:?}");
}
