//! Sends waiting writes from the outbox to the database.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::local_marks::send_marks;
use super::run_context::{RunContext, now};
use crate::deadline::Deadline;
use crate::log::LogLevel;
use crate::model::{Lineage, SessionId};
use crate::outbox::{
    DrainCounts, DrainLimits, DrainTarget, JournalEntry, PendingWrite, SendVerdict,
};
use crate::replica::ReplicaFile;
use crate::store::{DeliveryOutcome, DeliverySource, DeliveryTarget, StoreError};
use crate::text::pluralize;

/// A drain may take this fraction of the remaining time; the caller needs the rest.
const DRAIN_TIME_DIVISOR: u32 = 3;

/// Most lost edits that are listed one by one.
const MAX_LOST_SHOWN: usize = crate::bounds::LOST_EDITS_SHOWN.len();

/// How long to wait for a hook that works on a replica.
const REPLICA_PATIENCE: Duration = Duration::from_secs(2);

/// The result of draining the outbox.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DrainReport {
    /// How many writes were sent, refused or kept.
    pub counts: DrainCounts,
    /// Edits that came too late, as the journal holds them, but for those that the next prompt of
    /// their session tells of.
    pub lost: Vec<JournalEntry>,
}

impl DrainReport {
    /// Adds the result of a later drain.
    pub fn add(&mut self, later: Self) {
        let DrainCounts { sent, refused, elsewhere, damaged, unmovable, is_waiting, problem } =
            later.counts;
        self.counts.sent += sent;
        self.counts.refused += refused;
        self.counts.elsewhere += elsewhere;
        self.counts.damaged += damaged;
        self.counts.unmovable = unmovable;
        self.counts.is_waiting = is_waiting;
        self.counts.problem = problem;
        self.lost.extend(later.lost);
    }

    /// Renders one line per edit that came too late.
    pub fn describe_lost_edits(&self, session: Option<&SessionId>) -> Vec<String> {
        let line = |entry: &JournalEntry| {
            let owner = &entry.lost.session;
            let owner_note =
                if Some(owner) == session { String::new() } else { format!(" of session {owner}") };
            format!("{}{owner_note}", entry.lost.render_line())
        };
        let mut lines: Vec<String> = self.lost.iter().take(MAX_LOST_SHOWN).map(line).collect();
        if self.lost.len() > MAX_LOST_SHOWN {
            lines.push(format!(
                "⚠️ {} more edits lost to a newer database state; see trueup journal list",
                self.lost.len() - MAX_LOST_SHOWN
            ));
        }
        lines
    }

    /// Renders the lines that a person must see: edits that were lost, writes that were refused,
    /// are unreadable or wait for another database.
    pub fn describe_problems(
        &self,
        context: &RunContext,
        session: Option<&SessionId>,
    ) -> Vec<String> {
        let mut lines = self.describe_lost_edits(session);
        let data_file = |name: &str| context.settings.paths.data.join(name).display().to_string();
        let DrainCounts { refused, damaged, elsewhere, .. } = self.counts;
        if refused > 0 {
            let file = data_file("outbox.dead.jsonl");
            lines.push(format!(
                "⚠️ {} refused by the database and kept in {file}",
                pluralize(refused, "write was", "writes were")
            ));
        }
        if damaged > 0 {
            let file = data_file("outbox.damaged");
            lines.push(format!(
                "⚠️ {} of the outbox cannot be read; kept in {file}",
                pluralize(damaged, "line", "lines")
            ));
        }
        if elsewhere > 0 {
            let writes = pluralize(elsewhere, "write is", "writes are");
            lines.push(format!("⚠️ {writes} waiting for another database; see trueup doctor"));
        }
        lines
    }

    /// Describes writes that stay in the outbox because they can neither be sent nor moved aside.
    /// Shown at session start only, because it stays true until someone frees disk space.
    pub fn describe_unmovable(&self) -> Option<String> {
        let DrainCounts { unmovable, problem, .. } = &self.counts;
        let reason = problem.as_deref().unwrap_or_default();
        (*unmovable > 0).then(|| {
            format!(
                "⚠️ {unmovable} writes for another database, or refused by this one, cannot be set \
                 aside and stay in the outbox ({reason}); see trueup doctor"
            )
        })
    }
}

/// Sends queued writes in order while there is time. Writes that cannot be sent stay in the outbox;
/// those that came too late go to the journal.
pub fn drain_outbox(store: &mut dyn DeliveryTarget, context: &RunContext) -> DrainReport {
    if context.outbox().is_idle() {
        return DrainReport::default();
    }
    let mut lost = Vec::new();
    match send_waiting(store, context, &mut lost) {
        Ok(counts) => {
            if let Some(problem) = &counts.problem {
                context.log(LogLevel::Warn, "outbox", problem);
            }
            DrainReport { counts, lost }
        }
        Err(error) => {
            let problem = format!("the outbox cannot be drained: {error}");
            context.log(LogLevel::Error, "outbox", &problem);
            let counts =
                DrainCounts { is_waiting: true, problem: Some(problem), ..DrainCounts::default() };
            DrainReport { counts, lost }
        }
    }
}

/// Why a batch could not be sent.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal cannot be written: {0}")]
    Journal(#[source] std::io::Error),
}

fn send_waiting(
    store: &mut dyn DeliveryTarget,
    context: &RunContext,
    lost: &mut Vec<JournalEntry>,
) -> Result<DrainCounts, Box<dyn std::error::Error>> {
    let target = find_target(store, context)?;
    send_marks_of_writers(store, &target.lineage, context)?;
    let left = context.deadline.remaining();
    let share = left / DRAIN_TIME_DIVISOR;
    let bounds = DrainLimits {
        // A server is far away, and whoever goes on before the writes of its session would overtake
        // them.
        patience: if context.settings.is_remote() { left.saturating_sub(share) } else { share / 2 },
        share: Deadline::after(share),
        deadline: Deadline::after(left.saturating_sub(share)),
    };
    let source = DeliverySource {
        // Without it the writes of several machines count as those of one.
        outbox: context.outbox().ensure_id().ok(),
        host: Some(context.host.clone()),
        lease_seconds: context.settings.lease_seconds,
    };
    let send = |batch: &[&PendingWrite]| -> Result<Vec<SendVerdict>, SendError> {
        let delivered = store.deliver_pending(batch, &source, bounds.deadline)?;
        let (verdicts, rejected) = split_deliveries(delivered);
        let entries = context.journal().record_all(rejected, now()).map_err(SendError::Journal)?;
        // Before the progress is saved: what fails or dies from here on sends these writes again,
        // and nobody else would tell of them.
        lost.extend(add_to_replicas(entries, &target.lineage, context));
        Ok(verdicts)
    };
    Ok(context.outbox().drain(&target, &bounds, send)?)
}

/// Tells a server what the agents know whose writes wait: a write of their own is no news where they
/// knew the state that it was made on.
fn send_marks_of_writers(
    store: &mut dyn DeliveryTarget,
    lineage: &Lineage,
    context: &RunContext,
) -> Result<(), Box<dyn std::error::Error>> {
    if !context.settings.is_remote() {
        return Ok(());
    }
    let waiting = context.outbox().list_waiting()?;
    let writers: BTreeSet<SessionId> = waiting.into_iter().map(|write| write.session).collect();
    for writer in writers {
        send_marks(store, lineage, &writer, context)?;
    }
    Ok(())
}

/// Leaves lost edits to the replicas of their sessions, whose next prompts tell of them. Returns
/// those of sessions without a replica, as all are over an embedded database.
fn add_to_replicas(
    entries: Vec<JournalEntry>,
    lineage: &Lineage,
    context: &RunContext,
) -> Vec<JournalEntry> {
    if !context.settings.is_remote() {
        return entries;
    }
    let mut of_sessions: BTreeMap<SessionId, Vec<JournalEntry>> = BTreeMap::new();
    for entry in entries {
        of_sessions.entry(entry.lost.session.clone()).or_default().push(entry);
    }
    let mut untold = Vec::new();
    for (session, lost) in of_sessions {
        let report = DrainReport { lost, ..DrainReport::default() };
        let lines = report.describe_lost_edits(Some(&session));
        let file = ReplicaFile::of_session(&context.settings.paths, lineage, &session);
        if !file.add_news(&lines, REPLICA_PATIENCE).unwrap_or(false) {
            untold.extend(report.lost);
        }
    }
    untold
}

/// Finds out which waiting writes are for the database.
fn find_target(
    store: &mut dyn DeliveryTarget,
    context: &RunContext,
) -> Result<DrainTarget, Box<dyn std::error::Error>> {
    let lineage = store.load_lineage()?;
    record_session_database(&lineage, context);
    let databases = context.databases();
    let mut addresses: BTreeSet<String> = databases.list_addresses(&lineage).into_iter().collect();
    addresses.insert(context.settings.database_address());
    let mut adopted = BTreeSet::new();
    for (address, session) in context.outbox().list_sessions_without_lineage()? {
        // At an address where a database was found, the writes are for that one.
        let is_open = !addresses.contains(&address) && databases.last_known_at(&address).is_none();
        if is_open && store.load_session(&session)?.is_some() {
            adopted.insert((address, session));
        }
    }
    Ok(DrainTarget { lineage, addresses, adopted })
}

fn split_deliveries(
    delivered: Vec<DeliveryOutcome>,
) -> (Vec<SendVerdict>, Vec<crate::reconcile::RejectedEdit>) {
    let mut rejected = Vec::new();
    let verdicts = delivered.into_iter().map(|answer| match answer {
        DeliveryOutcome::Written => SendVerdict::Sent,
        DeliveryOutcome::Superseded(lost) => {
            rejected.push(lost);
            SendVerdict::Sent
        }
        DeliveryOutcome::Refused(reason) => SendVerdict::Refused(reason),
    });
    (verdicts.collect(), rejected)
}

/// Records which database is at the configured address. A failure is only logged: writes queued
/// while the database is unreachable then name its address but not its lineage.
pub fn record_session_database(lineage: &Lineage, context: &RunContext) {
    let address = context.settings.database_address();
    let name = context.settings.database.to_string();
    if let Err(error) = context.databases().record(&address, lineage, &name) {
        context.log(LogLevel::Warn, "outbox", &error.to_string());
    }
}
