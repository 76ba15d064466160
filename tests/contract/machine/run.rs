//! One case: the store and the reference, side by side.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use support::home::{Bystander, bystander};
use tempfile::TempDir;
use trueup_core::claims::{self, Claimed, Wish};
use trueup_core::liveness::{host_name, identify};
use trueup_core::model::{self, Epoch, Field, SessionStatus, Value};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::{ClaimRequest, Push, Registration, Release, StoreError};
use trueup_core::sync::{self, Site};

use super::reference::{self, Decision, Process, Reference, SPAN, Standing};
use super::steps::{Fence, Step};
use crate::fixture::{Fixture, patience};
use crate::request::{self, by, id, key};

const SESSIONS: [&str; 3] = ["s0", "s1", "s2"];

/// The last is never added.
const ITEMS: [&str; 3] = ["A", "B", "C"];

/// The session on another machine.
const REMOTE: usize = 2;

type Outcome = Result<(), TestCaseError>;

/// A write that took effect, to be sent again.
enum Sent {
    Push(Push),
    Release(Release),
    End(usize, trueup_core::store::Provenance),
    Claim(ClaimRequest),
}

/// A session as it was read for a sweep.
struct Looked {
    read: model::Session,
    standing: Standing,
    beat: u64,
}

pub(super) struct Run<'f, F> {
    fixture: &'f mut F,
    reference: Reference,
    site: Site,
    _folder: TempDir,
    clients: [Option<Bystander>; 3],
    decided: [Option<(ClaimRequest, Decision)>; 3],
    looked: [Option<Looked>; 3],
    /// The claims that each session knows of, in order.
    fences: [Vec<(usize, u64)>; 3],
    last: Option<Sent>,
    revisions: [u64; 5],
}

impl<'f, F: Fixture> Run<'f, F> {
    pub(super) fn new(fixture: &'f mut F) -> Self {
        for item in &ITEMS[..2] {
            request::add(fixture.store(), item);
        }
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let environment = Environment::from_lookup(|name| {
            (name == "TRUEUP_HOME").then(|| home.clone().into_os_string())
        });
        let settings = Settings::load_leniently(&environment).unwrap();
        assert_eq!(settings.lease_seconds, reference::LEASE);
        assert_eq!(settings.ceiling_seconds, reference::CEILING);
        let project = Project::at(&environment, home);
        Self {
            fixture,
            reference: Reference::default(),
            site: Site::new(&environment, settings, project, None, patience()),
            _folder: folder,
            clients: [const { None }; 3],
            decided: [const { None }; 3],
            looked: [const { None }; 3],
            fences: [const { Vec::new() }; 3],
            last: None,
            revisions: [0; 5],
        }
    }

    pub(super) fn step(&mut self, step: Step) -> Outcome {
        // No two signs of life are of the same moment.
        self.wait(match step {
            Step::Wait(seconds) => seconds,
            _ => 1,
        });
        match step {
            Step::Wait(_) => {}
            Step::Register(session) => self.register(session),
            Step::Kill(session) => {
                self.reference.kill(session);
                self.clients[session] = None;
            }
            Step::Beat { session, announces } => {
                let beat = trueup_core::store::Heartbeat {
                    span_seconds: announces.then_some(SPAN),
                    ..request::beat(SESSIONS[session])
                };
                let expected = self.reference.beat(session, announces);
                let answer = self.fixture.store().heartbeat(&beat);
                prop_assert_eq!(answer.is_ok(), expected, "{:?}", answer);
            }
            Step::End(session) => {
                let (me, by) = (SESSIONS[session], by(SESSIONS[session]));
                let expected = self.reference.end(session);
                let answer = self.fixture.store().end(&id(me), "x", &by);
                prop_assert_eq!(answer.is_ok(), expected, "{:?}", answer);
                self.sent(expected, Sent::End(session, by));
            }
            Step::Claim {
                session,
                item,
                force,
            } => self.claim(session, item, force)?,
            Step::Decide { session, item } => self.decide(session, item),
            Step::Carry(session) => self.carry(session)?,
            Step::Release { session, held } => {
                let holds = self.reference.held_by(session).unwrap_or(0);
                let item = if held { holds } else { 1 - holds };
                let release = request::release(SESSIONS[session], ITEMS[item]);
                let expected = self.reference.release(session, item);
                let answer = self.fixture.store().release(&release);
                agree(&answer, expected)?;
                self.sent(expected.is_ok(), Sent::Release(release));
            }
            Step::Push {
                session,
                newest,
                fence,
                phase,
            } => self.push(session, newest, fence, phase)?,
            Step::Sweep => self.sweep()?,
            Step::Look(session) => {
                let row = self.reference.sessions[session];
                let read = self
                    .fixture
                    .store()
                    .session(&id(SESSIONS[session]))
                    .unwrap();
                self.looked[session] = row.zip(read).map(|(row, read)| Looked {
                    read,
                    standing: row.standing,
                    beat: row.beat,
                });
            }
            Step::Park(session) => {
                if let Some((session, looked)) = first_from(&mut self.looked, session) {
                    let expected = self.reference.park(session, looked.standing, looked.beat);
                    let answer = self.fixture.store().park(&looked.read, &by("sweep"));
                    prop_assert_eq!(answer.unwrap().is_some(), expected);
                }
            }
            Step::Repeat => self.repeat()?,
        }
        self.compare()
    }

    fn wait(&mut self, seconds: u64) {
        self.reference.now += seconds;
        self.fixture.advance(seconds);
        for looked in self.looked.iter_mut().flatten() {
            let then = &mut looked.read.heartbeat_at;
            *then = self.fixture.recorded(*then, seconds);
        }
        for (request, _) in self.decided.iter_mut().flatten() {
            if let Some(then) = &mut request.grant.holder_seen_at {
                *then = self.fixture.recorded(*then, seconds);
            }
        }
    }

    /// Keeps a write that took effect.
    fn sent(&mut self, took_effect: bool, write: Sent) {
        if took_effect {
            self.last = Some(write);
        }
    }

    fn register(&mut self, session: usize) {
        let (process, host, pid) = if session == REMOTE {
            (
                Process::Elsewhere,
                "elsewhere".to_owned(),
                std::process::id(),
            )
        } else {
            let client = self.clients[session].get_or_insert_with(bystander);
            (Process::Runs, host_name(), client.pid().parse().unwrap())
        };
        self.reference.register(session, process);
        let registration = Registration {
            host: Some(host),
            process: Some(identify(pid)),
            ..request::registration(SESSIONS[session])
        };
        self.fixture.store().register(&registration).unwrap();
    }

    fn claim(&mut self, session: usize, item: usize, force: bool) -> Outcome {
        let expected = self.reference.claim(session, item, force);
        let wish = Wish {
            session: id(SESSIONS[session]),
            item: key(ITEMS[item]),
            force,
            span_seconds: None,
            provenance: by(SESSIONS[session]),
        };
        match claims::claim(self.fixture.store(), &wish, &self.site).unwrap() {
            Claimed::Granted { outcome, taken } => {
                prop_assert_eq!(outcome.as_str(), expected);
                self.fences[session].push((item, taken.item.epoch.0));
            }
            Claimed::Refused { refusal, .. } => prop_assert_eq!(refusal.code(), expected),
        }
        Ok(())
    }

    fn decide(&mut self, session: usize, item: usize) {
        let request = request::wish(self.fixture.store(), SESSIONS[session], ITEMS[item]);
        self.decided[session] = Some((request, self.reference.decide(session, item)));
    }

    fn carry(&mut self, session: usize) -> Outcome {
        let Some((session, (request, decision))) = first_from(&mut self.decided, session) else {
            return Ok(());
        };
        let expected = self.reference.carry(&decision);
        let answer = self.fixture.store().claim(&request);
        agree(&answer, expected)?;
        if let Ok(taken) = answer {
            self.fences[session].push((decision.item, taken.item.epoch.0));
            // Of what one has already, a claim is a sign of life and no more, however often.
            self.sent(decision.holder != Some(session), Sent::Claim(request));
        }
        Ok(())
    }

    fn push(&mut self, session: usize, newest: bool, fence: Fence, phase: u8) -> Outcome {
        let fence = match fence {
            Fence::None => None,
            Fence::Mine => self.fences[session].last(),
            Fence::Older => self.fences[session].iter().rev().nth(1),
        };
        let expected = self.reference.push(session, newest, fence.copied(), phase);
        let revision = self.revisions[session];
        let me = id(SESSIONS[session]);
        let text = Value::Text(Some(phase.to_string()));
        let push = Push {
            session: me,
            base: model::Revision(if newest {
                revision
            } else {
                revision.saturating_sub(1)
            }),
            fence: fence.map(|(item, epoch)| (key(ITEMS[*item]), Epoch(*epoch))),
            changes: [(Field::Phase, text)].into(),
            branch: None,
            mark: None,
            acknowledge: false,
            provenance: by(SESSIONS[session]),
        };
        let answer = self.fixture.store().push(&push);
        agree(&answer, expected)?;
        self.sent(expected.is_ok(), Sent::Push(push));
        Ok(())
    }

    fn sweep(&mut self) -> Outcome {
        let expected: Vec<_> = self.reference.sweep();
        let released = sync::sweep(self.fixture.store(), &self.site, "sweep").unwrap();
        let mut found: Vec<_> = released
            .into_iter()
            .map(|released| (released.session, released.item))
            .collect();
        found.sort();
        let named = expected
            .into_iter()
            .map(|(session, item)| (id(SESSIONS[session]), item.map(|item| key(ITEMS[item]))));
        prop_assert_eq!(found, named.collect::<Vec<_>>());
        Ok(())
    }

    /// What took effect before is answered as it was then, and nothing changes.
    fn repeat(&mut self) -> Outcome {
        let store = self.fixture.store();
        match &self.last {
            None => {}
            Some(Sent::Push(push)) => prop_assert!(store.push(push).is_ok()),
            Some(Sent::Release(release)) => prop_assert!(store.release(release).is_ok()),
            Some(Sent::End(session, by)) => {
                prop_assert!(store.end(&id(SESSIONS[*session]), "x", by).is_ok());
            }
            Some(Sent::Claim(request)) => {
                let answer = store.claim(request);
                let holder = store.item(&request.grant.item).unwrap().unwrap().holder;
                let held = holder.as_ref() == Some(&request.grant.session);
                agree(&answer, if held { Ok(()) } else { Err("conflict") })?;
            }
        }
        Ok(())
    }

    fn compare(&mut self) -> Outcome {
        let Reference {
            now,
            sessions,
            items,
        } = self.reference.clone();
        for (n, name) in SESSIONS.into_iter().enumerate() {
            let found = self.fixture.store().session(&id(name)).unwrap();
            prop_assert_eq!(found.is_some(), sessions[n].is_some());
            let (Some(found), Some(row)) = (found, sessions[n]) else {
                continue;
            };
            let status = match row.standing {
                Standing::Active => SessionStatus::Active,
                Standing::Ended => SessionStatus::Ended,
                Standing::Lost => SessionStatus::Lost,
            };
            prop_assert_eq!(found.status, status, "status of {}", name);
            let held = self.reference.held_by(n);
            prop_assert_eq!(
                &found.item,
                &held.map(|item| key(ITEMS[item])),
                "item of {}",
                name
            );
            let epoch = held.map(|item| Epoch(items[item].epoch));
            prop_assert_eq!(found.epoch, epoch, "epoch of {}", name);
            let work = found.execution_state().work;
            let current = row.current.map(|item| ITEMS[item].to_owned());
            prop_assert_eq!(work.item, current, "current item of {}", name);
            prop_assert_eq!(work.phase, text(row.phase), "phase of {}", name);
            let silence = found.silence_seconds();
            prop_assert!(
                near(silence, now - row.beat),
                "silence of {}: {} s",
                name,
                silence
            );
            let left = found.lease_expires_at.seconds_since(found.read_at);
            let expected = row.lease.saturating_sub(now);
            prop_assert!(near(left, expected), "lease of {}: {} s", name, left);
            self.never_back(n, found.revision.0)?;
        }
        for (n, name) in ITEMS[..2].iter().enumerate() {
            let (found, row) = (request::item(self.fixture.store(), name), items[n]);
            let holder = row.holder.map(|session| id(SESSIONS[session]));
            prop_assert_eq!(found.holder, holder, "holder of {}", name);
            prop_assert_eq!(found.epoch, Epoch(row.epoch), "epoch of {}", name);
            let status = if row.begun { "running" } else { "queued" };
            prop_assert_eq!(found.status.as_str(), status, "status of {}", name);
            prop_assert_eq!(found.phase, text(row.phase), "phase of {}", name);
            self.never_back(SESSIONS.len() + n, found.revision.0)?;
        }
        Ok(())
    }

    fn never_back(&mut self, place: usize, revision: u64) -> Outcome {
        prop_assert!(revision >= self.revisions[place], "a revision went back");
        self.revisions[place] = revision;
        Ok(())
    }

    /// Every claim raised the fence by one, and none without a claim.
    pub(super) fn finish(&mut self) -> Outcome {
        let events = request::events(self.fixture.store());
        for (n, name) in ITEMS[..2].iter().enumerate() {
            let of_item = events.iter().filter(|event| event.key == *name);
            let claims = of_item
                .filter(|event| ["claimed", "taken_over"].contains(&event.kind.as_str()))
                .count();
            prop_assert_eq!(
                u64::try_from(claims).unwrap(),
                self.reference.items[n].epoch
            );
        }
        Ok(())
    }
}

/// Takes what the first session has, from one on.
fn first_from<T>(all: &mut [Option<T>; 3], start: usize) -> Option<(usize, T)> {
    let mut order = (start..3).chain(0..start);
    order.find_map(|session| Some((session, all[session].take()?)))
}

fn agree<T: Debug>(answer: &Result<T, StoreError>, expected: Result<(), &str>) -> Outcome {
    let found = answer.as_ref().map(|_| ()).map_err(StoreError::code);
    prop_assert_eq!(found, expected, "{:?}", answer);
    Ok(())
}

fn text(phase: Option<u8>) -> Option<String> {
    phase.map(|phase| phase.to_string())
}

/// Compares two durations; a real clock goes on while a case runs.
fn near(one: u64, other: u64) -> bool {
    one.abs_diff(other) < 50
}
