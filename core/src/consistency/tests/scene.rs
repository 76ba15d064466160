//! A checkout without git, and a store.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::super::check::observe;
use super::super::drafts::Intent;
use super::super::rows::{self, Written};
use super::super::{Assessment, Finding, Mover, Reading, assess};
use crate::model::{ItemKey, ItemStatus, NewItem, WorkplanRow};
use crate::reconcile::Severity;
use crate::store::testing::ScratchStore;
use crate::store::{
    ItemMove, ItemStore as _, Provenance, Registration, Store as _, WorkplanStore as _,
};
use crate::workplan::apply;

/// The name of the repository in every scene.
pub(super) const REPO: &str = "shop";

pub(super) struct Scene {
    folder: tempfile::TempDir,
    pub(super) store: ScratchStore,
}

pub(super) fn key(text: &str) -> ItemKey {
    text.parse().unwrap()
}

pub(super) fn by() -> Provenance {
    Provenance::new("user", "test")
}

/// A workplan with these tasks: id and status.
pub(super) fn plan(id: &str, status: &str, tasks: &[(&str, &str)]) -> String {
    let mut text = format!("---\nid: {id}\ntitle: Plan {id}\nstatus: {status}\n---\n");
    for (task, status) in tasks {
        write!(
            text,
            "\n### Task {task}\n\n```task\nid: {task}\nstatus: {status}\n```\n\nText of {task}.\n"
        )
        .unwrap();
    }
    text
}

impl Scene {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("workplans/archived")).unwrap();
        Self {
            folder,
            store: ScratchStore::new(),
        }
    }

    /// A scene with one workplan, [`PLAN`](Self::PLAN), linked.
    pub(super) fn linked(status: &str, tasks: &[(&str, &str)]) -> Self {
        let mut scene = Self::new();
        scene.write("a.md", &plan("A-WP-1", status, tasks));
        scene.fix();
        scene
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.root().join("workplans").join(name), text).unwrap();
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root().join("workplans").join(name)).unwrap()
    }

    /// Replaces a text that stands in a file once.
    pub(super) fn swap(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        self.write(name, &text.replace(from, to));
    }

    /// Changes the status of a task in a file.
    pub(super) fn say(&self, name: &str, task: &str, status: &str) {
        let text = self.read(name);
        let at = text.find(&format!("id: {task}\n")).unwrap();
        let start = at + text[at..].find("status: ").unwrap() + "status: ".len();
        let end = start + text[start..].find('\n').unwrap();
        self.write(name, &format!("{}{status}{}", &text[..start], &text[end..]));
    }

    pub(super) fn remove(&self, name: &str) {
        fs::remove_file(self.root().join("workplans").join(name)).unwrap();
    }

    pub(super) fn add(&mut self, item: &NewItem) {
        self.store.add_item(item, &by()).unwrap();
    }

    pub(super) fn register(&mut self, session: &str) {
        let registration = Registration {
            session: session.parse().unwrap(),
            repo: None,
            worktree: None,
            branch: None,
            host: None,
            process: None,
            predecessor: None,
            lease_seconds: 900,
            provenance: Provenance::new(session, ""),
        };
        self.store.register(&registration).unwrap();
    }

    /// Puts an item where it is to stand, whatever the rules.
    pub(super) fn put(&mut self, name: &str, to: ItemStatus) {
        let item = self.store.item(&key(name)).unwrap().unwrap();
        if item.status == to {
            return;
        }
        let back = to.rank() < item.status.rank();
        let grant = crate::model::MoveGrant {
            item: item.key.clone(),
            to,
            back,
            expected_holder: item.holder.clone(),
            expected_epoch: item.epoch,
            expected_revision: item.revision,
            releases: item.holder.is_some() && (to.is_finished() || back),
            evidence: None,
            error_message: None,
        };
        let provenance = by();
        let request = ItemMove { grant, provenance };
        self.store.move_item(&request).unwrap();
    }

    pub(super) fn status(&mut self, name: &str) -> ItemStatus {
        self.store.item(&key(name)).unwrap().unwrap().status
    }

    pub(super) fn row(&mut self, name: &str) -> WorkplanRow {
        let rows = self.store.find_workplan_rows(&[key(name)], &[]).unwrap();
        rows.into_iter().next().unwrap()
    }

    pub(super) fn rows(&mut self) -> BTreeMap<String, ItemStatus> {
        let all = self.store.items(&crate::store::ItemFilter::default());
        let all = all.unwrap().into_iter();
        all.map(|item| (item.key.to_string(), item.status))
            .collect()
    }

    /// Counts what was ever recorded.
    pub(super) fn events(&mut self) -> usize {
        let all = self.store.events(&crate::model::EventFilter::default());
        all.unwrap().len()
    }

    pub(super) fn reading(&mut self) -> Reading {
        let root = self.root().to_owned();
        observe(&mut *self.store, &root, Some(REPO.to_owned()), None, &[])
            .unwrap()
            .0
    }

    pub(super) fn assess(&mut self) -> Assessment {
        assess(&self.reading())
    }

    pub(super) fn findings(&mut self) -> Vec<Finding> {
        self.assess().findings
    }

    /// Carries everything out, in the store and in the files.
    pub(super) fn fix(&mut self) -> Written {
        self.fix_for(&mover(None))
    }

    pub(super) fn fix_for(&mut self, mover: &Mover) -> Written {
        let reading = self.reading();
        let Assessment { deeds, held, .. } = assess(&reading);
        let root = self.root().to_owned();
        let mut written = rows::write(&mut *self.store, &reading, &root, &deeds, mover).unwrap();
        written
            .links
            .retain(|(spot, _)| !held.contains_key(&spot.sheet));
        let intent = Intent::of(&reading, &deeds, &written.links);
        for path in intent.paths() {
            if let Some(draft) = intent.draft(&root, path).unwrap() {
                let old = fs::read(root.join(path)).unwrap();
                let new = apply(&old, draft.edits);
                assert_eq!(apply(&new, draft.back), old);
                fs::write(root.join(path), new).unwrap();
            }
        }
        written
    }

    /// The one finding of a code.
    #[track_caller]
    pub(super) fn only(&mut self, code: &str) -> Finding {
        let all = self.findings();
        let mut found: Vec<&Finding> = all
            .iter()
            .filter(|it| it.divergence.code.as_str() == code)
            .collect();
        assert_eq!(found.len(), 1, "{:#?}", messages(&all));
        found.remove(0).clone()
    }

    pub(super) fn codes(&mut self) -> Vec<&'static str> {
        let all = self.findings();
        all.iter().map(|it| it.divergence.code.as_str()).collect()
    }
}

pub(super) fn mover(session: Option<&str>) -> Mover {
    Mover {
        session: session.map(|id| id.parse().unwrap()),
        actor: "user".to_owned(),
    }
}

pub(super) fn messages(findings: &[Finding]) -> Vec<&str> {
    let all = findings.iter();
    all.map(|it| it.divergence.message.as_str()).collect()
}

pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}
