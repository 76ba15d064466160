//! Steps with sessions: registering, living, pushing, ending, handing on.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trueup_core::model::{
    Epoch, FieldValue, HandoffElement, HandoffElements, HandoffId, Revision, SessionStatus,
    StateField,
};
use trueup_core::store::{
    AcceptHandoffRequest, HandoffFilter, HeartbeatRequest, InterruptionMark, NewHandoff,
    RejectHandoffRequest, SessionTask, StatePush, Store,
};

use super::canonical::describe;
use super::{REPOS, SeededRandom, TEXTS};
use crate::requests::{LEASE_SECONDS, item_key, new_heartbeat, registration, session_id};

/// One operation on sessions, the same in both stores.
#[derive(Debug)]
pub(super) enum SessionStep {
    Register(RegistrationStep),
    Beat(&'static str, Option<SessionStatus>, Option<u64>),
    Push(PushStep),
    Merge(&'static str, Map<String, Value>),
    Acknowledge(&'static str),
    End(&'static str),
    Note(&'static str, usize),
    Checkpoint(&'static str, u64),
    Sweep,
    Handoff { id: u64, from: &'static str, to: Option<&'static str> },
    Accept(&'static str, usize),
    Reject(&'static str, usize),
    Show(&'static str),
}

/// A change of one field.
#[derive(Debug)]
pub(super) struct PushStep {
    who: &'static str,
    field: StateField,
    value: FieldValue,
    metadata: Map<String, Value>,
    branch: Option<&'static str>,
    mark: Option<InterruptionMark>,
    is_stale: bool,
    has_fence: bool,
}

/// A registration with what it may name.
#[derive(Debug)]
pub(super) struct RegistrationStep {
    who: &'static str,
    branch: Option<&'static str>,
    repo: Option<&'static str>,
    predecessor: Option<&'static str>,
}

impl SessionStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let who = dice.pick_session();
        match dice.roll(24) {
            0 | 1 => Self::Register(RegistrationStep {
                who,
                branch: Some("main").filter(|_| dice.roll(2) == 0),
                repo: Some(dice.pick(&REPOS)).filter(|_| dice.roll(2) == 0),
                predecessor: Some(dice.pick_session()).filter(|other| *other != who),
            }),
            2 | 3 => {
                let statuses = [None, None, Some(SessionStatus::Idle), Some(SessionStatus::Active)];
                let quiet = Some(1_200).filter(|_| dice.roll(3) == 0);
                Self::Beat(who, statuses[dice.roll(statuses.len())], quiet)
            }
            4..=7 => {
                let fields = [
                    StateField::Phase,
                    StateField::Task,
                    StateField::IsActive,
                    StateField::WasInterrupted,
                    StateField::AutoProceed,
                ];
                let field = fields[dice.roll(fields.len())];
                let value = match field {
                    StateField::Phase | StateField::Task => {
                        let text = TEXTS[dice.roll(TEXTS.len())].to_owned();
                        FieldValue::Text(Some(text).filter(|_| dice.roll(4) > 0))
                    }
                    _ => FieldValue::Flag(dice.roll(2) == 0),
                };
                let marks = [
                    InterruptionMark::Interrupted,
                    InterruptionMark::Resumed,
                    InterruptionMark::HistoryCleared,
                ];
                Self::Push(PushStep {
                    who,
                    field,
                    value,
                    metadata: if dice.roll(4) == 0 { pick_metadata(dice) } else { Map::new() },
                    branch: Some("é/b").filter(|_| dice.roll(6) == 0),
                    mark: Some(dice.pick(&marks)).filter(|_| dice.roll(4) == 0),
                    is_stale: dice.roll(6) == 0,
                    has_fence: dice.roll(3) == 0,
                })
            }
            8 | 9 => Self::Merge(who, pick_metadata(dice)),
            10 => Self::Acknowledge(who),
            11 => Self::End(who),
            12 => Self::Note(who, dice.roll(3)),
            13 => Self::Checkpoint(who, dice.roll(500) as u64),
            14 => Self::Sweep,
            15..=17 => {
                let to = Some(dice.pick_session()).filter(|_| dice.roll(2) == 0);
                Self::Handoff { id: dice.next_number(), from: who, to }
            }
            18 | 19 => Self::Accept(who, dice.roll(3)),
            20 | 21 => Self::Reject(who, dice.roll(3)),
            _ => Self::Show(who),
        }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let by = |actor: &str| super::provenance(actor, op);
        match self {
            Self::Register(step) => {
                let mut registration = registration(step.who);
                registration.branch = step.branch.map(str::to_owned);
                registration.repo = step.repo.map(str::to_owned);
                registration.predecessor = step.predecessor.map(session_id);
                registration.provenance = by(step.who);
                describe(store.register_session(&registration))
            }
            Self::Beat(who, status, quiet_seconds) => {
                describe(store.record_heartbeat(&HeartbeatRequest {
                    status: *status,
                    quiet_seconds: *quiet_seconds,
                    ..new_heartbeat(who)
                }))
            }
            Self::Push(push) => push.apply(store, op),
            Self::Merge(who, patch) => {
                describe(store.merge_metadata(&session_id(who), patch, &by(who)))
            }
            Self::Acknowledge(who) => {
                let id = session_id(who);
                let revision = store.load_session(&id).unwrap().map(|session| session.revision);
                describe(store.acknowledge_revision(&id, revision.unwrap_or(Revision(1))))
            }
            Self::End(who) => describe(store.end_session(&session_id(who), "over", &by(who))),
            Self::Note(who, number) => {
                let note = SessionTask { task: number.to_string(), subject: format!("do {op}") };
                let noted = describe(store.upsert_task(&session_id(who), &note));
                let loaded = store.load_task(&session_id(who), &note.task);
                format!("{noted}, {}", describe(loaded))
            }
            Self::Checkpoint(who, count) => {
                describe(store.record_checkpoint(&session_id(who), *count, &by(who)))
            }
            Self::Sweep => sweep(store, op),
            Self::Handoff { id, from, to } => {
                let session = store.load_session(&session_id(from)).unwrap();
                let Some(session) = session else { return "nobody".to_owned() };
                let summary = Some(format!("as of {op}"));
                describe(store.create_handoff(&NewHandoff {
                    id: HandoffId::from_random(*id),
                    kind: "PLAN-TO-EXEC".parse().unwrap(),
                    from: session.id,
                    fencing_token: (
                        session.item.unwrap_or_else(|| item_key("i0")),
                        session.epoch.unwrap_or(Epoch(0)),
                    ),
                    to: to.map(session_id),
                    elements: HandoffElements::new([(HandoffElement::Summary, summary)]),
                    provenance: by(from),
                }))
            }
            Self::Accept(who, number) => {
                let Some(id) = pick_open_handoff(store, *number) else { return "none".to_owned() };
                describe(store.accept_handoff(&AcceptHandoffRequest {
                    id,
                    session: session_id(who),
                    lease_seconds: LEASE_SECONDS,
                    provenance: by(who),
                }))
            }
            Self::Reject(who, number) => {
                let Some(id) = pick_open_handoff(store, *number) else { return "none".to_owned() };
                describe(store.reject_handoff(&RejectHandoffRequest {
                    id,
                    session: session_id(who),
                    reason: "not now".to_owned(),
                    provenance: by(who),
                }))
            }
            Self::Show(who) => show_notices(store, who),
        }
    }
}

impl PushStep {
    fn apply(&self, store: &mut dyn Store, op: &str) -> String {
        let session = store.load_session(&session_id(self.who)).unwrap();
        let Some(session) = session else { return "nobody".to_owned() };
        let mut base = session.revision;
        base.0 -= u64::from(self.is_stale);
        let fence = session.item.zip(session.epoch).filter(|_| self.has_fence);
        describe(store.push_state(&StatePush {
            session: session.id,
            base,
            fencing_token: fence,
            changes: BTreeMap::from([(self.field, self.value.clone())]),
            metadata: self.metadata.clone(),
            branch: self.branch.map(str::to_owned),
            mark: self.mark,
            acknowledge: self.is_stale,
            provenance: super::provenance(self.who, op),
        }))
    }
}

/// Picks a key of the metadata and a value for it.
fn pick_metadata(dice: &mut SeededRandom) -> Map<String, Value> {
    let values = [
        Value::Null,
        Value::from(true),
        Value::from(9_007_199_254_740_993_i64),
        Value::from(TEXTS[dice.roll(TEXTS.len())]),
        serde_json::json!({"b": [1, null], "a": {"c": 2.5}}),
    ];
    let keys = ["k", "K", "chain_orchestrators", "é", "a.b"];
    let value = values[dice.roll(values.len())].clone();
    Map::from_iter([(keys[dice.roll(keys.len())].to_owned(), value)])
}

/// Picks an open hand-off by the order of ids: two of one millisecond have no order by time.
fn pick_open_handoff(store: &mut dyn Store, number: usize) -> Option<HandoffId> {
    let open = store.list_handoffs(HandoffFilter { only_open: true }).unwrap();
    let mut ids: Vec<HandoffId> = open.into_iter().map(|handoff| handoff.id).collect();
    ids.sort_by_key(ToString::to_string);
    ids.get(number % ids.len().max(1)).cloned()
}

/// Shows a session what it was not told of hand-offs.
fn show_notices(store: &mut dyn Store, who: &str) -> String {
    let notices = match store.list_handoff_notices(&session_id(who), false) {
        Ok(notices) => notices,
        error => return describe(error),
    };
    let mut shown = Vec::new();
    for (reason, handoff) in notices {
        store.mark_handoff_shown(&handoff).unwrap();
        shown.push(format!("{reason:?} {}", handoff.id));
    }
    shown.sort();
    shown.join(", ")
}

/// Marks the sessions lost whose lease is over, by their names.
fn sweep(store: &mut dyn Store, op: &str) -> String {
    let now = store.database_time().unwrap();
    let mut dead = store.sessions_with_expired_lease(now, 10).unwrap();
    dead.sort_by_key(|session| session.id.clone());
    let lost = dead.iter().enumerate().map(|(number, session)| {
        let by = super::provenance("sweeper", &format!("{op}-{number}"));
        format!("{}: {}", session.id, describe(store.mark_lost(session, &by)))
    });
    lost.collect::<Vec<_>>().join("; ")
}
