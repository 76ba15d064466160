//! Runs one case on the store and on the reference.

use std::fmt::Debug;

use crate::fixture::{StoreFixture, test_deadline};
use crate::requests::{self, item_key, new_provenance, session_id};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use support::home::{Bystander, spawn_bystander};
use tempfile::TempDir;
use trueup_core::claims::{self, ClaimAnswer, ClaimItemRequest};
use trueup_core::liveness::{host_name, identify_process};
use trueup_core::model::{self, Epoch, FieldValue, SessionStatus, StateField};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::{
    GrantedClaim, ReleaseRequest, SessionRegistration, StatePush, StoreError,
};
use trueup_core::sync::{self, RunContext};

use super::reference::{
    self, ClaimDecision, ProcessState, QUIET_SECONDS, ReferenceStanding, ReferenceStore,
};
use super::steps::{FenceChoice, MachineStep};

const SESSIONS: [&str; 3] = ["s0", "s1", "s2"];

/// The last is never added.
const ITEMS: [&str; 3] = ["A", "B", "C"];

/// The session on another machine.
const REMOTE: usize = 2;

type StepResult = Result<(), TestCaseError>;

/// A write that took effect and may be sent again.
enum SentWrite {
    Push(StatePush),
    Release(ReleaseRequest),
    End(usize, trueup_core::store::Provenance),
    Claim(Box<GrantedClaim>),
}

/// A session as read for a sweep.
struct SessionReading {
    read: model::Session,
    standing: ReferenceStanding,
    beat: u64,
}

pub(super) struct MachineRun<'f, F> {
    fixture: &'f mut F,
    reference: ReferenceStore,
    run_context: RunContext,
    _dir: TempDir,
    clients: [Option<Bystander>; 3],
    decisions: [Option<(GrantedClaim, ClaimDecision)>; 3],
    readings: [Option<SessionReading>; 3],
    /// The claims that each session made, in order.
    fences: [Vec<(usize, u64)>; 3],
    last_sent: Option<SentWrite>,
    revisions: [u64; 5],
}

impl<'f, F: StoreFixture> MachineRun<'f, F> {
    pub(super) fn new(fixture: &'f mut F) -> Self {
        for item in &ITEMS[..2] {
            requests::add_item(fixture.store(), item);
        }
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_owned();
        let environment = Environment::from_lookup(|name| {
            (name == "TRUEUP_HOME").then(|| home.clone().into_os_string())
        });
        let settings = Settings::load_leniently(&environment).unwrap();
        assert_eq!(settings.lease_seconds, reference::LEASE_SECONDS);
        assert_eq!(settings.ceiling_seconds, reference::CEILING_SECONDS);
        let project = Project::at_dir(&environment, home);
        Self {
            fixture,
            reference: ReferenceStore::default(),
            run_context: RunContext::new(&environment, settings, project, None, test_deadline()),
            _dir: dir,
            clients: [const { None }; 3],
            decisions: [const { None }; 3],
            readings: [const { None }; 3],
            fences: [const { Vec::new() }; 3],
            last_sent: None,
            revisions: [0; 5],
        }
    }

    pub(super) fn run_step(&mut self, step: MachineStep) -> StepResult {
        // No two heartbeats have the same time.
        self.advance_time(match step {
            MachineStep::Wait(seconds) => seconds,
            _ => 1,
        });
        match step {
            MachineStep::Wait(_) => {}
            MachineStep::Register(session) => self.register(session),
            MachineStep::Kill(session) => {
                self.reference.kill(session);
                self.clients[session] = None;
            }
            MachineStep::Beat { session, announces } => self.beat(session, announces)?,
            MachineStep::End(session) => {
                let (me, by) = (SESSIONS[session], new_provenance(SESSIONS[session]));
                let expected = self.reference.end(session);
                let answer = self.fixture.store().end_session(&session_id(me), "x", &by);
                prop_assert_eq!(answer.is_ok(), expected, "{:?}", answer);
                self.remember_sent(expected, SentWrite::End(session, by));
            }
            MachineStep::Claim { session, item, force } => self.claim(session, item, force)?,
            MachineStep::Decide { session, item } => self.decide_claim(session, item),
            MachineStep::Carry(session) => self.apply_decision(session)?,
            MachineStep::Release { session, held } => self.release(session, held)?,
            MachineStep::Push { session, newest, fence, phase } => {
                self.push(session, newest, fence, phase)?;
            }
            MachineStep::Sweep => self.run_sweep()?,
            MachineStep::Look(session) => {
                let row = self.reference.sessions[session];
                let read =
                    self.fixture.store().load_session(&session_id(SESSIONS[session])).unwrap();
                self.readings[session] = row.zip(read).map(|(row, read)| SessionReading {
                    read,
                    standing: row.standing,
                    beat: row.beat,
                });
            }
            MachineStep::Park(session) => {
                if let Some((session, looked)) = take_first_from(&mut self.readings, session) {
                    let expected = self.reference.mark_lost(session, looked.standing, looked.beat);
                    let answer =
                        self.fixture.store().mark_lost(&looked.read, &new_provenance("sweep"));
                    prop_assert_eq!(answer.unwrap().is_some(), expected);
                }
            }
            MachineStep::Repeat => self.repeat_last()?,
        }
        self.compare_stores()
    }

    /// Sends a heartbeat.
    fn beat(&mut self, session: usize, announces: bool) -> StepResult {
        let beat = trueup_core::store::HeartbeatRequest {
            quiet_seconds: announces.then_some(QUIET_SECONDS),
            ..requests::new_heartbeat(SESSIONS[session])
        };
        let expected = self.reference.beat(session, announces);
        let answer = self.fixture.store().record_heartbeat(&beat);
        prop_assert_eq!(answer.is_ok(), expected, "{:?}", answer);
        Ok(())
    }

    /// Releases the item that the session holds, or the other one.
    fn release(&mut self, session: usize, held: bool) -> StepResult {
        let holds = self.reference.held_by(session).unwrap_or(0);
        let item = if held { holds } else { 1 - holds };
        let release = requests::release_request(SESSIONS[session], ITEMS[item]);
        let expected = self.reference.release(session, item);
        let answer = self.fixture.store().release(&release);
        assert_same_answer(&answer, expected)?;
        self.remember_sent(expected.is_ok(), SentWrite::Release(release));
        Ok(())
    }

    fn advance_time(&mut self, seconds: u64) {
        self.reference.now += seconds;
        self.fixture.advance_time(seconds);
        for looked in self.readings.iter_mut().flatten() {
            let then = &mut looked.read.heartbeat_at;
            *then = self.fixture.shifted_time(*then, seconds);
        }
        for (request, _) in self.decisions.iter_mut().flatten() {
            if let Some(then) = &mut request.grant.holder_seen_at {
                *then = self.fixture.shifted_time(*then, seconds);
            }
        }
    }

    /// Remembers a write that took effect.
    fn remember_sent(&mut self, took_effect: bool, write: SentWrite) {
        if took_effect {
            self.last_sent = Some(write);
        }
    }

    fn register(&mut self, session: usize) {
        let (process, host, pid) = if session == REMOTE {
            (ProcessState::Elsewhere, "elsewhere".to_owned(), std::process::id())
        } else {
            let client = self.clients[session].get_or_insert_with(spawn_bystander);
            (ProcessState::Runs, host_name(), client.pid().parse().unwrap())
        };
        self.reference.register(session, process);
        let registration = SessionRegistration {
            host: Some(host),
            process: Some(identify_process(pid)),
            ..requests::registration(SESSIONS[session])
        };
        self.fixture.store().register_session(&registration).unwrap();
    }

    fn claim(&mut self, session: usize, item: usize, force: bool) -> StepResult {
        let expected = self.reference.claim(session, item, force);
        let request = ClaimItemRequest {
            session: session_id(SESSIONS[session]),
            item: item_key(ITEMS[item]),
            new_item: None,
            force,
            quiet_period_seconds: None,
            provenance: new_provenance(SESSIONS[session]),
        };
        match claims::claim_item(self.fixture.store(), &request, &self.run_context).unwrap() {
            ClaimAnswer::Granted { outcome, taken } => {
                prop_assert_eq!(outcome.as_str(), expected);
                self.fences[session].push((item, taken.item.epoch.0));
            }
            ClaimAnswer::Refused { refusal, .. } => prop_assert_eq!(refusal.code(), expected),
        }
        Ok(())
    }

    fn decide_claim(&mut self, session: usize, item: usize) {
        let request = requests::claim_request(self.fixture.store(), SESSIONS[session], ITEMS[item]);
        self.decisions[session] = Some((request, self.reference.decide_claim(session, item)));
    }

    fn apply_decision(&mut self, session: usize) -> StepResult {
        let Some((session, (request, decision))) = take_first_from(&mut self.decisions, session)
        else {
            return Ok(());
        };
        let expected = self.reference.apply_decision(&decision);
        let answer = self.fixture.store().claim(&request);
        assert_same_answer(&answer, expected)?;
        if let Ok(taken) = answer {
            self.fences[session].push((decision.item, taken.item.epoch.0));
            // A repeated claim of an item held already only renews the lease.
            self.remember_sent(
                decision.holder != Some(session),
                SentWrite::Claim(Box::new(request)),
            );
        }
        Ok(())
    }

    fn push(&mut self, session: usize, newest: bool, fence: FenceChoice, phase: u8) -> StepResult {
        let fence = match fence {
            FenceChoice::None => None,
            FenceChoice::Mine => self.fences[session].last(),
            FenceChoice::Older => self.fences[session].iter().rev().nth(1),
        };
        let expected = self.reference.push(session, newest, fence.copied(), phase);
        let revision = self.revisions[session];
        let me = session_id(SESSIONS[session]);
        let text = FieldValue::Text(Some(phase.to_string()));
        let push = StatePush {
            session: me,
            base: model::Revision(if newest { revision } else { revision.saturating_sub(1) }),
            fencing_token: fence.map(|(item, epoch)| (item_key(ITEMS[*item]), Epoch(*epoch))),
            changes: [(StateField::Phase, text)].into(),
            metadata: serde_json::Map::new(),
            branch: None,
            mark: None,
            acknowledge: false,
            provenance: new_provenance(SESSIONS[session]),
        };
        let answer = self.fixture.store().push_state(&push);
        assert_same_answer(&answer, expected)?;
        self.remember_sent(expected.is_ok(), SentWrite::Push(push));
        Ok(())
    }

    fn run_sweep(&mut self) -> StepResult {
        let expected: Vec<_> = self.reference.sweep();
        let now = self.fixture.store().database_time().unwrap();
        let released =
            sync::sweep_dead_sessions(self.fixture.store(), &self.run_context, "sweep", now)
                .unwrap();
        let mut found: Vec<_> =
            released.into_iter().map(|released| (released.session, released.item)).collect();
        found.sort();
        let named = expected.into_iter().map(|(session, item)| {
            (session_id(SESSIONS[session]), item.map(|item| item_key(ITEMS[item])))
        });
        prop_assert_eq!(found, named.collect::<Vec<_>>());
        Ok(())
    }

    /// Repeats the last write: it gets the same answer and changes nothing.
    fn repeat_last(&mut self) -> StepResult {
        let store = self.fixture.store();
        match &self.last_sent {
            None => {}
            Some(SentWrite::Push(push)) => prop_assert!(store.push_state(push).is_ok()),
            Some(SentWrite::Release(release)) => prop_assert!(store.release(release).is_ok()),
            Some(SentWrite::End(session, by)) => {
                prop_assert!(store.end_session(&session_id(SESSIONS[*session]), "x", by).is_ok());
            }
            Some(SentWrite::Claim(request)) => {
                let answer = store.claim(request);
                let holder = store.load_item(&request.grant.item).unwrap().unwrap().holder;
                let held = holder.as_ref() == Some(&request.grant.session);
                assert_same_answer(&answer, if held { Ok(()) } else { Err("conflict") })?;
            }
        }
        Ok(())
    }

    fn compare_stores(&mut self) -> StepResult {
        let ReferenceStore { now, sessions, items } = self.reference.clone();
        for (n, name) in SESSIONS.into_iter().enumerate() {
            let found = self.fixture.store().load_session(&session_id(name)).unwrap();
            prop_assert_eq!(found.is_some(), sessions[n].is_some());
            let (Some(found), Some(row)) = (found, sessions[n]) else {
                continue;
            };
            let status = match row.standing {
                ReferenceStanding::Active => SessionStatus::Active,
                ReferenceStanding::Ended => SessionStatus::Ended,
                ReferenceStanding::Lost => SessionStatus::Lost,
            };
            prop_assert_eq!(found.status, status, "status of {}", name);
            let held = self.reference.held_by(n);
            prop_assert_eq!(
                &found.item,
                &held.map(|item| item_key(ITEMS[item])),
                "item of {}",
                name
            );
            let epoch = held.map(|item| Epoch(items[item].epoch));
            prop_assert_eq!(found.epoch, epoch, "epoch of {}", name);
            let work = found.execution_state().work;
            let current = row.current.map(|item| ITEMS[item].to_owned());
            prop_assert_eq!(work.item, current, "current item of {}", name);
            prop_assert_eq!(work.phase, phase_text(row.phase), "phase of {}", name);
            let silence = found.silence_seconds();
            prop_assert!(is_near(silence, now - row.beat), "silence of {}: {} s", name, silence);
            let remaining = found.lease_expires_at.seconds_since(found.read_at);
            let expected = row.lease.saturating_sub(now);
            prop_assert!(is_near(remaining, expected), "lease of {}: {} s", name, remaining);
            self.assert_monotonic(n, found.revision.0)?;
        }
        for (n, name) in ITEMS[..2].iter().enumerate() {
            let (found, row) = (requests::load_item(self.fixture.store(), name), items[n]);
            let holder = row.holder.map(|session| session_id(SESSIONS[session]));
            prop_assert_eq!(found.holder, holder, "holder of {}", name);
            prop_assert_eq!(found.epoch, Epoch(row.epoch), "epoch of {}", name);
            let status = if row.begun { "running" } else { "queued" };
            prop_assert_eq!(found.status.as_str(), status, "status of {}", name);
            prop_assert_eq!(found.phase, phase_text(row.phase), "phase of {}", name);
            self.assert_monotonic(SESSIONS.len() + n, found.revision.0)?;
        }
        Ok(())
    }

    fn assert_monotonic(&mut self, place: usize, revision: u64) -> StepResult {
        prop_assert!(revision >= self.revisions[place], "a revision went back");
        self.revisions[place] = revision;
        Ok(())
    }

    /// Asserts that every claim raised the epoch by one, and nothing else did.
    pub(super) fn finish(&mut self) -> StepResult {
        let events = requests::list_events(self.fixture.store());
        for (n, name) in ITEMS[..2].iter().enumerate() {
            let of_item = events.iter().filter(|event| event.key == *name);
            let claims = of_item
                .filter(|event| ["claimed", "taken_over"].contains(&event.kind.as_str()))
                .count();
            prop_assert_eq!(u64::try_from(claims).unwrap(), self.reference.items[n].epoch);
        }
        Ok(())
    }
}

/// Takes the value of the first session that has one, starting at `start`.
fn take_first_from<T>(all: &mut [Option<T>; 3], start: usize) -> Option<(usize, T)> {
    let mut order = (start..3).chain(0..start);
    order.find_map(|session| Some((session, all[session].take()?)))
}

fn assert_same_answer<T: Debug>(
    answer: &Result<T, StoreError>,
    expected: Result<(), &str>,
) -> StepResult {
    let found = answer.as_ref().map(|_| ()).map_err(StoreError::code);
    prop_assert_eq!(found, expected, "{:?}", answer);
    Ok(())
}

fn phase_text(phase: Option<u8>) -> Option<String> {
    phase.map(|phase| phase.to_string())
}

/// Compares two durations with a tolerance, since a real clock runs during a case.
fn is_near(one: u64, other: u64) -> bool {
    one.abs_diff(other) < 50
}
