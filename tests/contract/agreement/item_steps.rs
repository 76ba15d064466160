//! Steps with items: adding, editing, claiming, moving, going on to the next one.

use trueup_core::model::{
    ItemPriority, ItemStatus, MoveActor, MoveFacts, MoveTarget, NewItem, RepoScope, decide_move,
};
use trueup_core::store::{
    ClaimNextRequest, DependencyChange, GrantedMove, ImportedItem, ItemEditRequest, ItemImport,
    OptionalItemField, Provenance, ReimportedItem, Store,
};

use super::canonical::describe;
use super::{REPOS, SeededRandom};
use crate::requests::{
    LEASE_SECONDS, claim_request, creating_claim_request, item_key, new_item, release_request,
    session_id,
};

/// One operation on items, the same in both stores.
#[derive(Debug)]
pub(super) enum ItemStep {
    Add(NewItem),
    /// Imports an item from another tracker, and again what changed there.
    Import(NewItem),
    Edit(String, Option<String>, Option<i64>, Option<ItemPriority>),
    Remove(String),
    Next(&'static str, Option<String>),
    Claim(&'static str, String),
    /// Releases an item, or the one that the session holds.
    Release(&'static str, Option<String>),
    Refuse(&'static str, String),
    Move(&'static str, String, MoveTarget),
    Depend(String, String, bool),
    /// Several changes of dependencies in one transaction, each of which may be denied.
    DependEach(Vec<(String, String, bool)>),
}

/// A priority that depends on the name of an item alone: a roll of the dice more would make other
/// walks of all.
fn priority_of(what: &str) -> Option<ItemPriority> {
    let number = what.bytes().last().map_or(0, |byte| i64::from(byte % 7));
    ItemPriority::try_from(number).ok()
}

impl ItemStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let who = dice.pick_session();
        let what = dice.pick_item();
        match dice.roll(16) {
            0..=2 => Self::add_or_import(NewItem {
                parent: Some(item_key(&dice.pick_item())).filter(|_| dice.roll(3) > 0),
                position: dice.pick(&[None, None, Some(1), Some(2), Some(i64::MAX)]),
                repo: Some(dice.pick(&REPOS).to_owned()).filter(|_| dice.roll(2) == 0),
                priority: priority_of(&what),
                requires_evidence: dice.roll(6) == 0,
                kind: Some("orchestrator".to_owned()).filter(|_| dice.roll(4) == 0),
                depends_on: vec![item_key(&dice.pick_item())]
                    .into_iter()
                    .filter(|_| dice.roll(3) == 0)
                    .collect(),
                ..new_item(&what)
            }),
            3 | 4 => Self::Next(who, Some(what).filter(|_| dice.roll(3) == 0)),
            5 | 6 => Self::Claim(who, what),
            7 => Self::Release(who, Some(what).filter(|_| dice.roll(4) == 0)),
            8..=10 => {
                let statuses = ItemStatus::ALL;
                let to = statuses[dice.roll(statuses.len())];
                let goals = [
                    MoveTarget::Status(to),
                    MoveTarget::Status(ItemStatus::Completed),
                    MoveTarget::BackToStart,
                ];
                Self::Move(who, what, goals[dice.roll(goals.len())])
            }
            11 => Self::Depend(what, dice.pick_item(), dice.roll(3) == 0),
            12 => {
                let count = 2 + dice.roll(2);
                let pick = |_| (dice.pick_item(), dice.pick_item(), dice.roll(4) == 0);
                Self::DependEach((0..count).map(pick).collect())
            }
            13 => {
                let parent = Some(dice.pick_item()).filter(|_| dice.roll(2) == 0);
                let position = i64::try_from(dice.roll(4)).ok().filter(|n| *n > 0);
                let priority = priority_of(&what);
                Self::Edit(what, parent, position, priority)
            }
            14 => Self::Remove(what),
            _ => Self::Refuse(who, what),
        }
    }

    /// Chooses by what was rolled before: one more roll would make other walks of all.
    fn add_or_import(new: NewItem) -> Self {
        if new.requires_evidence { Self::Import(new) } else { Self::Add(new) }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let by = |actor: &str| super::provenance(actor, op);
        match self {
            Self::Add(new) => describe(store.add_item(new, &by("user"))),
            Self::Import(new) => import_item(store, new, op),
            Self::Edit(what, parent, position, priority) => {
                describe(store.edit_item(&ItemEditRequest {
                    title: Some(format!("title of {op}")),
                    parent: parent.as_deref().map(item_key),
                    position: *position,
                    priority: *priority,
                    description: priority.map(|_| format!("description of {op}")),
                    unset: match position {
                        None if priority.is_none() => vec![OptionalItemField::Priority],
                        Some(3) => vec![OptionalItemField::Parent, OptionalItemField::Description],
                        _ => Vec::new(),
                    },
                    ..ItemEditRequest::new(item_key(what), by("user"))
                }))
            }
            Self::Remove(what) => {
                let used = describe(store.find_item_use(&item_key(what)));
                format!("{used}, {}", describe(store.remove_item(&item_key(what), &by("user"))))
            }
            Self::Next(who, parent) => describe(store.claim_next_item(&ClaimNextRequest {
                session: session_id(who),
                parent: parent.as_deref().map(item_key),
                scope: RepoScope::All,
                may_release_unfinished: true,
                lease_seconds: LEASE_SECONDS,
                provenance: by(who),
            })),
            Self::Claim(who, what) => {
                let mut request = match store.load_item(&item_key(what)).unwrap() {
                    Some(_) => claim_request(store, who, what),
                    None => creating_claim_request(who, what),
                };
                request.provenance = by(who);
                if let Some(addition) = &mut request.new_item {
                    addition.provenance = super::provenance(who, &format!("{op}-added"));
                }
                describe(store.claim(&request))
            }
            Self::Release(who, what) => {
                let session = store.load_session(&session_id(who)).unwrap();
                let held = session.and_then(|session| session.item);
                let mut release = release_request(who, "none");
                release.item = what.as_deref().map(item_key).or(held).unwrap_or(release.item);
                release.provenance = by(who);
                describe(store.release(&release))
            }
            Self::Refuse(who, what) => describe(store.record_refusal(&item_key(what), &by(who))),
            Self::Move(who, what, goal) => move_item(store, who, what, *goal, by(who)),
            Self::Depend(what, on, remove) => {
                let change = dependency_change(what, on, *remove, op);
                describe(store.change_dependencies(&change))
            }
            Self::DependEach(changes) => {
                let numbered = changes.iter().enumerate();
                let requests = numbered.map(|(number, (what, on, remove))| {
                    dependency_change(what, on, *remove, &format!("{op}-{number}"))
                });
                let requests: Vec<DependencyChange> = requests.collect();
                let each = store.change_dependencies_of_each(&requests);
                describe(each.map(|each| each.into_iter().map(describe).collect::<Vec<_>>()))
            }
        }
    }
}

fn import_item(store: &mut dyn Store, new: &NewItem, op: &str) -> String {
    let added = ImportedItem { item: new.clone(), reason: Some(format!("{op} elsewhere").into()) };
    let import = ItemImport {
        added: vec![added],
        changed: Vec::new(),
        provenance: super::provenance("user", op),
    };
    let first = describe(store.import_items(&import));
    let changed = ReimportedItem {
        edit: ItemEditRequest {
            title: Some(format!("title of {op}")),
            ..ItemEditRequest::new(new.key.clone(), super::provenance("user", op))
        },
        added_dependencies: new.depends_on.clone(),
        removed_dependencies: Vec::new(),
        status: Some(ItemStatus::Completed),
    };
    let import = ItemImport {
        added: Vec::new(),
        changed: vec![changed],
        provenance: super::provenance("user", &format!("{op}-again")),
    };
    format!("{first}, {}", describe(store.import_items(&import)))
}

fn dependency_change(what: &str, on: &str, remove: bool, op: &str) -> DependencyChange {
    DependencyChange {
        item: item_key(what),
        dependencies: vec![item_key(on)],
        remove,
        provenance: super::provenance("user", op),
    }
}

/// Moves an item by the rules; returns its description, or the refusal.
fn move_item(
    store: &mut dyn Store,
    who: &str,
    what: &str,
    goal: MoveTarget,
    provenance: Provenance,
) -> String {
    let session = store.load_session(&session_id(who)).unwrap();
    let item = store.load_item(&item_key(what)).unwrap();
    let facts = MoveFacts {
        actor: MoveActor::Session(session.as_ref()),
        item: item.as_ref(),
        target: goal,
        evidence: None,
        reason: Some("why"),
    };
    let grant = match decide_move(&facts) {
        Ok(grant) => grant,
        Err(refusal) => return format!("{refusal:?}"),
    };
    let request = GrantedMove { grant, provenance };
    describe(store.move_item(&request))
}
