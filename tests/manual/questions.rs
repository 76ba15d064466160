//! Twenty questions of a stranger, who has the README and `--help`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::client::repository_root;
use support::home::Home;

use super::headings::list_sections;
use super::links::list_links;

use Answer::{Help, Page};

/// Where a question is answered.
enum Answer {
    /// Below a heading of a page.
    Page(&'static str, &'static str),
    /// In the help of a command.
    Help(&'static str),
}

/// The questions, each with the place of its answer and words that only an answer has.
const QUESTIONS: [(&str, Answer, &[&str]); 20] = [
    ("How do I install it?", Page("README.md", "install"), &["install.sh"]),
    (
        "What if two agents want one item?",
        Page("docs/guide.md", "claims-and-leases"),
        &["is held by"],
    ),
    ("The item is held. What now?", Page("docs/faq.md", "the-item-is-held-what-now"), &["--force"]),
    (
        "What does an agent get to know?",
        Page("docs/guide.md", "what-the-agent-is-told"),
        &["briefing"],
    ),
    (
        "A session died. Where is its work?",
        Page("docs/guide.md", "when-a-session-dies"),
        &["lease"],
    ),
    ("Where is my data?", Page("docs/faq.md", "where-is-my-data"), &["trueup.db"]),
    (
        "May I commit .claude?",
        Page("docs/faq.md", "is-it-safe-to-commit-claude"),
        &["info/exclude"],
    ),
    ("How do I remove it?", Page("docs/faq.md", "how-do-i-remove-trueup"), &["trueup db export"]),
    (
        "How do I undo what it did?",
        Page("docs/faq.md", "how-do-i-undo-a-change"),
        &["journal restore"],
    ),
    ("How do I let a team use it?", Page("docs/teams.md", "2-let-people-in"), &["trueup_client"]),
    ("How do I see it live?", Page("docs/hub.md", "one-machine-one-minute"), &["trueup-hub serve"]),
    ("How do I revoke a token?", Page("docs/faq.md", "how-do-i-revoke-a-token"), &["token revoke"]),
    ("How do I check in CI?", Page("docs/recipes.md", "ci"), &["--format github"]),
    (
        "How do I write a workplan?",
        Page("docs/formats.md", "workplans"),
        &["```task", "state_hub_task_id"],
    ),
    ("What does C-15 mean?", Page("docs/codes.md", "codes"), &["C-15"]),
    ("What is a lease?", Page("docs/GLOSSARY.md", "glossary"), &["**lease**"]),
    ("How do I take an item from a silent session?", Help("trueup claim"), &["--force", "60 s"]),
    ("Which statuses does an item have?", Help("trueup item transition"), &["queued, ready"]),
    ("What do the exit codes mean?", Help("trueup"), &["Exit codes: 0"]),
    ("Which phases are there?", Help("trueup queue add"), &["cleanup and verify"]),
];

/// Counts the clicks from the README to each page that is within two.
fn count_clicks() -> BTreeMap<PathBuf, usize> {
    let mut clicks = BTreeMap::from([(PathBuf::from("README.md"), 0)]);
    for distance in 1..=2 {
        let pages: Vec<PathBuf> = clicks.keys().cloned().collect();
        for link in pages.iter().flat_map(|page| list_links(page)) {
            clicks.entry(link.path).or_insert(distance);
        }
    }
    clicks
}

/// Says why a question is not answered.
fn find_gap(answer: &Answer, words: &[&str], clicks: &BTreeMap<PathBuf, usize>) -> Option<String> {
    let text = match answer {
        Page(page, anchor) => {
            if !clicks.contains_key(Path::new(page)) {
                return Some(format!("{page} is more than two clicks away"));
            }
            let page = fs::read_to_string(repository_root().join(page)).unwrap_or_default();
            let section = list_sections(&page).into_iter().find(|found| found.anchor == *anchor);
            match section {
                Some(section) => section.text,
                None => return Some(format!("no heading {anchor}")),
            }
        }
        Help(command) => {
            let mut words = command.split(' ');
            let home = Home::without_git();
            let run = home.prepare_run(words.next().unwrap_or_default());
            run.args(words).args(["--help"]).wait().ok().stdout
        }
    };
    let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
    (!missing.is_empty()).then(|| format!("{missing:?} is not there"))
}

#[test]
fn a_stranger_finds_the_answers_within_two_clicks() {
    let clicks = count_clicks();
    let gap = |(question, answer, words): &(&str, Answer, &[&str])| {
        find_gap(answer, words, &clicks).map(|gap| format!("{question} {gap}"))
    };
    let gaps: Vec<String> = QUESTIONS.iter().filter_map(gap).collect();
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

#[test]
fn a_gap_is_noticed() {
    let clicks = count_clicks();
    let gap = |answer: Answer, words: &[&str]| find_gap(&answer, words, &clicks).is_some();
    assert!(gap(Page("tests/nowhere.md", "x"), &[]));
    assert!(gap(Page("docs/codes.md", "no-such-heading"), &[]));
    assert!(gap(Page("docs/codes.md", "who-is-right"), &["a word that is not there"]));
    assert!(gap(Help("trueup claim"), &["a word that is not there"]));
    assert!(!gap(Help("trueup claim"), &["--force"]));
}
