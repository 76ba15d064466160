//! Carrying deeds out in the database.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use uuid::Uuid;

use super::assessment::{CheckoutSnapshot, FixPlan, NodeId};
use super::rules::{Node, Nodes};
use super::{checkout_files, ids};
use crate::claims::{MoveAnswer, MoveItemRequest, move_item};
use crate::model::{
    ItemKey, ItemStatus, MoveRefusal, MoveTarget, NewItem, NewWorkplanRow, PlanId, PlanTask,
    PlanTaskId, PlanTaskStatus, PlanTaskStep, SessionId, SessionStatus, WORKPLAN_KIND,
    WorkplanChange, WorkplanFileFacts, WorkplanLink,
};
use crate::plan::{TaskStepOutcome, apply_task_step};
use crate::store::{DependencyChange, Provenance, Result, Store, StoreError};
use crate::text::redact::redact;
use crate::workplan::parse_workplan;

/// Most rows of one transaction: others wait while it lasts.
const ROWS_PER_TRANSACTION: usize = 200;

/// In whose name the database is changed.
#[derive(Debug, Clone)]
pub struct FixActor {
    /// The session, when there is one: it may move what it holds.
    pub session: Option<SessionId>,
    /// Who is named in events.
    pub name: String,
}

impl FixActor {
    fn provenance(&self) -> Provenance {
        Provenance::new(&self.name, "check")
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct RowUpdateOutcome {
    /// The ids that what is new carries from now on.
    pub(super) new_links: Vec<(NodeId, WorkplanLink)>,
    /// What was refused, a line each.
    pub(super) refused: Vec<String>,
}

/// The texts below blocks, as they leave the repository: without secrets, and bounded. Units
/// come sheet by sheet, so that each file is read once.
struct DescriptionReader<'r> {
    reading: &'r CheckoutSnapshot,
    root: &'r Path,
    workplan: Option<usize>,
    bytes: Vec<u8>,
    /// Where texts stand, by their digests: of a file that changed meanwhile the text that is
    /// another is described by the next run.
    ranges: HashMap<u64, Range<usize>>,
}

impl<'r> DescriptionReader<'r> {
    fn new(reading: &'r CheckoutSnapshot, root: &'r Path) -> Self {
        Self {
            reading,
            root,
            workplan: None,
            bytes: Vec::new(),
            ranges: HashMap::new(),
        }
    }

    fn read_description(&mut self, unit: &Node<'_>) -> String {
        let Some(entry) = unit.task else {
            return String::new();
        };
        if self.workplan != Some(unit.id.workplan) {
            self.load_workplan(unit.id.workplan);
        }
        let place = self.ranges.get(&entry.digest);
        let text = place.and_then(|place| self.bytes.get(place.clone()));
        let text = text.and_then(|text| std::str::from_utf8(text).ok());
        truncate_description(&redact(text.unwrap_or_default()).text)
    }

    fn load_workplan(&mut self, sheet: usize) {
        self.workplan = Some(sheet);
        let path = self.reading.workplans.get(sheet).map(|sheet| &sheet.path);
        let read = path.and_then(|path| {
            crate::fs::read_bytes(
                &self.root.join(path),
                checkout_files::MAX_WORKPLAN_BYTES,
                false,
            )
            .ok()
        });
        self.bytes = read.unwrap_or_default();
        let workplan = parse_workplan(&self.bytes).ok();
        let blocks = workplan.iter().flat_map(|workplan| &workplan.tasks);
        self.ranges = blocks
            .map(|block| (block.description_digest(), block.description()))
            .collect();
    }
}

/// Longest description kept, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 16 * 1024;

fn truncate_description(text: &str) -> String {
    let mut end = text.len().min(MAX_DESCRIPTION_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn file_facts(unit: &Node<'_>) -> WorkplanFileFacts {
    WorkplanFileFacts {
        digest: unit.digest(),
        planning: unit.planning().to_owned(),
    }
}

fn redacted_title(unit: &Node<'_>) -> Option<String> {
    let title = unit.title()?;
    Some(redact(title).text.into_owned())
}

fn new_row(
    reading: &CheckoutSnapshot,
    descriptions: &mut DescriptionReader<'_>,
    unit: &Node<'_>,
) -> NewWorkplanRow {
    let status = match unit.task {
        Some(entry) => super::workplan_file::to_item_status(entry.status),
        None => unit.workplan.declared_status.item_status(),
    };
    NewWorkplanRow {
        item: NewItem {
            title: redacted_title(unit),
            kind: unit.task.is_none().then(|| WORKPLAN_KIND.to_owned()),
            parent: unit.task.map(|_| unit.workplan.key.clone()),
            position: unit.position(),
            repo: Some(reading.repo.clone()),
            status: Some(status),
            ..NewItem::new(unit.key().clone())
        },
        link: new_link(),
        facts: file_facts(unit),
        description: descriptions.read_description(unit),
    }
}

fn new_link() -> WorkplanLink {
    let link = Uuid::now_v7().to_string().parse();
    link.unwrap_or_else(|_| unreachable!("a UUID consists of hexadecimal digits and dashes"))
}

/// Carries out what concerns the database.
pub(super) fn apply_row_fixes(
    store: &mut dyn Store,
    reading: &CheckoutSnapshot,
    root: &Path,
    deeds: &FixPlan,
    actor: &FixActor,
) -> Result<RowUpdateOutcome> {
    let mut written = RowUpdateOutcome::default();
    let mut descriptions = DescriptionReader::new(reading, root);
    for spots in deeds.create_rows.chunks(ROWS_PER_TRANSACTION) {
        let rows: Vec<NewWorkplanRow> = nodes_of(reading, spots)
            .map(|unit| new_row(reading, &mut descriptions, &unit))
            .collect();
        let links = store.link_workplans(&rows, &actor.provenance())?;
        written.new_links.extend(spots.iter().copied().zip(links));
    }
    for spots in deeds.update_rows.chunks(ROWS_PER_TRANSACTION) {
        let changes: Vec<WorkplanChange> = nodes_of(reading, spots)
            .map(|unit| WorkplanChange {
                key: unit.key().clone(),
                title: redacted_title(&unit),
                position: unit.position(),
                repo: Some(reading.repo.clone()),
                facts: Some((file_facts(&unit), descriptions.read_description(&unit))),
            })
            .collect();
        store.update_workplan_facts(&changes, &actor.provenance())?;
    }
    for pairs in deeds.add_dependencies.chunks(ROWS_PER_TRANSACTION) {
        let depend = |(item, on): &(ItemKey, ItemKey)| DependencyChange {
            item: item.clone(),
            dependencies: vec![on.clone()],
            remove: false,
            provenance: actor.provenance(),
        };
        let requests: Vec<DependencyChange> = pairs.iter().map(depend).collect();
        let answers = store.change_dependencies_of_each(&requests)?;
        for ((item, on), answer) in pairs.iter().zip(answers) {
            if let Err(StoreError::Denied(reason)) = answer {
                let text = format!("the dependency of {item} on {on} was not added: {reason}");
                written.refused.push(text);
            }
        }
    }
    // What does not move holds back what would follow from it.
    let mut held_back: HashSet<&str> = HashSet::new();
    for (key, to) in &deeds.advance_items {
        if let Err(reason) = advance_item(store, key, *to, actor)? {
            written.refused.push(reason);
            held_back.extend(ids::workplan_of_task(key));
        }
    }
    for (key, to) in &deeds.advance_workplans {
        if held_back.contains(key.as_str()) {
            continue;
        }
        if let Err(reason) = advance_item(store, key, *to, actor)? {
            written.refused.push(reason);
        }
    }
    for (plan, task) in &deeds.complete_plan_tasks {
        if let Err(reason) = complete_plan_task(store, plan, task, actor)? {
            let text = format!("task {plan}/{task} was not changed in the database: {reason}");
            written.refused.push(text);
        }
    }
    Ok(written)
}

/// Completes a task of a plan, unless somebody else works on it; says why it stays if it does.
fn complete_plan_task(
    store: &mut dyn Store,
    plan: &PlanId,
    id: &PlanTaskId,
    actor: &FixActor,
) -> Result<std::result::Result<(), String>> {
    let Some(task) = store.load_plan_task(plan, id)? else {
        return Ok(Err("it no longer exists".to_owned()));
    };
    if let Some(other) = find_other_worker(store, &task, actor)? {
        return Ok(Err(format!("{other} is working on it")));
    }
    Ok(
        match apply_task_step(
            store,
            plan,
            id,
            &PlanTaskStep::Complete,
            &actor.provenance(),
        )? {
            TaskStepOutcome::Changed { .. } | TaskStepOutcome::Already(_) => Ok(()),
            TaskStepOutcome::Refused { task, .. } => Err(format!("it is {}", task.status)),
            TaskStepOutcome::Unknown => Err("it no longer exists".to_owned()),
        },
    )
}

/// Names who else works on a task, as far as a sign of life is known.
fn find_other_worker(
    store: &mut dyn Store,
    task: &PlanTask,
    actor: &FixActor,
) -> Result<Option<String>> {
    if task.status != PlanTaskStatus::InProgress {
        return Ok(None);
    }
    if let Some(id) = &task.session {
        if actor.session.as_ref() == Some(id) {
            return Ok(None);
        }
        let session = store.load_session(id)?;
        if session.is_some_and(|session| SessionStatus::PRESENT.contains(&session.status)) {
            return Ok(Some(format!("session {id}")));
        }
    }
    if let Some(id) = &task.orchestrator {
        let orchestrator = store.load_orchestrator(id)?;
        if orchestrator.is_some_and(|orchestrator| orchestrator.status.is_live()) {
            return Ok(Some(format!("orchestrator {id}")));
        }
    }
    Ok(None)
}

/// Moves an item forward; says why it stays if it does.
fn advance_item(
    store: &mut dyn Store,
    key: &ItemKey,
    to: ItemStatus,
    actor: &FixActor,
) -> Result<std::result::Result<(), String>> {
    let wish = MoveItemRequest {
        session: actor.session.clone(),
        item: key.clone(),
        target: MoveTarget::Status(to),
        evidence: None,
        reason: None,
        provenance: actor.provenance(),
    };
    Ok(match move_item(store, &wish)? {
        MoveAnswer::Moved { .. } => Ok(()),
        MoveAnswer::Refused(refusal) => {
            let reason = describe_move_refusal(&refusal);
            Err(format!("{key} was not changed in the database: {reason}"))
        }
    })
}

fn describe_move_refusal(refusal: &MoveRefusal) -> String {
    match refusal {
        MoveRefusal::NotHolder(holder) | MoveRefusal::StaleEpoch(holder) => {
            format!("session {holder} holds it; only the holder can move it")
        }
        MoveRefusal::EvidenceRequired => {
            "it needs evidence to be completed (`trueup item transition … --evidence REF`)"
                .to_owned()
        }
        MoveRefusal::PhantomSession => "this session is not registered".to_owned(),
        MoveRefusal::ItemNotFound => "it no longer exists".to_owned(),
        MoveRefusal::DependenciesOpen => "it waits for others".to_owned(),
        MoveRefusal::IllegalTransition { from, to, .. } => {
            format!("it cannot go from {from} to {to}")
        }
    }
}

/// Returns the units of spots.
pub(super) fn nodes_of<'a>(
    reading: &'a CheckoutSnapshot,
    spots: &'a [NodeId],
) -> impl Iterator<Item = Node<'a>> {
    spots.iter().filter_map(|spot| find_node(reading, *spot))
}

/// Returns the unit of a spot.
pub(super) fn find_node(reading: &CheckoutSnapshot, spot: NodeId) -> Option<Node<'_>> {
    let sheet = reading.workplans.get(spot.workplan)?;
    let entry = match spot.task {
        Some(task) => Some(sheet.tasks.get(task)?),
        None => None,
    };
    Some(Node {
        id: spot,
        workplan: sheet,
        task: entry,
    })
}

/// Returns the keys that files name and the rows of the repository do not cover.
pub(super) fn find_foreign_keys(reading: &CheckoutSnapshot) -> (Vec<ItemKey>, Vec<WorkplanLink>) {
    let units = Nodes::from_snapshot(reading);
    let known = units.rows();
    // Only a file with another link than its row's asks for all of them.
    let links: OnceCell<HashSet<&str>> = OnceCell::new();
    let linked = || {
        let links = reading.rows.iter().filter_map(|row| row.link.as_ref());
        links.map(WorkplanLink::as_str).collect()
    };
    let (mut keys, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (unit, row) in units.with_rows() {
        let row = row.and_then(|number| known.get(number));
        if row.is_none() {
            keys.insert(unit.key().clone());
        }
        for (on, _) in unit
            .depends_on()
            .iter()
            .filter(|(on, _)| known.find_number(on).is_none())
        {
            keys.insert(on.clone());
        }
        let own = row.and_then(|row| row.link.as_ref());
        if let Some(link) = unit.link().filter(|link| own != Some(link))
            && !links.get_or_init(linked).contains(link.as_str())
        {
            others.insert(link.clone());
        }
    }
    (keys.into_iter().collect(), others.into_iter().collect())
}
