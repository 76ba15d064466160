//! What is known, and what waits to be sent: pure decisions, without a clock or a network.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use trueup_core::model::Timestamp;

use super::backoff::wait_millis;
use super::burst::BurstWindow;
use super::delivery::Delivery;
use super::message::{NeedChange, write_change};
use super::observed_need::ObservedNeed;

/// Most messages that wait. What comes when they are there is folded.
const MAX_WAITING: usize = 1_000;

/// Most settled needs that are remembered.
const MAX_SETTLED: usize = 1_000;

/// Failures in a row after which the receiver counts as down, and not one message as unwelcome.
const DOWN_AFTER: u32 = 2;

/// The queue of one database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct WebhookQueue {
    lineage: String,
    /// What needs a person, as far as it was put into the queue.
    open: BTreeMap<String, ObservedNeed>,
    /// What was settled last: what comes back is told under another id.
    settled: VecDeque<String>,
    burst: BurstWindow,
    waiting: Vec<Delivery>,
    /// How often sending failed since it last succeeded.
    #[serde(skip)]
    failures: u32,
    /// Until when nothing is sent.
    #[serde(skip)]
    paused_until: Option<Timestamp>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Send this.
    Send(Delivery),
    /// Nothing before so many milliseconds.
    Wait(u64),
    /// Nothing.
    Nothing,
}

impl WebhookQueue {
    /// Makes the queue of a database of which nothing is known.
    pub(super) fn new(lineage: String) -> Self {
        Self { lineage, ..Self::default() }
    }

    /// Lets everything be tried at once, as whoever starts a hub expects.
    pub(super) fn make_all_due(&mut self, now: Timestamp) {
        self.waiting.iter_mut().for_each(|delivery| delivery.make_due(now));
    }

    /// The database that the queue is of.
    pub(super) fn lineage(&self) -> &str {
        &self.lineage
    }

    /// Returns whether the receiver failed since it last took something.
    pub(super) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// How many messages wait.
    pub(super) const fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Compares what needs a person with what is known, and queues the messages about what differs.
    /// Returns whether anything changed.
    pub(super) fn observe(&mut self, needs: Vec<ObservedNeed>, now: Timestamp) -> bool {
        let mut before = std::mem::take(&mut self.open);
        let mut changes = Vec::new();
        for mut need in needs {
            // The first time is what its messages are named after.
            if let Some(known) = before.remove(&need.id) {
                self.open.insert(known.id.clone(), known);
                continue;
            }
            if self.settled.contains(&need.name_occurrence()) {
                need.returned_at = Some(now);
            }
            changes.push((NeedChange::Raised, need.clone()));
            self.open.insert(need.id.clone(), need);
        }
        for need in before.into_values() {
            self.remember_settled(&need);
            changes.push((NeedChange::Settled, need));
        }
        for (change, need) in &changes {
            self.add(*change, need, now);
        }
        let has_burst = self.queue_burst(now);
        has_burst || !changes.is_empty()
    }

    fn remember_settled(&mut self, need: &ObservedNeed) {
        self.settled.push_back(need.name_occurrence());
        if self.settled.len() > MAX_SETTLED {
            self.settled.pop_front();
        }
    }

    fn add(&mut self, change: NeedChange, need: &ObservedNeed, now: Timestamp) {
        if self.burst.admit(self.waiting.len() < MAX_WAITING, now) {
            self.waiting.push(write_change(&self.lineage, change, need, now));
        } else {
            self.burst.fold(change, need);
        }
    }

    fn queue_burst(&mut self, now: Timestamp) -> bool {
        if self.waiting.len() >= MAX_WAITING {
            return false;
        }
        let message = self.burst.take_message(&self.lineage, now);
        let has_message = message.is_some();
        self.waiting.extend(message);
        has_message
    }

    /// Decides what to send. What failed least comes first, so that one message that the receiver
    /// does not take holds up only what follows about the same.
    pub(super) fn next_step(&self, now: Timestamp) -> NextStep {
        if let Some(wait) = self.millis_paused(now) {
            return if self.waiting.is_empty() { NextStep::Nothing } else { NextStep::Wait(wait) };
        }
        let mut earlier = BTreeSet::new();
        let ready = self.waiting.iter().enumerate().filter(|(_, delivery)| {
            let follows = delivery.needs.iter().any(|need| earlier.contains(need.as_str()));
            earlier.extend(delivery.needs.iter().map(String::as_str));
            !follows
        });
        let next = ready.min_by_key(|(position, delivery)| {
            (delivery.millis_until_due(now), delivery.failures, *position)
        });
        match next {
            None => NextStep::Nothing,
            Some((_, delivery)) => match delivery.millis_until_due(now) {
                0 => NextStep::Send(delivery.clone()),
                wait => NextStep::Wait(wait),
            },
        }
    }

    fn millis_paused(&self, now: Timestamp) -> Option<u64> {
        let left = self.paused_until?.as_millis().saturating_sub(now.as_millis());
        u64::try_from(left).ok().filter(|left| *left > 0)
    }

    /// Takes a message that the receiver has off the queue. If the receiver was down, all others
    /// may be tried again.
    pub(super) fn record_success(&mut self, id: &str, now: Timestamp) {
        self.waiting.retain(|delivery| delivery.id != id);
        if self.failures >= DOWN_AFTER {
            self.make_all_due(now);
        }
        self.failures = 0;
        self.paused_until = None;
    }

    /// Puts a message off, and for a while everything else too. Returns the message if it was tried
    /// for so long that it is given up.
    pub(super) fn record_failure(&mut self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.failures = self.failures.saturating_add(1);
        let pause = i64::try_from(wait_millis(self.failures, id)).unwrap_or(i64::MAX);
        self.paused_until = Some(Timestamp::from_millis(now.as_millis().saturating_add(pause)));
        let position = self.waiting.iter().position(|delivery| delivery.id == id)?;
        let delivery = self.waiting.get_mut(position)?;
        delivery.put_off(now);
        delivery.is_too_old(now).then(|| self.waiting.remove(position))
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
