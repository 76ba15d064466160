//! Folding many changes in a short time into one message.

use serde::{Deserialize, Serialize};
use trueup_core::model::Timestamp;

use super::delivery::Delivery;
use super::message::{ChangeCounts, MAX_LISTED, NeedChange, write_burst};
use super::observed_need::ObservedNeed;

/// Most messages about one change in a minute.
const MAX_SINGLE: u32 = 20;

/// The minute, in seconds.
const WINDOW_SECONDS: u64 = 60;

/// Most ids that a folded message remembers, to be sent before what comes later.
const MAX_IDS: usize = 2_000;

/// What was told within the last minute, and what waits to be told together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct BurstWindow {
    began_at: Timestamp,
    single: u32,
    raised: u64,
    settled: u64,
    listed: Vec<(bool, ObservedNeed)>,
    ids: Vec<String>,
}

impl Default for BurstWindow {
    fn default() -> Self {
        Self {
            began_at: Timestamp::from_millis(0),
            single: 0,
            raised: 0,
            settled: 0,
            listed: Vec::new(),
            ids: Vec::new(),
        }
    }
}

impl BurstWindow {
    /// Returns whether a change gets a message of its own; `has_room` says whether the queue does.
    /// Behind a change that waits here, all wait: one need's changes stay in order.
    pub(super) fn admit(&mut self, has_room: bool, now: Timestamp) -> bool {
        if !self.is_open(now) && !self.has_folded() {
            self.began_at = now;
            self.single = 0;
        }
        let is_single = has_room && !self.has_folded() && self.single < MAX_SINGLE;
        self.single = self.single.saturating_add(u32::from(is_single));
        is_single
    }

    /// Adds a change that gets no message of its own.
    pub(super) fn fold(&mut self, change: NeedChange, need: &ObservedNeed) {
        match change {
            NeedChange::Raised => self.raised = self.raised.saturating_add(1),
            NeedChange::Settled => self.settled = self.settled.saturating_add(1),
        }
        if self.listed.len() < MAX_LISTED {
            self.listed.push((change == NeedChange::Raised, need.clone()));
        }
        if self.ids.len() < MAX_IDS {
            self.ids.push(need.id.clone());
        }
    }

    /// Takes the message about what was folded, once the minute is over.
    pub(super) fn take_message(&mut self, lineage: &str, now: Timestamp) -> Option<Delivery> {
        if !self.has_folded() || self.is_open(now) {
            return None;
        }
        let folded = std::mem::replace(self, Self { began_at: now, ..Self::default() });
        let counts = ChangeCounts { raised: folded.raised, settled: folded.settled };
        let listed: Vec<_> = folded
            .listed
            .into_iter()
            .map(|(raised, need)| {
                (if raised { NeedChange::Raised } else { NeedChange::Settled }, need)
            })
            .collect();
        Some(write_burst(lineage, counts, &listed, folded.ids, now))
    }

    const fn has_folded(&self) -> bool {
        self.raised + self.settled > 0
    }

    /// Whether the minute is not over. One that begins in the future is: the clock was set back.
    fn is_open(&self, now: Timestamp) -> bool {
        self.began_at <= now && now.seconds_since(self.began_at) < WINDOW_SECONDS
    }
}
