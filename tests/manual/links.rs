//! Every link of a Markdown file to a file of the repository leads there, and to a heading of it where
//! it names one.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use regex_lite::Regex;
use support::client::repository_root;

use super::headings::list_sections;
use super::page::{Part, parse_page};

/// `[text](target)`, also of a picture, and `[name]: target`.
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\]\(<?([^)\s>]+)>?\)|^\[[^\]]+\]:\s*(\S+)").unwrap());

static CODE_SPAN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`[^`]*`").unwrap());

/// Where pages of `docs` find the other files of the repository: the site has only `docs`.
const REPOSITORY_URL: &str = "https://github.com/trueup/trueup/blob/main/";

/// A link to a file of the repository.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The file, relative to the root of the repository.
    pub path: PathBuf,
    /// The heading; empty for the file as a whole.
    pub anchor: String,
}

/// Lists the links of a page to files of the repository.
pub(crate) fn list_links(page: &Path) -> Vec<Link> {
    let text = fs::read_to_string(repository_root().join(page)).unwrap_or_default();
    let lines = parse_page(&text).into_iter().filter_map(|part| match part {
        Part::Text(line) => Some(line),
        Part::Block(_) | Part::Directive(_) => None,
    });
    lines.flat_map(|line| links_of_line(page, &line)).collect()
}

fn links_of_line(page: &Path, line: &str) -> Vec<Link> {
    // Links have code in their texts, and code has brackets of its own.
    let line = CODE_SPAN.replace_all(line, "code");
    let targets = LINK.captures_iter(&line).filter_map(|found| {
        let target = found.get(1).or_else(|| found.get(2))?;
        Some(target.as_str().to_owned())
    });
    targets.filter(|target| !is_elsewhere(target)).map(|target| to_link(page, &target)).collect()
}

fn is_elsewhere(target: &str) -> bool {
    let schemes = ["http://", "https://", "mailto:"];
    !target.starts_with(REPOSITORY_URL) && schemes.iter().any(|scheme| target.starts_with(scheme))
}

fn to_link(page: &Path, target: &str) -> Link {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match (path, path.strip_prefix(REPOSITORY_URL)) {
        ("", _) => page.to_owned(),
        (_, Some(path)) => PathBuf::from(path),
        (path, None) => resolve(&page.parent().unwrap_or(page).join(path)),
    };
    Link { path, anchor: anchor.to_owned() }
}

/// Resolves `..` without asking the file system.
fn resolve(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if resolved.pop() => {}
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

/// Lists the Markdown files that are in the repository, or are about to be.
pub(crate) fn list_markdown() -> Vec<PathBuf> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"];
    let output = Command::new("git").args(arguments).current_dir(repository_root()).output();
    let names = String::from_utf8(output.unwrap().stdout).unwrap();
    let files: Vec<PathBuf> = names.split_terminator('\0').map(PathBuf::from).collect();
    assert!(files.len() > 50, "the pages of the repository: {files:?}");
    files
}

/// Says what is wrong with a link.
fn find_problem(link: &Link) -> Option<&'static str> {
    let target = repository_root().join(&link.path);
    if link.path.starts_with("..") || !target.exists() {
        return Some("there is no such file");
    }
    if link.anchor.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
        return None;
    }
    let sections = list_sections(&fs::read_to_string(target).unwrap());
    let is_there = sections.iter().any(|section| section.anchor == link.anchor);
    (!is_there).then_some("there is no such heading")
}

#[test]
fn every_link_leads_somewhere() {
    let mut problems = Vec::new();
    let mut count = 0;
    for page in list_markdown() {
        for link in list_links(&page) {
            count += 1;
            let problem = find_problem(&link);
            problems
                .extend(problem.map(|problem| format!("{}: {link:?}: {problem}", page.display())));
        }
    }
    assert!(count > 100, "{count} links were found");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn pages_of_the_site_name_other_files_by_their_address() {
    let is_of_site = |page: &PathBuf| page.starts_with("docs");
    let leaves_site = |page: &PathBuf| {
        let text = fs::read_to_string(repository_root().join(page)).unwrap();
        let up = if page.starts_with("docs/adr") { "](../../" } else { "](../" };
        text.contains(up).then(|| page.clone())
    };
    let pages = list_markdown().into_iter().filter(is_of_site);
    let wrong: Vec<_> = pages.filter_map(|page| leaves_site(&page)).collect();
    assert_eq!(wrong, Vec::<PathBuf>::new(), "write {REPOSITORY_URL}… there");
}

#[test]
fn links_are_found_in_text_and_not_in_code() {
    let page = Path::new("docs/a.md");
    let found =
        links_of_line(page, "[`x`](../README.md#y), `[no](z.md)`, ![p](p.png) and [h](#here)");
    let link = |path: &str, anchor: &str| Link { path: path.into(), anchor: anchor.to_owned() };
    assert_eq!(found, [link("README.md", "y"), link("docs/p.png", ""), link("docs/a.md", "here")]);
    assert_eq!(links_of_line(page, "[web](https://example.com/a.md)"), []);
    let address = format!("[x]({REPOSITORY_URL}SECURITY.md)");
    assert_eq!(links_of_line(page, &address), [link("SECURITY.md", "")]);
    assert!(find_problem(&link("docs/codes.md", "no-such-heading")).is_some());
    assert!(find_problem(&link("docs/nowhere.md", "")).is_some());
    assert!(find_problem(&link("docs/codes.md", "who-is-right")).is_none());
}
