//! A worker: one process with many simulated sessions that take turns.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use trueup_core::model::{
    FieldValue, Item, ItemKey, ItemStatus, MoveActor, MoveFacts, MoveTarget, NewItem, NextItem,
    RepoScope, Session, SessionId, StateField, decide_move,
};
use trueup_core::store::{
    ClaimNextRequest, ClaimStore as _, GrantedMove, HeartbeatRequest, HookStore as _,
    ItemStore as _, Provenance, ReleaseRequest, Result as StoreResult, RetryAdvice,
    SessionRegistration, SessionStore as _, StatePush, StoreError,
};
use trueup_remote::RemoteStore;

use crate::LoadError;
use crate::arguments::Arguments;
use crate::connection::{Connection, PATIENCE};
use crate::record::{Log, Operation, Outcome, Record, current_micros};

const LEASE_SECONDS: u64 = 900;

/// How long a worker waits before it repeats an operation.
const PAUSE: Duration = Duration::from_millis(100);

/// Every third round releases the item instead of completing it, so that others claim it again.
const RELEASE_EVERY: u64 = 3;

/// What a simulated session does next.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Register,
    Add,
    Claim,
    PushFirst,
    Heartbeat,
    PushSecond,
    Finish,
}

/// A simulated session. What it knows is what the database answered.
struct SimulatedSession {
    id: SessionId,
    stage: Stage,
    /// Which round it is in. The sessions begin with different ones.
    round: u64,
    session: Option<Session>,
    item: Option<Item>,
}

/// When a worker ends.
enum End {
    After(u64),
    Once(PathBuf),
}

struct Worker {
    connection: Connection,
    log: Log,
    /// The item whose children are worked on.
    queue: ItemKey,
    /// How many operations it has done.
    done: u64,
}

/// Works until the end.
pub(crate) fn run_worker(mut arguments: Arguments) -> Result<(), LoadError> {
    let url = arguments.next("a URL")?;
    let name: String = arguments.required("--name")?;
    let queue: ItemKey = arguments.required("--queue")?;
    let count: u64 = arguments.required("--sessions")?;
    let end = match arguments.file("--until")? {
        Some(file) => End::Once(file),
        None => End::After(arguments.required("--operations")?),
    };
    let limit = Duration::from_millis(arguments.required("--deadline-ms")?);
    let log = Log::create(&arguments.file("--log")?.ok_or("--log is missing")?)?;
    arguments.finish()?;
    let mut worker = Worker { connection: Connection::new(&url, limit)?, log, queue, done: 0 };
    let mut sessions = Vec::new();
    for number in 0..count {
        let id = format!("load-{name}-{number}").parse()?;
        let stage = Stage::Register;
        sessions.push(SimulatedSession { id, stage, round: number, session: None, item: None });
    }
    loop {
        for session in &mut sessions {
            let has_ended = match &end {
                End::After(count) => worker.done >= *count,
                End::Once(file) => file.exists(),
            };
            if has_ended {
                return Ok(());
            }
            session.advance(&mut worker)?;
        }
    }
}

impl Worker {
    /// Carries out an operation, repeating it under the same id while the database cannot be
    /// reached; writes down how it ended. Returns the answer unless the operation was refused.
    fn perform<T>(
        &mut self,
        mut record: Record,
        note: impl Fn(&mut Record, &T),
        operation: impl Fn(&mut RemoteStore) -> StoreResult<T>,
    ) -> Result<Option<T>, LoadError> {
        record.began = current_micros()?;
        let began = Instant::now();
        let answer = loop {
            record.attempts += 1;
            match operation(&mut self.connection.open_store()) {
                Ok(answer) => {
                    note(&mut record, &answer);
                    record.outcome = Outcome::Acknowledged;
                    break Some(answer);
                }
                Err(error) if !may_be_repeated(&error) => {
                    record.outcome = Outcome::Refused(error.to_string());
                    break None;
                }
                Err(error) if began.elapsed() > PATIENCE => {
                    record.outcome = Outcome::GivenUp(error.to_string());
                    break None;
                }
                Err(_) => thread::sleep(PAUSE),
            }
        };
        let counts = self.connection.take_counts();
        record.requests = counts.sent;
        record.failed_requests = counts.failed;
        record.doubtful_requests = counts.doubtful;
        record.ended = current_micros()?;
        self.log.append(&record)?;
        self.done += 1;
        match record.outcome {
            Outcome::GivenUp(error) => Err(format!("given up: {error}").into()),
            _ => Ok(answer),
        }
    }
}

/// Returns whether the same operation may succeed a moment later.
fn may_be_repeated(error: &StoreError) -> bool {
    error.retry_advice() == RetryAdvice::Retry
}

impl SimulatedSession {
    /// Takes one step; without an answer it begins a new round.
    fn advance(&mut self, worker: &mut Worker) -> Result<(), LoadError> {
        let next = match self.stage {
            Stage::Register => self.register(worker)?.then_some(Stage::Add),
            Stage::Add => self.add_item(worker)?.then_some(Stage::Claim),
            Stage::Claim => self.claim_next_item(worker)?.then_some(Stage::PushFirst),
            Stage::PushFirst => self.push_task(worker)?.then_some(Stage::Heartbeat),
            Stage::Heartbeat => self.record_heartbeat(worker)?.then_some(Stage::PushSecond),
            Stage::PushSecond => self.push_task(worker)?.then_some(Stage::Finish),
            Stage::Finish => {
                self.finish_item(worker)?;
                self.round += 1;
                Some(Stage::Add)
            }
        };
        self.stage = match (self.stage, next) {
            (_, Some(next)) => next,
            (Stage::Register, None) => Stage::Register,
            _ => Stage::Add,
        };
        Ok(())
    }

    fn provenance(&self) -> Provenance {
        Provenance::new(self.id.as_str(), "load")
    }

    fn record(&self, operation: Operation, provenance: Option<&Provenance>) -> Record {
        Record {
            operation,
            session: self.id.to_string(),
            op_id: provenance.map(|provenance| provenance.op_id.clone()),
            item: self.item.as_ref().map(|item| item.key.to_string()),
            epoch: self.item.as_ref().map(|item| item.epoch.0),
            task: None,
            outcome: Outcome::Acknowledged,
            attempts: 0,
            requests: 0,
            failed_requests: 0,
            doubtful_requests: 0,
            began: 0,
            ended: 0,
        }
    }

    fn register(&mut self, worker: &mut Worker) -> Result<bool, LoadError> {
        let registration = SessionRegistration {
            session: self.id.clone(),
            repo: None,
            worktree: Some(format!("/{}", self.id)),
            branch: None,
            host: None,
            process: None,
            predecessor: None,
            lease_seconds: LEASE_SECONDS,
            provenance: self.provenance(),
        };
        let record = self.record(Operation::Register, Some(&registration.provenance));
        self.session =
            worker.perform(record, |_, _| (), |store| store.register_session(&registration))?;
        Ok(self.session.is_some())
    }

    fn add_item(&mut self, worker: &mut Worker) -> Result<bool, LoadError> {
        self.item = None;
        let key: ItemKey = format!("{}.{}", self.id, self.round).to_uppercase().parse()?;
        let provenance = self.provenance();
        let mut record = self.record(Operation::Add, Some(&provenance));
        record.item = Some(key.to_string());
        let item = NewItem { parent: Some(worker.queue.clone()), ..NewItem::new(key) };
        let added =
            worker.perform(record, |_, _| (), |store| store.add_item(&item, &provenance))?;
        Ok(added.is_some())
    }

    fn claim_next_item(&mut self, worker: &mut Worker) -> Result<bool, LoadError> {
        let request = ClaimNextRequest {
            session: self.id.clone(),
            parent: Some(worker.queue.clone()),
            scope: RepoScope::default(),
            may_release_unfinished: false,
            lease_seconds: LEASE_SECONDS,
            provenance: self.provenance(),
        };
        let record = self.record(Operation::Claim, Some(&request.provenance));
        // An item that is held already is not claimed again.
        let note = |record: &mut Record, next: &NextItem| {
            if let NextItem::Offer { item, .. } = next {
                record.item = Some(item.key.to_string());
                record.epoch = Some(item.epoch.0);
            }
        };
        let next = worker.perform(record, note, |store| {
            store.claim_next_item(&request).map(|claimed| claimed.next)
        })?;
        self.item = match next {
            Some(NextItem::Offer { item, .. } | NextItem::Held { item, .. }) => Some(item),
            _ => None,
        };
        if self.item.is_none() {
            return Ok(false);
        }
        let record = self.record(Operation::Load, None);
        let loaded = worker.perform(record, |_, _| (), |store| store.load_session(&self.id))?;
        self.session = loaded.flatten();
        Ok(self.session.is_some())
    }

    fn push_task(&mut self, worker: &mut Worker) -> Result<bool, LoadError> {
        let (Some(session), Some(item)) = (&self.session, &self.item) else {
            return Ok(false);
        };
        let provenance = self.provenance();
        // Unlike every other, so that each push changes something.
        let task = format!("task of {}", provenance.op_id);
        let value = FieldValue::Text(Some(task.clone()));
        let push = StatePush {
            session: self.id.clone(),
            base: session.revision,
            fencing_token: Some((item.key.clone(), item.epoch)),
            changes: BTreeMap::from([(StateField::Task, value)]),
            metadata: serde_json::Map::new(),
            branch: None,
            mark: None,
            acknowledge: true,
            provenance,
        };
        let mut record = self.record(Operation::Push, Some(&push.provenance));
        record.task = Some(task);
        self.session = worker.perform(record, |_, _| (), |store| store.push_state(&push))?;
        Ok(self.session.is_some())
    }

    fn record_heartbeat(&self, worker: &mut Worker) -> Result<bool, LoadError> {
        let heartbeat = HeartbeatRequest {
            session: self.id.clone(),
            lease_seconds: Some(LEASE_SECONDS),
            status: None,
            quiet_seconds: None,
        };
        let record = self.record(Operation::Heartbeat, None);
        let done =
            worker.perform(record, |_, ()| (), |store| store.record_heartbeat(&heartbeat))?;
        Ok(done.is_some())
    }

    fn finish_item(&mut self, worker: &mut Worker) -> Result<(), LoadError> {
        let Some(item) = &self.item else {
            return Ok(());
        };
        let provenance = self.provenance();
        if self.round.is_multiple_of(RELEASE_EVERY) {
            let release =
                ReleaseRequest { session: self.id.clone(), item: item.key.clone(), provenance };
            let record = self.record(Operation::Release, Some(&release.provenance));
            worker.perform(record, |_, _| (), |store| store.release(&release))?;
            return Ok(());
        }
        let facts = MoveFacts {
            actor: MoveActor::Session(self.session.as_ref()),
            item: Some(item),
            target: MoveTarget::Status(ItemStatus::Completed),
            evidence: None,
            reason: None,
        };
        let grant = decide_move(&facts).map_err(|refusal| refusal.code())?;
        let request = GrantedMove { grant, provenance };
        let record = self.record(Operation::Complete, Some(&request.provenance));
        worker.perform(record, |_, _| (), |store| store.move_item(&request))?;
        Ok(())
    }
}
