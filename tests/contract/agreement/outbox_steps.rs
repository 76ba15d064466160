//! Steps that deliver writes which waited in an outbox: fresh, late, of another claim, and twice.

use trueup_core::model::{Epoch, FieldValue, Revision, StateField, Timestamp};
use trueup_core::outbox::{PendingChange, PendingWrite, WriteOrigin};
use trueup_core::store::{DeliverySource, Store};

use super::canonical::describe;
use super::{MARGIN_SECONDS, SESSIONS, SeededRandom, TEXTS};
use crate::fixture::test_deadline;
use crate::requests::{LEASE_SECONDS, item_key, session_id};

/// A delivery of several writes in one batch, the same to both stores.
#[derive(Debug)]
pub(super) struct DeliveryStep {
    writes: Vec<WaitingWrite>,
    /// Whether the first write is sent again behind the others.
    is_first_repeated: bool,
}

#[derive(Debug)]
struct WaitingWrite {
    who: &'static str,
    change: PendingChange,
    basis: Basis,
}

/// What a write was made on.
#[derive(Debug, Clone, Copy)]
enum Basis {
    /// The session as it is.
    Current,
    /// A revision so many before the current one, or after it where the number is negative.
    Behind(i64),
    /// Nothing that was known.
    Blind,
    /// A claim that the session does not have.
    OtherClaim,
    /// A time alone, so many seconds ago: older versions recorded no more.
    Time(i64),
}

/// A session that only deliveries register.
const NEWCOMER: &str = "s4";

impl DeliveryStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let count = 1 + dice.roll(3);
        Self {
            writes: (0..count).map(|_| WaitingWrite::pick(dice)).collect(),
            is_first_repeated: dice.roll(3) == 0,
        }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let numbered = self.writes.iter().enumerate();
        let pending: Vec<PendingWrite> =
            numbered.map(|(number, write)| write.pending(store, op, number)).collect();
        let again = pending.first().filter(|_| self.is_first_repeated);
        let batch: Vec<&PendingWrite> = pending.iter().chain(again).collect();
        let defaults = DeliverySource {
            outbox: None,
            host: Some("h".to_owned()),
            lease_seconds: LEASE_SECONDS,
        };
        describe(store.deliver_pending(&batch, &defaults, test_deadline()))
    }
}

impl WaitingWrite {
    fn pick(dice: &mut SeededRandom) -> Self {
        let task = dice.roll(3).to_string();
        let text = dice.pick(&TEXTS).to_owned();
        let change = match dice.roll(11) {
            0..=3 => {
                let value = FieldValue::Text(Some(text).filter(|_| dice.roll(4) > 0));
                let field = dice.pick(&[StateField::Phase, StateField::Task]);
                let branch = Some("outbox".to_owned()).filter(|_| dice.roll(3) == 0);
                PendingChange::State { changes: [(field, value)].into(), branch }
            }
            4 => PendingChange::TaskStarted { task },
            5 => PendingChange::TaskFinished { task },
            6 => PendingChange::Task { task, subject: text },
            7 => PendingChange::End { reason: text },
            8 => PendingChange::Resumed,
            9 => PendingChange::Checkpoint { operations: 15, reason: text },
            _ => PendingChange::State {
                changes: [(StateField::IsActive, FieldValue::Flag(dice.roll(2) == 0))].into(),
                branch: None,
            },
        };
        let margin = i64::try_from(MARGIN_SECONDS).unwrap();
        let bases = [
            Basis::Current,
            Basis::Current,
            Basis::Behind(1),
            Basis::Behind(3),
            Basis::Behind(-1_000),
            Basis::Blind,
            Basis::OtherClaim,
            Basis::Time(margin),
            Basis::Time(-margin),
        ];
        let who = if dice.roll(5) == 0 { NEWCOMER } else { dice.pick(&SESSIONS) };
        Self { who, change, basis: dice.pick(&bases) }
    }

    /// Builds the write as a hook would have made it on what the store holds now.
    fn pending(&self, store: &mut dyn Store, op: &str, number: usize) -> PendingWrite {
        let session = store.reload_session(&session_id(self.who)).unwrap();
        let now = store.database_time().unwrap().as_millis();
        let revision = session.as_ref().map(|session| session.revision);
        let base = match self.basis {
            Basis::Blind => None,
            Basis::Behind(by) => {
                revision.map(|Revision(at)| Revision(at.saturating_add_signed(-by)))
            }
            _ => revision,
        };
        let claim = match self.basis {
            Basis::Blind => None,
            Basis::OtherClaim => Some((item_key("i0"), Epoch(999))),
            _ => session.as_ref().and_then(|session| session.item.clone().zip(session.epoch)),
        };
        let age = if let Basis::Time(age) = self.basis { age } else { 0 };
        let origin = WriteOrigin {
            database: String::new(),
            address: None,
            lineage: session.map(|session| session.lineage),
            base,
            base_lineage: None,
            claim,
        };
        PendingWrite {
            op_id: format!("{op}-{number}"),
            at: Timestamp::from_millis(now - age * 1_000),
            session: session_id(self.who),
            origin: Some(origin).filter(|_| !matches!(self.basis, Basis::Time(_))),
            write: self.change.clone(),
        }
    }
}
