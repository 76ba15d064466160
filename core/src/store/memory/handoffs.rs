//! Hand-offs, under the rules of the model.

use serde_json::json;

use super::events::record;
use super::{MemoryStore, changes, claims, items, sessions};
use crate::model::{
    Acceptance, Handoff, HandoffId, HandoffNews, HandoffRefusal, HandoffStatus, ItemKey,
    ItemStatus, OpenHandoff, Passage, Reader, Revision, Session, SessionId, SessionStatus,
    decide_acceptance, decide_open, decide_rejection, news_of,
};
use crate::store::news::News;
use crate::store::port::{OUTLIVED, WITHDRAWN, second};
use crate::store::{
    HandoffAcceptance, HandoffAccepted, HandoffFilter, HandoffRejection, HandoffStore, Heartbeat,
    NewHandoff, Provenance, Result, Ruled, StoreError,
};

impl HandoffStore for MemoryStore {
    fn create_handoff(&mut self, new: &NewHandoff) -> Result<Handoff> {
        let by = &new.provenance;
        let again = |store: &Self| made_by(store, by);
        self.write("create_handoff", by, |store| create(store, new), again)
    }

    fn handoff(&mut self, id: &HandoffId) -> Result<Option<Handoff>> {
        Ok(self.handoffs.get(id).cloned())
    }

    fn handoffs(&mut self, filter: HandoffFilter) -> Result<Vec<Handoff>> {
        let mut found: Vec<Handoff> = self.handoffs.values().cloned().collect();
        found.retain(|handoff| !filter.open || handoff.status.is_open());
        let made = |id: &HandoffId| self.events.iter().position(|e| e.key == id.as_str());
        found.sort_by_key(|handoff| std::cmp::Reverse(made(&handoff.id)));
        Ok(found)
    }

    fn accept_handoff(&mut self, acceptance: &HandoffAcceptance) -> Result<Ruled<HandoffAccepted>> {
        let by = &acceptance.provenance;
        if !self.was_done("accept_handoff", by)?
            && let Err(refusal) = may_accept(self, acceptance)?
        {
            return Ok(Err(refusal));
        }
        let again = |store: &Self| first_answer(store, acceptance);
        let work = |store: &mut Self| accept(store, acceptance);
        self.write("accept_handoff", by, work, again).map(Ok)
    }

    fn reject_handoff(&mut self, rejection: &HandoffRejection) -> Result<Ruled<Handoff>> {
        let by = &rejection.provenance;
        let session = self.registered(&rejection.session)?;
        let Some(handoff) = self.handoffs.get(&rejection.id).cloned() else {
            return Ok(Err(HandoffRefusal::NotFound));
        };
        let before = predecessor(self, &session);
        if !self.was_done("reject_handoff", by)?
            && let Err(refusal) = decide_rejection(&handoff, &session, before.as_ref())
        {
            return Ok(Err(refusal));
        }
        if rejection.reason.is_empty() {
            let text = "a rejection says by whom, and why".to_owned();
            return Err(StoreError::Denied(text));
        }
        let again = |store: &Self| existing(store, &rejection.id);
        let work = |store: &mut Self| {
            Ok(decided(store, &handoff, &session.id, by, |row| {
                row.status = HandoffStatus::Rejected;
                row.reject_reason = Some(rejection.reason.clone());
            }))
        };
        self.write("reject_handoff", by, work, again).map(Ok)
    }

    fn handoff_news(
        &mut self,
        session: &SessionId,
        starts: bool,
    ) -> Result<Vec<(HandoffNews, Handoff)>> {
        let session = self.registered(session)?;
        let before = predecessor(self, &session);
        let reader = Reader {
            session: &session,
            predecessor: before.as_ref(),
            starts,
        };
        let mut told: Vec<(HandoffNews, Handoff)> = self
            .handoffs(HandoffFilter::default())?
            .into_iter()
            .filter_map(|handoff| {
                let news = news_of(&handoff, self.items.get(&handoff.item), &reader)?;
                Some((news, handoff))
            })
            .collect();
        told.sort_by_key(|(news, _)| *news);
        Ok(told)
    }

    fn note_handoff_told(&mut self, told: &Handoff) -> Result<()> {
        let now = self.now;
        if let Some(row) = self.handoffs.get_mut(&told.id) {
            let at = if told.status.is_open() {
                &mut row.shown_at
            } else {
                &mut row.told_at
            };
            at.get_or_insert(now);
        }
        Ok(())
    }
}

fn existing(store: &MemoryStore, id: &HandoffId) -> Result<Handoff> {
    let missing = || StoreError::Conflict(format!("hand-off {id} vanished"));
    store.handoffs.get(id).cloned().ok_or_else(missing)
}

/// Returns the hand-off that an operation made: who repeats it may have another id in mind.
fn made_by(store: &MemoryStore, by: &Provenance) -> Result<Handoff> {
    let made = store
        .events
        .iter()
        .find(|e| e.kind == "created" && e.op_id.as_deref() == Some(&*by.op_id))
        .and_then(|e| e.key.parse().ok());
    match made {
        Some(id) => existing(store, &id),
        None => Err(StoreError::Conflict(format!("{} made nothing", by.op_id))),
    }
}

fn predecessor(store: &MemoryStore, session: &Session) -> Option<Session> {
    let before = session.predecessor.as_ref()?;
    store.registered(before).ok()
}

fn create(store: &mut MemoryStore, new: &NewHandoff) -> Result<Handoff> {
    let sender = store.registered(&new.from)?;
    let (item, epoch) = &new.fence;
    if sender.item.as_ref() != Some(item) || sender.epoch != Some(*epoch) {
        let text = format!("session {} does not hold {item} any more", new.from);
        return Err(StoreError::Conflict(text));
    }
    let denied = |text: &str| Err(StoreError::Denied(text.to_owned()));
    if store.handoffs.contains_key(&new.id) {
        return denied("the hand-off exists already");
    }
    if new.to.as_ref() == Some(&new.from) {
        return denied("a hand-off to oneself is none");
    }
    if new
        .to
        .as_ref()
        .is_some_and(|to| !store.sessions.contains_key(to))
    {
        return denied("a hand-off is addressed to a registered session");
    }
    if let Some(open) = open_of(store, item) {
        match decide_open(&open, *epoch) {
            OpenHandoff::Stands => return Err(second(&open)),
            OpenHandoff::Outlived => withdraw(store, &open, OUTLIVED, &new.provenance),
        }
    }
    let work = sender.execution_state().work;
    let handoff = Handoff {
        id: new.id.clone(),
        kind: new.kind.clone(),
        status: HandoffStatus::PendingAcceptance,
        item: item.clone(),
        from: new.from.clone(),
        to: new.to.clone(),
        repo: sender.repo.clone(),
        worktree: sender.worktree.clone(),
        branch: sender.branch().map(str::to_owned),
        phase: work.phase,
        task: work.task,
        epoch: *epoch,
        elements: new.elements.clone(),
        created_at: store.now,
        decided_at: None,
        decided_by: None,
        reject_reason: None,
        shown_at: None,
        told_at: None,
        revision: Revision(1),
    };
    report(store, &new.provenance, "created", None, &handoff);
    untold(store, new.to.as_ref());
    store.handoffs.insert(handoff.id.clone(), handoff.clone());
    Ok(handoff)
}

fn open_of(store: &MemoryStore, item: &ItemKey) -> Option<Handoff> {
    let mut open = store.handoffs.values();
    open.find(|it| it.item == *item && it.status.is_open())
        .cloned()
}

/// Withdraws the hand-off of an item that its sender gives up.
pub(super) fn withdraw_of(
    store: &mut MemoryStore,
    item: &ItemKey,
    sender: &SessionId,
    by: &Provenance,
) {
    if let Some(open) = open_of(store, item).filter(|open| open.from == *sender) {
        withdraw(store, &open, WITHDRAWN, by);
    }
}

fn withdraw(store: &mut MemoryStore, open: &Handoff, why: &str, by: &Provenance) {
    decided(store, open, &open.from, by, |row| {
        row.status = HandoffStatus::Rejected;
        row.reject_reason = Some(why.to_owned());
    });
}

/// Lets a session count as not told yet.
fn untold(store: &mut MemoryStore, id: Option<&SessionId>) {
    if let Some(row) = id.and_then(|id| store.sessions.get_mut(id)) {
        let before = Revision(row.revision.0.saturating_sub(1));
        row.acknowledged = row.acknowledged.min(before);
    }
}

fn report(
    store: &mut MemoryStore,
    by: &Provenance,
    kind: &str,
    before: Option<&Handoff>,
    after: &Handoff,
) {
    let news = News::of_handoff(kind, before, after);
    record(store, by, news);
}

/// Looks at an acceptance without carrying it out.
fn may_accept(store: &MemoryStore, acceptance: &HandoffAcceptance) -> Result<Ruled<Passage>> {
    let session = store.registered(&acceptance.session)?;
    let Some(handoff) = store.handoffs.get(&acceptance.id) else {
        return Ok(Err(HandoffRefusal::NotFound));
    };
    Ok(decide_acceptance(&Acceptance {
        handoff,
        session: &session,
        predecessor: predecessor(store, &session).as_ref(),
        item: store.items.get(&handoff.item),
    }))
}

fn accept(store: &mut MemoryStore, acceptance: &HandoffAcceptance) -> Result<HandoffAccepted> {
    let by = &acceptance.provenance;
    let handoff = existing(store, &acceptance.id)?;
    let session = store.registered(&acceptance.session)?;
    let passage = may_accept(store, acceptance)?
        .map_err(|refusal| StoreError::Conflict(refusal.code().to_owned()))?;
    let mut released = None;
    if passage != Passage::InHand {
        if let Some(held) = session.item.as_ref().filter(|held| **held != handoff.item) {
            claims::set_free(store, held, &claims::because(by, "claim_switch"))?;
            released = Some(held.clone());
        }
        let reason = format!("hand-off {}", handoff.id);
        changes::item(store, &handoff.item, &claims::because(by, &reason), |row| {
            row.holder = Some(session.id.clone());
            row.epoch.0 += 1;
            row.phase = handoff.phase.clone().or(row.phase.take());
            if matches!(row.status, ItemStatus::Queued | ItemStatus::Ready) {
                row.status = ItemStatus::Running;
            }
        })?;
        let state = json!({
            "currentSd": handoff.item, "currentPhase": handoff.phase,
            "currentTask": handoff.task, "isActive": true, "wasInterrupted": false,
        });
        claims::patch_state(store, &session.id, state, by)?;
    }
    if passage == Passage::FromSender {
        lay_down(store, &handoff, by)?;
    }
    let heartbeat = Heartbeat {
        session: session.id.clone(),
        lease_seconds: Some(acceptance.lease_seconds),
        status: Some(SessionStatus::Active),
        span_seconds: None,
    };
    sessions::heartbeat(store, &heartbeat)?;
    let handoff = decided(store, &handoff, &session.id, by, |row| {
        row.status = HandoffStatus::Accepted;
    });
    Ok(HandoffAccepted {
        item: items::existing(store, &handoff.item)?,
        handoff,
        released,
    })
}

/// Lets the sender work on the item no more.
fn lay_down(store: &mut MemoryStore, handoff: &Handoff, by: &Provenance) -> Result<()> {
    let sender = store.registered(&handoff.from)?;
    if sender.execution_state().work.item.as_deref() != Some(handoff.item.as_str()) {
        return Ok(());
    }
    let idle = json!({
        "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
    });
    claims::patch_state(store, &sender.id, idle, by)
}

fn first_answer(store: &MemoryStore, acceptance: &HandoffAcceptance) -> Result<HandoffAccepted> {
    let handoff = existing(store, &acceptance.id)?;
    let of_this = |op: &Option<String>| op.as_deref() == Some(&*acceptance.provenance.op_id);
    let released = store
        .events
        .iter()
        .find(|e| e.kind == "released" && of_this(&e.op_id))
        .and_then(|e| e.key.parse().ok());
    Ok(HandoffAccepted {
        item: items::existing(store, &handoff.item)?,
        handoff,
        released,
    })
}

/// Writes a decision, which the sender is to be told unless it made it.
fn decided(
    store: &mut MemoryStore,
    handoff: &Handoff,
    who: &SessionId,
    by: &Provenance,
    change: impl FnOnce(&mut Handoff),
) -> Handoff {
    let mut after = handoff.clone();
    change(&mut after);
    after.decided_by = Some(who.clone());
    after.decided_at = Some(store.now);
    after.revision.0 += 1;
    report(store, by, after.status.as_str(), Some(handoff), &after);
    untold(store, Some(&handoff.from).filter(|from| *from != who));
    store.handoffs.insert(after.id.clone(), after.clone());
    after
}
