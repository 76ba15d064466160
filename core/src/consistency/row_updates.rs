//! Applies fixes to the database.

use std::collections::HashSet;

use uuid::Uuid;

use super::fix::{FixPlan, NodeId};
use super::ids;
use super::rules::Node;
use super::snapshot::CheckoutSnapshot;
use super::workplan_file::to_item_status;
use crate::claims::{MoveAnswer, MoveItemRequest, move_item};
use crate::model::{
    ItemKey, ItemStatus, MoveRefusal, MoveTarget, NewItem, NewWorkplanRow, PlanId, PlanTask,
    PlanTaskId, PlanTaskStatus, PlanTaskStep, SessionId, SessionStatus, WORKPLAN_KIND,
    WorkplanChange, WorkplanFileFacts, WorkplanLink,
};
use crate::plan::{TaskStepOutcome, apply_task_step};
use crate::store::{DependencyChange, Provenance, Result, Store, StoreError};
use crate::text::redact::redact;

/// Most rows written in one transaction: other writers wait until it ends.
const ROWS_PER_TRANSACTION: usize = 200;

/// Longest description stored, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 16 * 1024;

/// Who applies fixes.
#[derive(Debug, Clone)]
pub struct FixActor {
    /// The session, if there is one: it may move the items it holds.
    pub session: Option<SessionId>,
    /// The name that events record.
    pub name: String,
}

impl FixActor {
    fn provenance(&self) -> Provenance {
        Provenance::new(&self.name, "check")
    }
}

/// What came of applying fixes to the database.
#[derive(Debug, Default)]
pub(super) struct RowUpdateOutcome {
    /// The ids of new rows, which their files have to carry.
    pub(super) new_links: Vec<(NodeId, WorkplanLink)>,
    /// What was refused, one line each.
    pub(super) refused: Vec<String>,
}

/// Why an item or a task stays as it is.
type Refusal = String;

/// Applies the fixes that concern the database.
pub(super) fn apply_row_fixes(
    store: &mut dyn Store,
    snapshot: &CheckoutSnapshot,
    fixes: &FixPlan,
    actor: &FixActor,
) -> Result<RowUpdateOutcome> {
    let mut outcome = RowUpdateOutcome::default();
    for ids in fixes.create_rows.chunks(ROWS_PER_TRANSACTION) {
        let nodes = find_nodes(snapshot, ids);
        let rows: Vec<NewWorkplanRow> = nodes.map(|node| new_row(snapshot, &node)).collect();
        let links = store.link_workplans(&rows, &actor.provenance())?;
        outcome.new_links.extend(ids.iter().copied().zip(links));
    }
    for ids in fixes.update_rows.chunks(ROWS_PER_TRANSACTION) {
        let changes: Vec<WorkplanChange> = find_nodes(snapshot, ids)
            .map(|node| WorkplanChange {
                key: node.key().clone(),
                title: redacted_title(&node),
                position: node.position(),
                repo: Some(snapshot.repo.clone()),
                priority: file_facts(&node).priority(),
                facts: Some((file_facts(&node), describe_node(&node))),
            })
            .collect();
        store.update_workplan_facts(&changes, &actor.provenance())?;
    }
    for pairs in fixes.add_dependencies.chunks(ROWS_PER_TRANSACTION) {
        let request = |(item, on): &(ItemKey, ItemKey)| DependencyChange {
            item: item.clone(),
            dependencies: vec![on.clone()],
            remove: false,
            provenance: actor.provenance(),
        };
        let requests: Vec<DependencyChange> = pairs.iter().map(request).collect();
        let answers = store.change_dependencies_of_each(&requests)?;
        for ((item, on), answer) in pairs.iter().zip(answers) {
            if let Err(StoreError::Denied { message, .. }) = answer {
                let text = format!("the dependency of {item} on {on} was not added: {message}");
                outcome.refused.push(text);
            }
        }
    }
    // A task that does not move holds its workplan back.
    let mut held_back: HashSet<&str> = HashSet::new();
    for (key, to) in &fixes.advance_items {
        if let Err(reason) = advance_item(store, key, *to, actor)? {
            outcome.refused.push(reason);
            held_back.extend(ids::workplan_of_task(key));
        }
    }
    let follow = fixes.advance_workplans.iter();
    for (key, to) in follow.filter(|(key, _)| !held_back.contains(key.as_str())) {
        let advanced = advance_item(store, key, *to, actor)?;
        outcome.refused.extend(advanced.err());
    }
    for (plan, task) in &fixes.complete_plan_tasks {
        if let Err(reason) = complete_plan_task(store, plan, task, actor)? {
            let text = format!("task {plan}/{task} was not changed in the database: {reason}");
            outcome.refused.push(text);
        }
    }
    Ok(outcome)
}

fn find_nodes<'a>(
    snapshot: &'a CheckoutSnapshot,
    ids: &'a [NodeId],
) -> impl Iterator<Item = Node<'a>> {
    ids.iter().filter_map(|id| Node::find(snapshot, *id))
}

fn new_row(snapshot: &CheckoutSnapshot, node: &Node<'_>) -> NewWorkplanRow {
    let workplan = node.workplan;
    let status = match node.task {
        Some(task) => to_item_status(task.status),
        None => workplan.declared_status.item_status(),
    };
    NewWorkplanRow {
        item: NewItem {
            title: redacted_title(node),
            kind: node.task.is_none().then(|| WORKPLAN_KIND.to_owned()),
            parent: node.task.map(|_| workplan.key.clone()),
            position: node.position(),
            repo: Some(snapshot.repo.clone()),
            status: Some(status),
            priority: file_facts(node).priority(),
            ..NewItem::new(node.key().clone())
        },
        link: new_link(),
        facts: file_facts(node),
        description: describe_node(node),
    }
}

fn new_link() -> WorkplanLink {
    let link = Uuid::now_v7().to_string().parse();
    link.unwrap_or_else(|_| unreachable!("a UUID consists of hexadecimal digits and dashes"))
}

fn file_facts(node: &Node<'_>) -> WorkplanFileFacts {
    WorkplanFileFacts { digest: node.digest(), planning: node.planning().to_owned() }
}

fn redacted_title(node: &Node<'_>) -> Option<String> {
    let title = node.title()?;
    Some(redact(title).text.into_owned())
}

/// Returns the text below a block as it leaves the repository: without secrets, and bounded.
fn describe_node(node: &Node<'_>) -> String {
    let text = node.task.and_then(|task| node.workplan.description(task));
    let mut text = redact(text.unwrap_or_default()).text.into_owned();
    text.truncate(text.floor_char_boundary(MAX_DESCRIPTION_BYTES));
    text
}

/// Completes a task of a plan, unless somebody else works on it.
fn complete_plan_task(
    store: &mut dyn Store,
    plan: &PlanId,
    id: &PlanTaskId,
    actor: &FixActor,
) -> Result<std::result::Result<(), Refusal>> {
    let Some(task) = store.load_plan_task(plan, id)? else {
        return Ok(Err("it no longer exists".to_owned()));
    };
    if let Some(other) = find_other_worker(store, &task, actor)? {
        return Ok(Err(format!("{other} is working on it")));
    }
    Ok(match apply_task_step(store, plan, id, &PlanTaskStep::Complete, &actor.provenance())? {
        TaskStepOutcome::Changed { .. } | TaskStepOutcome::Already(_) => Ok(()),
        TaskStepOutcome::Refused { task, .. } => Err(format!("it is {}", task.status)),
        TaskStepOutcome::Unknown => Err("it no longer exists".to_owned()),
    })
}

/// Names the live session or orchestrator, other than the actor, that works on a task.
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

/// Moves an item forward.
fn advance_item(
    store: &mut dyn Store,
    key: &ItemKey,
    to: ItemStatus,
    actor: &FixActor,
) -> Result<std::result::Result<(), Refusal>> {
    let request = MoveItemRequest {
        session: actor.session.clone(),
        item: key.clone(),
        target: MoveTarget::Status(to),
        evidence: None,
        reason: None,
        provenance: actor.provenance(),
    };
    Ok(match move_item(store, &request)? {
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
