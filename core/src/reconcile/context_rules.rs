//! The rules about everything around cache and database: branch, claim, other sessions, outbox, and
//! a database that cannot be reached.

use std::fmt::Write as _;

use super::Reconciliation;
use super::divergence_lines::{DivergenceDetail, MAX_EXCERPT_CHARS, push_divergence};
use super::snapshot::{CacheReading, DatabaseReading, Reading, Snapshot};
use crate::diagnostic::{Advice, AdviceKind};
use crate::diagnostic::{Code, Divergence};
use crate::model::SessionId;
use crate::text::one_line;

/// The line of S-12 where something is known of the database, and how many seconds that is old.
pub fn describe_unreachable(age: Option<u64>, reason: &str) -> String {
    let age = age.map_or_else(|| "of unknown age".to_owned(), |age| format!("{age} s old"));
    let reason = one_line(reason, MAX_EXCERPT_CHARS);
    format!("⚠️ database unreachable; cache used, {age} ({reason})")
}

pub(super) fn report_unreachable_database(
    reason: &str,
    advice: AdviceKind,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let message = if let Reading::Fresh(CacheReading { synced_at, .. }) = &snapshot.cache {
        describe_unreachable(synced_at.map(|at| snapshot.now.seconds_since(at)), reason)
    } else {
        let reason = one_line(reason, MAX_EXCERPT_CHARS);
        format!("⚠️ database unreachable; no cache available ({reason})")
    };
    push_divergence(out, snapshot, Code::DatabaseUnreachable, message, advice);
}

pub(super) fn report_branch_and_claim(
    database: &DatabaseReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    if let (Some(claim), Some(branch)) = (&database.claim, &snapshot.branch)
        && let Some(named) = &branch.other_item
    {
        let (name, named) =
            (one_line(&branch.name, MAX_EXCERPT_CHARS), one_line(named, MAX_EXCERPT_CHARS));
        let message =
            format!("⚠️ Branch mismatch: branch={name} names {named}, db_claim={}", claim.item);
        let advice = AdviceKind::SwitchBranch { to: branch.switch_target.clone() };
        let expected = Some(claim.item.to_string());
        let detail = DivergenceDetail { expected, found: Some(name), advice };
        push_divergence(out, snapshot, Code::BranchNamesOtherItem, message, detail);
    }
    if let Some(lost) = &database.lost_claim {
        let since = lost.since.map_or_else(|| "?".to_owned(), |t| t.to_string());
        // An item that another session holds, or that is finished, cannot be claimed.
        let advice = if lost.holder.is_some() || lost.is_finished {
            AdviceKind::AcceptLoss
        } else {
            let item = lost.item.to_string();
            AdviceKind::ClaimItem { item }
        };
        let holder = lost.holder.as_ref().map_or("nobody", SessionId::as_str);
        let message = format!("⚠️ claim on {} now belongs to {holder} since {since}", lost.item);
        let detail = DivergenceDetail {
            expected: Some(holder.to_owned()),
            found: Some(snapshot.session.to_string()),
            advice,
        };
        push_divergence(out, snapshot, Code::ClaimTakenAway, message, detail);
    }
}

/// Lists advice besides the fix of a divergence: the item that the branch names can be claimed if
/// nobody holds it.
pub fn list_other_advice(divergence: &Divergence, snapshot: &Snapshot) -> Vec<Advice> {
    let branch = snapshot.branch.as_ref();
    let free = branch
        .filter(|branch| divergence.code == Code::BranchNamesOtherItem && branch.other_is_free);
    let named = free.and_then(|branch| branch.other_item.as_ref());
    named
        .map(|named| Advice::from(AdviceKind::ClaimItem { item: named.clone() }))
        .into_iter()
        .collect()
}

pub(super) fn report_peers_and_outbox(snapshot: &Snapshot, out: &mut Reconciliation) {
    if let Some(peer) = snapshot.peers.first() {
        let holds = peer.item.as_ref().map(|i| format!(", on {i}")).unwrap_or_default();
        let more = match snapshot.peers.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let message = format!(
            "⚠️ another live session works in this worktree: {}{holds}{more}",
            peer.session
        );
        // It ends when one of the two sessions ends; no command of this session ends it.
        let session = peer.session.clone();
        let detail = DivergenceDetail {
            expected: None,
            found: Some(session.to_string()),
            advice: AdviceKind::LeaveWorktree { session },
        };
        push_divergence(out, snapshot, Code::WorktreeShared, message, detail);
    }
    if snapshot.outbox.waiting > 0 {
        let oldest = snapshot.outbox.oldest_at.map_or_else(|| "?".to_owned(), |t| t.to_string());
        let mut message =
            format!("⚠️ {} writes wait in the outbox, oldest {oldest}", snapshot.outbox.waiting);
        if snapshot.outbox.for_other_databases > 0 {
            let elsewhere = snapshot.outbox.for_other_databases;
            let _ = write!(message, " ({elsewhere} of them for another database)");
        }
        let advice = if snapshot.outbox.for_other_databases < snapshot.outbox.waiting {
            AdviceKind::SendWaiting
        } else {
            AdviceKind::SendToOtherDatabase
        };
        push_divergence(out, snapshot, Code::WritesWaiting, message, advice);
    }
}
