//! The rules for differences between cache and database.

use std::collections::BTreeMap;

use super::Reconciliation;
use super::action::{Action, Proposal, RejectedEdit, RejectionReason, SetAsideReason};
use super::context_rules::{
    report_branch_and_claim, report_peers_and_outbox, report_unreachable_database,
};
use super::divergence_lines::{
    DivergenceDetail, MAX_EXCERPT_CHARS, push_divergence, render_plain, render_quoted,
    report_mismatch,
};
use super::snapshot::{CacheReading, DatabaseReading, Policy, Reading, Snapshot};
use crate::authority::{self, Authority};
use crate::diagnostic::AdviceKind;
use crate::diagnostic::Code;
use crate::model::{FieldValue, StateField};
use crate::text::one_line;

/// Longest text of a proposal, in characters. A longer one is kept in the journal.
const MAX_PROPOSAL_CHARS: usize = 10_000;

/// Decides what differs, and what fixes it.
pub fn reconcile(snapshot: &Snapshot, policy: Policy) -> Reconciliation {
    let mut out = Reconciliation::default();
    match &snapshot.database {
        Reading::Fresh(database) => {
            compare_cache(database, snapshot, policy, &mut out);
            report_branch_and_claim(database, snapshot, &mut out);
        }
        Reading::Missing => {
            let reason = "there is no database yet";
            report_unreachable_database(reason, AdviceKind::CreateDatabase, snapshot, &mut out);
        }
        Reading::Corrupt(reason) => {
            report_unreachable_database(reason, AdviceKind::RestoreDatabase, snapshot, &mut out);
        }
        Reading::Unavailable(reason) => {
            report_unreachable_database(reason, AdviceKind::FixReportedCause, snapshot, &mut out);
        }
    }
    report_peers_and_outbox(snapshot, &mut out);
    out.divergences.sort_by_key(|divergence| divergence.code);
    out
}

fn compare_cache(
    database: &DatabaseReading,
    snapshot: &Snapshot,
    policy: Policy,
    out: &mut Reconciliation,
) {
    match &snapshot.cache {
        Reading::Missing if policy.create_cache => {
            let message = "cache missing; it is written from the database".to_owned();
            push_divergence(out, snapshot, Code::CacheMissing, message, AdviceKind::TrueUpSession);
            out.actions.push(Action::ReplaceCache);
        }
        Reading::Missing => {}
        Reading::Corrupt(reason) => {
            let message = format!(
                "⚠️ cache unreadable; {} ({})",
                SetAsideReason::Corrupt.describe_plan(),
                one_line(reason, MAX_EXCERPT_CHARS)
            );
            push_divergence(
                out,
                snapshot,
                Code::CacheUnreadable,
                message,
                AdviceKind::TrueUpSession,
            );
            out.actions.push(Action::SetAside(SetAsideReason::Corrupt));
            out.actions.push(Action::ReplaceCache);
        }
        Reading::Unavailable(reason) => {
            let message = format!("⚠️ cache unreadable ({})", one_line(reason, MAX_EXCERPT_CHARS));
            // The caller that read the file knows its path and advises where to move it.
            let advice = AdviceKind::TrueUpSession;
            push_divergence(out, snapshot, Code::CacheUnreadable, message, advice);
        }
        Reading::Fresh(cache) => compare_fresh_cache(database, cache, snapshot, out),
    }
}

fn compare_fresh_cache(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    if let Some(lineage) = cache.lineage.as_ref().filter(|l| **l != database.lineage) {
        let message = format!(
            "⚠️ cache written for another database: file={}, db={}; {}",
            one_line(lineage.short(), MAX_EXCERPT_CHARS),
            one_line(database.lineage.short(), MAX_EXCERPT_CHARS),
            SetAsideReason::Foreign.describe_plan()
        );
        let detail = DivergenceDetail {
            expected: Some(one_line(&database.lineage.0, MAX_EXCERPT_CHARS)),
            found: Some(one_line(&lineage.0, MAX_EXCERPT_CHARS)),
            advice: AdviceKind::TrueUpSession,
        };
        push_divergence(out, snapshot, Code::CacheFromOtherDatabase, message, detail);
        let expected = database.expected_work_state();
        for (field, found) in list_differences(database, cache) {
            report_mismatch(database, field, &expected, found, snapshot, out);
        }
        out.actions.push(Action::SetAside(SetAsideReason::Foreign));
        out.actions.push(Action::ReplaceCache);
        return;
    }
    if let Some(problem) = cache.stamp_problem {
        let message = format!("⚠️ cache written for another database: {problem}");
        let detail = DivergenceDetail {
            expected: None,
            found: Some(problem.to_owned()),
            advice: AdviceKind::TrueUpSession,
        };
        push_divergence(out, snapshot, Code::CacheFromOtherDatabase, message, detail);
    }
    if cache.session.as_ref().is_some_and(|session| *session != snapshot.session) {
        replace_leftover_cache(database, cache, snapshot, out);
    } else if cache.is_ahead_of(database) {
        adopt_older_database(database, cache, snapshot, out);
    } else {
        compare_fields(database, cache, snapshot, out);
    }
}

/// Handles a file from a later state than the database: the database was restored from a backup, or
/// the stamp was changed by hand. The database is still authoritative. The values of the file go to
/// the journal, edited or not, because nothing else has them.
fn adopt_older_database(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let found = cache.revision.unwrap_or(database.revision);
    let message = format!(
        "⚠️ cache written for another database: file is at revision {found}, db at {} \
         (restored from a backup?)",
        database.revision
    );
    let detail = DivergenceDetail {
        expected: Some(database.revision.to_string()),
        found: Some(found.to_string()),
        advice: AdviceKind::TrueUpSession,
    };
    push_divergence(out, snapshot, Code::CacheFromOtherDatabase, message, detail);
    let expected = database.expected_work_state();
    let mut rejected = BTreeMap::new();
    for (field, found) in list_differences(database, cache) {
        report_mismatch(database, field, &expected, found, snapshot, out);
        rejected.insert(field, found.clone());
    }
    report_malformed_fields(database, cache, snapshot, out);
    let reason = RejectionReason::OlderDatabaseAdopted;
    journal_rejected_edit(database, cache, snapshot, reason, rejected, out);
    out.actions.push(Action::ReplaceCache);
}

/// Handles a file of another session. What trueup wrote into it is in the database, so only edits
/// that were never pushed would be lost. From a file without a stamp, or one from a later state
/// than the database has of that session, every value would be lost.
fn replace_leftover_cache(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let ahead = cache.is_ahead_of_owner();
    let is_lost = |field: StateField| {
        ahead
            || cache.unknown_to_database.contains(&field)
            || (cache.edited.contains(&field) || !cache.is_stamped())
                && (field != StateField::Item || cache.stamp_problem.is_some())
    };
    let rejected: BTreeMap<StateField, FieldValue> = cache
        .fields
        .iter()
        .filter(|(field, _)| is_lost(**field))
        .map(|(field, value)| (*field, value.clone()))
        .collect();
    let reason = if ahead || !cache.unknown_to_database.is_empty() {
        RejectionReason::OlderDatabaseAdopted
    } else {
        rejection_reason(cache)
    };
    journal_rejected_edit(database, cache, snapshot, reason, rejected, out);
    out.actions.push(Action::ReplaceCache);
}

fn rejection_reason(cache: &CacheReading) -> RejectionReason {
    if cache.stamp_problem.is_some() {
        RejectionReason::AlteredStamp
    } else if cache.is_stamped() {
        RejectionReason::DatabaseMovedOn
    } else {
        RejectionReason::UnstampedCache
    }
}

fn list_differences<'c>(
    database: &DatabaseReading,
    cache: &'c CacheReading,
) -> Vec<(StateField, &'c FieldValue)> {
    let expected = database.expected_work_state();
    cache
        .fields
        .iter()
        .filter(|(field, found)| expected.get(**field) != **found)
        .map(|(field, found)| (*field, found))
        .collect()
}

fn compare_fields(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let expected = database.expected_work_state();
    let same_revision = cache.is_stamped() && cache.revision == Some(database.revision);
    let on_current = same_revision && cache.session.as_ref() == Some(&snapshot.session);
    // With equal revisions and no edit, the file is from a time that a restored database never had.
    // Whether work is active also depends on who holds the item now.
    let predates_restore = |field| {
        same_revision
            && !database.may_lack_changes
            && (field != StateField::IsActive || database.claim.is_some())
    };
    let mut proposal = BTreeMap::new();
    let mut rejected = BTreeMap::new();
    let mut reason = rejection_reason(cache);
    let mut mismatch = false;
    for (field, found) in list_differences(database, cache) {
        let edited = cache.edited.contains(&field);
        let may_propose = authority::of_state_field(field) == Authority::DatabaseByProposal;
        if may_propose && edited && on_current && is_proposable(found) {
            let message = format!(
                "local edit not yet pushed: {} {} -> {}",
                field.key(),
                render_quoted(&expected.get(field)),
                render_quoted(found)
            );
            let detail = DivergenceDetail {
                expected: Some(render_plain(&expected.get(field))),
                found: Some(render_plain(found)),
                advice: AdviceKind::TrueUpSession,
            };
            push_divergence(out, snapshot, Code::EditNotPushed, message, detail);
            proposal.insert(field, found.clone());
            continue;
        }
        mismatch = true;
        report_mismatch(database, field, &expected, found, snapshot, out);
        if cache.stamp_problem.is_some() || may_propose && (edited || !cache.is_stamped()) {
            rejected.insert(field, found.clone());
        } else if may_propose
            && (predates_restore(field) || cache.unknown_to_database.contains(&field))
        {
            rejected.insert(field, found.clone());
            reason = RejectionReason::OlderDatabaseAdopted;
        }
    }
    mismatch |= report_malformed_fields(database, cache, snapshot, out);
    journal_rejected_edit(database, cache, snapshot, reason, rejected, out);
    let proposes = !proposal.is_empty();
    if proposes {
        out.actions.push(Action::Push(Proposal { base: database.revision, changes: proposal }));
    }
    if proposes || mismatch || is_incomplete(database, cache, snapshot) {
        out.actions.push(Action::ReplaceCache);
    }
}

/// Reports fields that cannot be read. They are never pushed, but they hide the database's value.
/// Returns whether there is one.
fn report_malformed_fields(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) -> bool {
    let expected = database.expected_work_state();
    let nothing = FieldValue::Text(None);
    let mut found = false;
    for field in &cache.malformed {
        let expected_value = expected.get(*field);
        if expected_value != nothing && expected_value != FieldValue::Flag(false) {
            found = true;
            report_mismatch(database, *field, &expected, &nothing, snapshot, out);
        }
    }
    found
}

/// Returns whether the file has to be written although nothing in it is wrong.
fn is_incomplete(database: &DatabaseReading, cache: &CacheReading, snapshot: &Snapshot) -> bool {
    cache.revision != Some(database.revision)
        || cache.lineage.is_none()
        || cache.session.as_ref() != Some(&snapshot.session)
        || cache.fields.len() < StateField::ALL.len()
        || snapshot.branch.as_ref().is_some_and(|b| cache.branch.as_deref() != Some(&b.name))
        // An edit undone by hand differs from its digest, but not from the database.
        || !cache.edited.is_empty()
        || cache.stamp_problem.is_some()
}

fn is_proposable(value: &FieldValue) -> bool {
    match value {
        FieldValue::Flag(_) | FieldValue::Text(None) => true,
        FieldValue::Text(Some(text)) => text.chars().nth(MAX_PROPOSAL_CHARS).is_none(),
    }
}

fn journal_rejected_edit(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    reason: RejectionReason,
    fields: BTreeMap<StateField, FieldValue>,
    out: &mut Reconciliation,
) {
    if fields.is_empty() {
        return;
    }
    let rejected = RejectedEdit {
        session: cache.session.clone().unwrap_or_else(|| snapshot.session.clone()),
        reason,
        base: cache.revision,
        database: database.revision,
        fields,
    };
    // The values of an unstamped file are kept, but they are far more often old state than an edit.
    if reason != RejectionReason::UnstampedCache {
        let (id, message) = (rejected.id(), rejected.render_planned_line());
        let detail = DivergenceDetail {
            expected: Some(database.revision.to_string()),
            found: rejected.base.map(|r| r.to_string()),
            advice: AdviceKind::RestoreEdit { entry: id },
        };
        push_divergence(out, snapshot, Code::EditRejected, message, detail);
    }
    out.actions.push(Action::Journal(rejected));
}
