//! The settings that are numbers, with their limits and defaults.

use std::ops::RangeInclusive;

use crate::model::{DEFAULT_RETENTION_DAYS, MAX_LEASE_SECONDS};

/// Upper limit of times in seconds: ten years. Larger values would exceed the years that
/// timestamps can hold.
const MAX_SECONDS: u64 = 10 * 365 * 24 * 3_600;

/// Lease of a session, in seconds.
pub(crate) const DEFAULT_LEASE_SECONDS: u64 = 900;

/// A number that the environment or `config.toml` sets.
#[derive(Debug)]
pub(super) struct NumberSetting {
    /// The key in `config.toml`.
    pub(super) key: &'static str,
    /// The variable of the environment, if there is one.
    pub(super) variable: Option<&'static str>,
    /// What it counts.
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference shows it"))]
    pub(super) unit: &'static str,
    /// The values that are taken; others are limited to them.
    pub(super) range: RangeInclusive<u64>,
    /// The value where nothing is set.
    pub(super) default: Option<u64>,
    /// What it does.
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference shows it"))]
    pub(super) about: &'static str,
}

pub(super) const LEASE: NumberSetting = NumberSetting {
    key: "lease_seconds",
    variable: Some("TRUEUP_LEASE_SECONDS"),
    unit: "seconds",
    range: 1..=MAX_LEASE_SECONDS,
    default: Some(DEFAULT_LEASE_SECONDS),
    about: "How long a session may be silent before others may take its item. Hooks renew the lease \
            at a third of it, at the latest every 120 seconds.",
};

pub(super) const CEILING: NumberSetting = NumberSetting {
    key: "ceiling_seconds",
    variable: Some("TRUEUP_CEILING_SECONDS"),
    unit: "seconds",
    range: 0..=MAX_SECONDS,
    default: Some(1_800),
    about: "Silence after which a process that cannot be checked, as on another machine, counts as \
            gone.",
};

pub(super) const STUCK: NumberSetting = NumberSetting {
    key: "stuck_seconds",
    variable: Some("TRUEUP_STUCK_SECONDS"),
    unit: "seconds",
    range: 1..=MAX_SECONDS,
    default: Some(7_200),
    about: "How long a phase or a task of a plan may be in progress without a sign of life before a \
            sweep fails it.",
};

/// The upper limit is an hour: SQLite's own timeouts cannot hold much more.
pub(super) const DEADLINE: NumberSetting = NumberSetting {
    key: "deadline_ms",
    variable: Some("TRUEUP_DEADLINE_MS"),
    unit: "milliseconds",
    range: 1..=3_600_000,
    default: None,
    about: "How long a hook or a command waits for the database. Unset: as long as the hook has, and \
            10 seconds for a command.",
};

pub(super) const CHECKPOINT_EVERY: NumberSetting = NumberSetting {
    key: "checkpoint_every",
    variable: None,
    unit: "operations",
    range: 1..=1_000,
    default: Some(15),
    about: "Operations of the agent between two checkpoints.",
};

pub(super) const RETENTION_DAYS: NumberSetting = NumberSetting {
    key: "retention_days",
    variable: None,
    unit: "days",
    range: 0..=MAX_SECONDS / (24 * 3_600),
    default: Some(DEFAULT_RETENTION_DAYS),
    about: "How long ended sessions and their events are kept; 0 is forever.",
};

/// Every number.
#[cfg(test)]
pub(super) const NUMBERS: [&NumberSetting; 6] =
    [&DEADLINE, &LEASE, &CEILING, &STUCK, &CHECKPOINT_EVERY, &RETENTION_DAYS];
