//! Properties that hold for any state of files and rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::{Assessment, assess_checkout};
use super::fixture::*;
use crate::diagnostic::AdviceKind;
use crate::model::{ItemStatus, NewItem, WORKPLAN_KIND};

/// Words for statuses: of both vocabularies, and unknown ones.
const WORDS: [&str; 12] = [
    "todo",
    "in_progress",
    "blocked",
    "done",
    "cancelled",
    "wait",
    "progress",
    "cancel",
    "Done",
    "in progress",
    "almost",
    "''",
];

#[derive(Debug, Clone)]
struct Block {
    id: &'static str,
    word: &'static str,
    link: &'static str,
    depends_on: &'static str,
    priority: bool,
}

#[derive(Debug, Clone)]
struct File {
    name: &'static str,
    id: &'static str,
    status: &'static str,
    link: &'static str,
    blocks: Vec<Block>,
}

/// A row that exists before the first check.
#[derive(Debug, Clone)]
struct Row {
    key: &'static str,
    parent: bool,
    title: bool,
    status: ItemStatus,
}

/// A change of a row or a file after the first check.
#[derive(Debug, Clone)]
struct Change {
    at: prop::sample::Index,
    status: ItemStatus,
    word: &'static str,
}

fn select<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(all.to_vec())
}

fn block() -> impl Strategy<Value = Block> {
    let ids = ["T01", "T02", "T-02", "T03", "A-WP-1-T03", "A-WP-1-T04", "B-WP-2-T01", "nonsense"];
    let links = ["", "", "", "\"\"", "~", "0190a0b0-0000-7000-8000-000000000001", "a b"];
    let depends = ["", "", "", "T01", "[T02, T03]", "B-WP-2", "NO-WP-1", "nonsense"];
    (select(&ids), select(&WORDS), select(&links), select(&depends), any::<bool>()).prop_map(
        |(id, word, link, depends_on, priority)| Block { id, word, link, depends_on, priority },
    )
}

fn file() -> impl Strategy<Value = File> {
    let names = ["a.md", "b.md", "archived/c.md"];
    let ids = ["A-WP-1", "A-WP-1", "B-WP-2", "ADHOC-2026-03-21", "odd"];
    let statuses = ["active", "proposed", "done", "finished", "archived", "blocked", "stalled"];
    let links = ["", "", "\"\"", "0190a0b0-0000-7000-8000-000000000002"];
    (
        select(&names),
        select(&ids),
        select(&statuses),
        select(&links),
        prop::collection::vec(block(), 0..6),
    )
        .prop_map(|(name, id, status, link, blocks)| File { name, id, status, link, blocks })
}

fn row() -> impl Strategy<Value = Row> {
    let keys = ["A-WP-1", "A-WP-1-T01", "A-WP-1-T02", "A-WP-1-T09", "B-WP-2", "B-WP-2-T01"];
    (select(&keys), any::<bool>(), any::<bool>(), select(&ItemStatus::ALL))
        .prop_map(|(key, parent, title, status)| Row { key, parent, title, status })
}

fn change() -> impl Strategy<Value = Change> {
    (any::<prop::sample::Index>(), select(&ItemStatus::ALL), select(&WORDS[..8]))
        .prop_map(|(at, status, word)| Change { at, status, word })
}

fn written(file: &File) -> String {
    let link = |name: &str, link: &str| match link {
        "" => String::new(),
        link => format!("{name}: {link}\n"),
    };
    let mut text = format!(
        "---\nid: {}\ntitle: About {}\nstatus: {}\n{}---\n",
        file.id,
        file.id,
        file.status,
        link("state_hub_workstream_id", file.link)
    );
    for (number, block) in file.blocks.iter().enumerate() {
        write!(
            text,
            "\n### Heading {number}\n\n```task\nid: {}\nstatus: {}\n{}{}{}```\n\nText {number}.\n",
            block.id,
            block.word,
            if block.priority { "priority: high\n" } else { "" },
            link("depends_on", block.depends_on),
            link("state_hub_task_id", block.link),
        )
        .unwrap();
    }
    text
}

fn scene(files: &[File], rows: &[Row]) -> Fixture {
    let mut scene = Fixture::new();
    let mut keys: Vec<&Row> = Vec::new();
    // Parents first, and each key once.
    for pass in [false, true] {
        for row in rows.iter().filter(|row| row.key.contains("-T") == pass) {
            if keys.iter().any(|known| known.key == row.key) {
                continue;
            }
            let parent = row.key.rsplit_once("-T").map(|(parent, _)| parent);
            let parent =
                parent.filter(|parent| row.parent && keys.iter().any(|k| k.key == *parent));
            scene.add_item(&NewItem {
                title: row.title.then(|| "About A-WP-1".to_owned()),
                kind: (!pass).then(|| WORKPLAN_KIND.to_owned()),
                parent: parent.map(item_key),
                ..NewItem::new(item_key(row.key))
            });
            scene.force_status(row.key, row.status);
            keys.push(row);
        }
    }
    for file in files {
        scene.write_workplan(file.name, &written(file));
    }
    scene
}

/// Returns the ranks of all rows and of all blocks in files.
fn collect_ranks(scene: &mut Fixture) -> BTreeMap<String, u8> {
    let rows = scene.load_statuses().into_iter();
    let mut ranks: BTreeMap<String, u8> =
        rows.map(|(key, status)| (format!("row {key}"), status.rank())).collect();
    for sheet in scene.read_snapshot().workplans {
        for (number, entry) in sheet.tasks.iter().enumerate() {
            let name = format!("{} {number} {}", sheet.path, entry.key);
            ranks.insert(name, entry.status.rank());
        }
    }
    ranks
}

#[track_caller]
fn nothing_went_back(before: &BTreeMap<String, u8>, after: &BTreeMap<String, u8>) {
    for (name, rank) in before {
        let now = after.get(name);
        assert!(now.is_some_and(|now| now >= rank), "{name}: {rank} -> {now:?}");
    }
}

fn all_files(scene: &Fixture) -> Vec<Vec<u8>> {
    ["a.md", "b.md", "archived/c.md"]
        .iter()
        .filter_map(|name| std::fs::read(scene.root().join("workplans").join(name)).ok())
        .collect()
}

/// Applies fixes to a fixture and asserts the properties of it.
fn check_fix_laws(scene: &mut Fixture) {
    let reading = scene.read_snapshot();
    let first = assess_checkout(&reading);
    assert_eq!(assess_checkout(&reading), first, "the same input gives the same output");
    let before = collect_ranks(scene);
    let done = scene.apply_fixes();
    let after = collect_ranks(scene);
    nothing_went_back(&before, &after);
    let Assessment { findings, fixes: deeds, .. } = scene.assess();
    let claims: Vec<_> = findings
        .iter()
        .filter(|it| *it.divergence.advice.kind() == AdviceKind::FixCheckout)
        .collect();
    assert!(done.refused.len() >= claims.len(), "left: {claims:#?}\nrefused: {:?}", done.refused);
    if done.refused.is_empty() {
        assert!(deeds.is_empty(), "{deeds:?}");
    }
    // A second check changes nothing.
    let (files, rows, events) = (all_files(scene), scene.load_statuses(), scene.count_events());
    scene.apply_fixes();
    assert_eq!(all_files(scene), files);
    assert_eq!(scene.load_statuses(), rows);
    assert_eq!(scene.count_events(), events);
    assert_eq!(scene.findings(), findings);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn what_mends_leaves_nothing_to_mend_and_goes_back_nowhere(
        files in prop::collection::vec(file(), 0..4),
        rows in prop::collection::vec(row(), 0..5),
        changes in prop::collection::vec(change(), 0..6),
    ) {
        let mut scene = scene(&files, &rows);
        check_fix_laws(&mut scene);
        // Items move in the database, as if from another machine.
        let keys: Vec<String> = scene.load_statuses().into_keys().collect();
        for change in changes.iter().filter(|_| !keys.is_empty()) {
            let key = change.at.get(&keys);
            let now = scene.item_status(key);
            if change.status.rank() >= now.rank() && !now.is_finished() {
                scene.force_status(key, change.status);
            }
        }
        check_fix_laws(&mut scene);
        // Somebody edits the files.
        for change in &changes {
            for file in files.iter().filter(|file| !file.blocks.is_empty()) {
                let block = change.at.get(&file.blocks);
                let text = scene.read_workplan(file.name);
                if text.contains(&format!("id: {}\n", block.id)) {
                    scene.set_file_status(file.name, block.id, change.word);
                }
            }
        }
        check_fix_laws(&mut scene);
    }

    #[test]
    fn any_bytes_are_assessed_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        text in "(---\n)?(id: [A-Z0-9-]{0,12}\n|status: [a-z_]{0,8}\n|```task\n|```\n|---\n|# x\n){0,12}",
    ) {
        let mut scene = Fixture::new();
        scene.write_workplan("a.md", &text);
        std::fs::write(scene.root().join("workplans/b.md"), bytes).unwrap();
        check_fix_laws(&mut scene);
    }
}
