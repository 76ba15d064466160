//! Steps with repositories and their files: places, names, shared states, workplans, metadata.

use serde_json::{Map, Value};
use trueup_core::model::{
    ItemPriority, NewItem, NewWorkplanRow, RepoPlace, RepoState, StateSummary, WORKPLAN_KIND,
    WorkplanChange, WorkplanFileFacts,
};
use trueup_core::store::{MetadataAction, MetadataChange, RepoNaming, RepoPlacement, Store};

use super::canonical::describe;
use super::{MACHINES, REPOS, SeededRandom};
use crate::requests::item_key;

/// One operation on repositories or their files, the same in both stores.
#[derive(Debug)]
pub(super) enum RepoStep {
    Place(PlaceStep),
    Displace(&'static str, &'static str),
    /// Shares a state with this text.
    Share(&'static str, &'static str),
    Name {
        identity: &'static str,
        name: &'static str,
        shared_with: Option<&'static str>,
        replaces_name: bool,
    },
    Rename(&'static str, &'static str),
    /// Links items to files with these numbers.
    Link(Vec<(usize, usize)>),
    Describe(Vec<usize>, Option<&'static str>),
    Metadata(MetadataAction, &'static str),
}

/// A place of a repository on a machine.
#[derive(Debug)]
pub(super) struct PlaceStep {
    name: &'static str,
    machine: &'static str,
    path: &'static str,
    passive: Option<bool>,
    is_additional: bool,
    missing: Option<&'static str>,
}

/// Names that differ by the case of their letters alone, with those that are not ASCII.
const OTHER_CASES: [&str; 5] = ["alpha", "ALPHA", "Beta", "é", "É"];
const PATHS: [&str; 3] = ["/a", "/b", "/c d"];
const STATES: [&str; 4] = ["", "# State\n\nall \"well\"\n", "é\u{1f600}\t\\", "token: none"];

impl RepoStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let name = dice.pick(&REPOS);
        match dice.roll(12) {
            0 | 1 => Self::Place(PlaceStep {
                name: dice.pick(&["alpha", "ALPHA", "Beta", "gamma"]),
                machine: dice.pick(&MACHINES),
                path: dice.pick(&PATHS),
                passive: dice.pick(&[None, None, Some(true), Some(false)]),
                is_additional: dice.roll(3) == 0,
                missing: Some(dice.pick(&PATHS)).filter(|_| dice.roll(3) == 0),
            }),
            2 => Self::Displace(name, dice.pick(&MACHINES)),
            3 | 4 => Self::Share(name, dice.pick(&STATES)),
            5 | 6 => Self::Name {
                identity: dice.pick(&PATHS),
                name: dice.pick(&OTHER_CASES),
                shared_with: Some(dice.pick(&PATHS)).filter(|_| dice.roll(2) == 0),
                replaces_name: dice.roll(4) == 0,
            },
            7 => Self::Rename(dice.pick(&PATHS), dice.pick(&OTHER_CASES)),
            8 | 9 => {
                let count = 1 + dice.roll(2);
                Self::Link((0..count).map(|_| pick_link(dice)).collect())
            }
            10 => {
                let count = 1 + dice.roll(2);
                let numbers = (0..count).map(|_| dice.roll(4)).collect();
                Self::Describe(numbers, Some(dice.pick(&STATES)).filter(|_| dice.roll(2) == 0))
            }
            _ => Self::Metadata(
                dice.pick(&[MetadataAction::Set, MetadataAction::Fixed]),
                dice.pick(&STATES),
            ),
        }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let by = super::provenance("user", op);
        match self {
            Self::Place(step) => describe(store.place_repo(&step.placement(op))),
            Self::Displace(name, machine) => {
                describe(store.remove_repo_place(&name.parse().unwrap(), machine, &by))
            }
            Self::Share(name, text) => {
                describe(store.update_repo_state(&name.parse().unwrap(), &repo_state(text), &by))
            }
            Self::Name { identity, name, shared_with, replaces_name } => {
                describe(store.name_repo(&RepoNaming {
                    identity: (*identity).to_owned(),
                    name: (*name).to_owned(),
                    shared_with: shared_with.map(str::to_owned),
                    replaces_name: *replaces_name,
                }))
            }
            Self::Rename(identity, name) => describe(store.rename_repo(identity, name, &by)),
            Self::Link(numbers) => {
                let rows: Vec<NewWorkplanRow> =
                    numbers.iter().map(|(item, file)| workplan(*item, *file)).collect();
                describe(store.link_workplans(&rows, &by))
            }
            Self::Describe(numbers, text) => {
                let changes: Vec<WorkplanChange> =
                    numbers.iter().map(|number| workplan_change(*number, *text)).collect();
                describe(store.update_workplan_facts(&changes, &by))
            }
            Self::Metadata(action, text) => {
                describe(store.record_metadata_change(&metadata_change(*action, text), &by))
            }
        }
    }
}

/// Picks an item and the file that it is linked to, mostly its own.
fn pick_link(dice: &mut SeededRandom) -> (usize, usize) {
    let item = dice.roll(4);
    (item, if dice.roll(4) == 0 { dice.roll(4) } else { item })
}

impl PlaceStep {
    fn placement(&self, op: &str) -> RepoPlacement {
        RepoPlacement {
            slug: self.name.parse().unwrap(),
            passive: self.passive,
            machine: self.machine.to_owned(),
            place: RepoPlace {
                host: "h".to_owned(),
                path: self.path.to_owned(),
                checkouts: Vec::new(),
                identity: None,
            },
            is_additional: self.is_additional,
            missing_checkouts: self.missing.iter().map(|path| (*path).to_owned()).collect(),
            provenance: super::provenance("user", op),
        }
    }
}

fn repo_state(text: &str) -> RepoState {
    let head = StateSummary {
        synced_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        synced_by: "nobody".to_owned(),
        source_digest: format!("source of {text}"),
        digest: format!("digest of {text}"),
        redacted: u64::try_from(text.len()).unwrap(),
        summary: text.lines().next().unwrap_or_default().to_owned(),
    };
    RepoState { head, content: text.to_owned() }
}

/// The key of a workplan, or of a task of the first workplan.
fn workplan_key(number: usize) -> String {
    if number == 3 { "W-0-T1".to_owned() } else { format!("W-{number}") }
}

fn workplan(item: usize, file: usize) -> NewWorkplanRow {
    let name = workplan_key(item);
    NewWorkplanRow {
        item: NewItem {
            title: Some(format!("title of {name}")),
            kind: Some(WORKPLAN_KIND.to_owned()).filter(|_| item < 3),
            parent: (item == 3).then(|| item_key("W-0")),
            repo: Some("alpha".to_owned()),
            ..NewItem::new(item_key(&name))
        },
        link: format!("link-{file}").parse().unwrap(),
        facts: file_facts("d1"),
        description: "text".to_owned(),
    }
}

fn file_facts(digest: &str) -> WorkplanFileFacts {
    WorkplanFileFacts {
        digest: digest.to_owned(),
        planning: r#"{"order": 1, "priority":"é"}"#.to_owned(),
    }
}

fn workplan_change(number: usize, text: Option<&str>) -> WorkplanChange {
    WorkplanChange {
        key: item_key(&workplan_key(number)),
        title: text.map(str::to_owned),
        position: i64::try_from(number).ok(),
        repo: text.map(|_| "Beta".to_owned()),
        priority: text.and_then(|_| ItemPriority::try_from(1).ok()),
        facts: text.map(|text| (file_facts(&format!("d of {text}")), text.to_owned())),
    }
}

fn metadata_change(action: MetadataAction, text: &str) -> MetadataChange {
    let fields = |value: Value| Map::from_iter([("status".to_owned(), value)]);
    MetadataChange {
        action,
        id: "77c90e61".parse().unwrap(),
        path: "agents/77c90e61/adw_state.json".to_owned(),
        project: "/p".to_owned(),
        before: fields(Value::from(text)),
        after: fields(serde_json::json!([1.5, null, {"b": text, "a": true}])),
        writer: Some(text.to_owned()).filter(|writer| !writer.is_empty()),
    }
}
