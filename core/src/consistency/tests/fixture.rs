//! A checkout without git, and a store, for the tests of the rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::super::checkout_reader::{RepoNames, read_checkout};
use super::super::file_edits::plan_file_edits;
use super::super::row_updates::{RowUpdateOutcome, apply_row_fixes};
use super::super::{Assessment, CheckFinding, CheckoutSnapshot, FixActor, assess_checkout};
use crate::diagnostic::Severity;
use crate::model::{ItemKey, ItemStatus, NewItem, WorkplanRow};
use crate::store::testing::ScratchStore;
use crate::store::{
    GrantedMove, ItemStore as _, Provenance, SessionRegistration, WorkplanStore as _,
};
use crate::store::{HookStore as _, SessionStore as _};
use crate::workplan::apply_edits;

/// The name of the repository in every fixture.
pub(super) const REPO: &str = "shop";

pub(super) struct Fixture {
    dir: tempfile::TempDir,
    pub(super) store: ScratchStore,
}

pub(super) fn item_key(text: &str) -> ItemKey {
    text.parse().unwrap()
}

pub(super) fn test_provenance() -> Provenance {
    Provenance::new("user", "test")
}

/// Renders a workplan with these tasks, each an id and a status.
pub(super) fn workplan_text(id: &str, status: &str, tasks: &[(&str, &str)]) -> String {
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

impl Fixture {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("workplans/archived")).unwrap();
        Self { dir, store: ScratchStore::new() }
    }

    /// Creates a fixture with one workplan, `A-WP-1` in `a.md`, that is linked.
    pub(super) fn linked(status: &str, tasks: &[(&str, &str)]) -> Self {
        let mut scene = Self::new();
        scene.write_workplan("a.md", &workplan_text("A-WP-1", status, tasks));
        scene.apply_fixes();
        scene
    }

    pub(super) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn write_workplan(&self, name: &str, text: &str) {
        fs::write(self.root().join("workplans").join(name), text).unwrap();
    }

    pub(super) fn read_workplan(&self, name: &str) -> String {
        fs::read_to_string(self.root().join("workplans").join(name)).unwrap()
    }

    /// Replaces a text that occurs once in a file.
    pub(super) fn replace_text(&self, name: &str, from: &str, to: &str) {
        let text = self.read_workplan(name);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        self.write_workplan(name, &text.replace(from, to));
    }

    /// Changes the status of a task in a file.
    pub(super) fn set_file_status(&self, name: &str, task: &str, status: &str) {
        let text = self.read_workplan(name);
        let at = text.find(&format!("id: {task}\n")).unwrap();
        let start = at + text[at..].find("status: ").unwrap() + "status: ".len();
        let end = start + text[start..].find('\n').unwrap();
        self.write_workplan(name, &format!("{}{status}{}", &text[..start], &text[end..]));
    }

    pub(super) fn remove_workplan(&self, name: &str) {
        fs::remove_file(self.root().join("workplans").join(name)).unwrap();
    }

    pub(super) fn add_item(&mut self, item: &NewItem) {
        self.store.add_item(item, &test_provenance()).unwrap();
    }

    pub(super) fn register_session(&mut self, session: &str) {
        let registration = SessionRegistration {
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
        self.store.register_session(&registration).unwrap();
    }

    /// Moves an item to a status, whatever the rules say.
    pub(super) fn force_status(&mut self, name: &str, to: ItemStatus) {
        let item = self.store.load_item(&item_key(name)).unwrap().unwrap();
        if item.status == to {
            return;
        }
        let back = to.rank() < item.status.rank();
        let grant = crate::model::MoveGrant {
            item: item.key.clone(),
            to,
            is_reopening: back,
            expected_holder: item.holder.clone(),
            expected_epoch: item.epoch,
            expected_revision: item.revision,
            releases_holder: item.holder.is_some() && (to.is_finished() || back),
            evidence: None,
            error_message: None,
        };
        let provenance = test_provenance();
        let request = GrantedMove { grant, provenance };
        self.store.move_item(&request).unwrap();
    }

    pub(super) fn item_status(&mut self, name: &str) -> ItemStatus {
        self.store.load_item(&item_key(name)).unwrap().unwrap().status
    }

    pub(super) fn load_row(&mut self, name: &str) -> WorkplanRow {
        let rows = self.store.find_workplan_rows(&[item_key(name)], &[]).unwrap();
        rows.into_iter().next().unwrap()
    }

    pub(super) fn load_statuses(&mut self) -> BTreeMap<String, ItemStatus> {
        let all = self.store.list_items(&crate::store::ItemFilter::default());
        let all = all.unwrap().into_iter();
        all.map(|item| (item.key.to_string(), item.status)).collect()
    }

    /// Counts all recorded events.
    pub(super) fn count_events(&mut self) -> usize {
        let all = self.store.list_events(&crate::model::EventFilter::default());
        all.unwrap().len()
    }

    pub(super) fn read_snapshot(&mut self) -> CheckoutSnapshot {
        self.read_snapshot_as(REPO)
    }

    /// Reads the checkout as that of a repository with this name.
    pub(super) fn read_snapshot_as(&mut self, repo: &str) -> CheckoutSnapshot {
        let root = self.root().to_owned();
        let names = RepoNames { given: Some(repo.to_owned()), ..RepoNames::default() };
        read_checkout(&mut *self.store, &root, &names, true).unwrap()
    }

    pub(super) fn assess(&mut self) -> Assessment {
        assess_checkout(&self.read_snapshot())
    }

    pub(super) fn findings(&mut self) -> Vec<CheckFinding> {
        self.assess().findings
    }

    /// Applies all fixes to the store and the files.
    pub(super) fn apply_fixes(&mut self) -> RowUpdateOutcome {
        self.apply_fixes_as(&fix_actor(None))
    }

    pub(super) fn apply_fixes_as(&mut self, actor: &FixActor) -> RowUpdateOutcome {
        let snapshot = self.read_snapshot();
        let Assessment { fixes, held_back, .. } = assess_checkout(&snapshot);
        let mut outcome = apply_row_fixes(&mut *self.store, &snapshot, &fixes, actor).unwrap();
        outcome.new_links.retain(|(node, _)| !held_back.contains_key(&node.workplan));
        for (path, planned) in plan_file_edits(&snapshot, &fixes, &outcome.new_links) {
            let planned = planned.unwrap();
            let path = self.root().join(path);
            let old = fs::read(&path).unwrap();
            let new = apply_edits(&old, planned.edit.edits);
            assert_eq!(apply_edits(&new, planned.undo.edits), old);
            fs::write(&path, new).unwrap();
        }
        outcome
    }

    /// Returns the only finding of a code.
    #[track_caller]
    pub(super) fn only_finding(&mut self, code: &str) -> CheckFinding {
        let all = self.findings();
        let mut found: Vec<&CheckFinding> =
            all.iter().filter(|it| it.divergence.code.as_str() == code).collect();
        assert_eq!(found.len(), 1, "{:#?}", messages(&all));
        found.remove(0).clone()
    }

    pub(super) fn codes(&mut self) -> Vec<&'static str> {
        let all = self.findings();
        all.iter().map(|it| it.divergence.code.as_str()).collect()
    }
}

pub(super) fn fix_actor(session: Option<&str>) -> FixActor {
    FixActor { session: session.map(|id| id.parse().unwrap()), name: "user".to_owned() }
}

pub(super) fn messages(findings: &[CheckFinding]) -> Vec<&str> {
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
