//! The rules, each a function over the snapshot: what differs between cache and database.

use std::collections::BTreeMap;

use super::Reconciliation;
use super::action::{Action, Aside, Lost, LostReason, Proposal};
use super::advice::Way;
use super::divergence::Code;
use super::lines::{EXCERPT, mismatch_line, plain, push, show};
use super::snapshot::{CacheReading, DatabaseReading, Policy, Reading, Snapshot};
use super::surroundings::{branch_and_claim, surroundings, unreachable_database};
use crate::authority::{self, Authority};
use crate::model::{Field, Value};
use crate::text::one_line;

/// Longest text a proposal may carry, in characters; a longer one is kept in the journal.
const LONGEST_PROPOSAL: usize = 10_000;

/// Decides what differs and what mends it.
pub fn reconcile(snapshot: &Snapshot, policy: Policy) -> Reconciliation {
    let mut out = Reconciliation::default();
    match &snapshot.database {
        Reading::Fresh(database) => {
            cache_against(database, snapshot, policy, &mut out);
            branch_and_claim(database, snapshot, &mut out);
        }
        Reading::Missing => {
            let reason = "there is no database yet";
            unreachable_database(reason, Way::CreateDatabase, snapshot, &mut out);
        }
        Reading::Corrupt(reason) => {
            unreachable_database(reason, Way::RestoreDatabase, snapshot, &mut out);
        }
        Reading::Unavailable(reason) => {
            unreachable_database(reason, Way::EndTrouble, snapshot, &mut out);
        }
    }
    surroundings(snapshot, &mut out);
    out.divergences.sort_by_key(|divergence| divergence.code);
    out
}

fn cache_against(
    database: &DatabaseReading,
    snapshot: &Snapshot,
    policy: Policy,
    out: &mut Reconciliation,
) {
    match &snapshot.cache {
        Reading::Missing if policy.create_cache => {
            let message = "cache missing; it is written from the database".to_owned();
            push(
                out,
                snapshot,
                Code::S07,
                message,
                (None, None, Way::TrueUpSession),
            );
            out.actions.push(Action::ReplaceCache);
        }
        Reading::Missing => {}
        Reading::Corrupt(reason) => {
            let message = format!(
                "⚠️ cache unreadable; kept aside as *.corrupt-<time> ({})",
                one_line(reason, EXCERPT)
            );
            push(
                out,
                snapshot,
                Code::S08,
                message,
                (None, None, Way::TrueUpSession),
            );
            out.actions.push(Action::SetAside(Aside::Corrupt));
            out.actions.push(Action::ReplaceCache);
        }
        Reading::Unavailable(reason) => {
            let message = format!("⚠️ cache unreadable ({})", one_line(reason, EXCERPT));
            // What stands in its place is to be moved away: where that is, who read it knows.
            let detail = (None, None, Way::TrueUpSession);
            push(out, snapshot, Code::S08, message, detail);
        }
        Reading::Fresh(cache) => fresh_cache(database, cache, snapshot, out),
    }
}

fn fresh_cache(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    if let Some(lineage) = cache.lineage.as_ref().filter(|l| **l != database.lineage) {
        let message = format!(
            "⚠️ cache written for another database: file={}, db={}; kept aside as *.foreign-<time>",
            one_line(lineage.short(), EXCERPT),
            one_line(database.lineage.short(), EXCERPT)
        );
        let detail = (
            Some(one_line(&database.lineage.0, EXCERPT)),
            Some(one_line(&lineage.0, EXCERPT)),
            Way::TrueUpSession,
        );
        push(out, snapshot, Code::S09, message, detail);
        let expected = database.projection();
        for (field, found) in differing(database, cache) {
            mismatch_line(database, field, &expected, found, snapshot, out);
        }
        out.actions.push(Action::SetAside(Aside::Foreign));
        out.actions.push(Action::ReplaceCache);
        return;
    }
    if let Some(problem) = cache.stamp_problem {
        let message = format!("⚠️ cache written for another database: {problem}");
        let detail = (None, Some(problem.to_owned()), Way::TrueUpSession);
        push(out, snapshot, Code::S09, message, detail);
    }
    if cache
        .session
        .as_ref()
        .is_some_and(|session| *session != snapshot.session)
    {
        leftover(database, cache, snapshot, out);
    } else if cache.is_ahead_of(database) {
        ahead(database, cache, snapshot, out);
    } else {
        compare(database, cache, snapshot, out);
    }
}

/// A file of a later state than the database: one that was restored from a backup, or a stamp
/// changed by hand. The database is the truth all the same; what the file held goes to the
/// journal, edited or not, since nothing else has it.
fn ahead(
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
    let detail = (
        Some(database.revision.to_string()),
        Some(found.to_string()),
        Way::TrueUpSession,
    );
    push(out, snapshot, Code::S09, message, detail);
    let expected = database.projection();
    let mut lost = BTreeMap::new();
    for (field, found) in differing(database, cache) {
        mismatch_line(database, field, &expected, found, snapshot, out);
        lost.insert(field, found.clone());
    }
    malformed_lines(database, cache, snapshot, out);
    let reason = LostReason::OlderDatabaseAdopted;
    journal(database, cache, snapshot, reason, lost, out);
    out.actions.push(Action::ReplaceCache);
}

/// A file of a session that is gone: what trueup wrote is safe in the database, and only an
/// edit that was never pushed would be lost with it; of a file trueup never wrote, or one of a
/// later state than the database has of that session, all is.
fn leftover(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let ahead = cache.is_ahead_of_owner();
    let is_lost = |field: Field| {
        ahead
            || cache.unknown.contains(&field)
            || (cache.edited.contains(&field) || !cache.is_stamped())
                && (field != Field::Item || cache.stamp_problem.is_some())
    };
    let lost: BTreeMap<Field, Value> = cache
        .fields
        .iter()
        .filter(|(field, _)| is_lost(**field))
        .map(|(field, value)| (*field, value.clone()))
        .collect();
    let reason = if ahead || !cache.unknown.is_empty() {
        LostReason::OlderDatabaseAdopted
    } else {
        lost_reason(cache)
    };
    journal(database, cache, snapshot, reason, lost, out);
    out.actions.push(Action::ReplaceCache);
}

fn lost_reason(cache: &CacheReading) -> LostReason {
    if cache.stamp_problem.is_some() {
        LostReason::AlteredStamp
    } else if cache.is_stamped() {
        LostReason::DatabaseMovedOn
    } else {
        LostReason::UnstampedCache
    }
}

fn differing<'c>(database: &DatabaseReading, cache: &'c CacheReading) -> Vec<(Field, &'c Value)> {
    let expected = database.projection();
    cache
        .fields
        .iter()
        .filter(|(field, found)| expected.get(**field) != **found)
        .map(|(field, found)| (*field, found))
        .collect()
}

fn compare(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let expected = database.projection();
    let same_revision = cache.is_stamped() && cache.revision == Some(database.revision);
    let on_current = same_revision && cache.session.as_ref() == Some(&snapshot.session);
    // Both at one revision, and neither edited: the file is of a time that a restored database
    // never had. Whether work is active also follows from who holds the item now.
    let is_of_another_time =
        |field| same_revision && (field != Field::IsActive || database.claim.is_some());
    let mut proposal = BTreeMap::new();
    let mut lost = BTreeMap::new();
    let mut reason = lost_reason(cache);
    let mut mismatch = false;
    for (field, found) in differing(database, cache) {
        let edited = cache.edited.contains(&field);
        let may_propose = authority::of(field) == Authority::DatabaseByProposal;
        if may_propose && edited && on_current && is_acceptable(found) {
            let message = format!(
                "local edit not yet pushed: {} {} -> {}",
                field.key(),
                show(&expected.get(field)),
                show(found)
            );
            let detail = (
                Some(plain(&expected.get(field))),
                Some(plain(found)),
                Way::TrueUpSession,
            );
            push(out, snapshot, Code::S10, message, detail);
            proposal.insert(field, found.clone());
            continue;
        }
        mismatch = true;
        mismatch_line(database, field, &expected, found, snapshot, out);
        if cache.stamp_problem.is_some() || may_propose && (edited || !cache.is_stamped()) {
            lost.insert(field, found.clone());
        } else if may_propose && (is_of_another_time(field) || cache.unknown.contains(&field)) {
            lost.insert(field, found.clone());
            reason = LostReason::OlderDatabaseAdopted;
        }
    }
    mismatch |= malformed_lines(database, cache, snapshot, out);
    journal(database, cache, snapshot, reason, lost, out);
    let proposes = !proposal.is_empty();
    if proposes {
        out.actions.push(Action::Push(Proposal {
            base: database.revision,
            changes: proposal,
        }));
    }
    if proposes || mismatch || is_incomplete(database, cache, snapshot) {
        out.actions.push(Action::ReplaceCache);
    }
}

/// Names fields that make no sense: those are no proposals, but they hide what the database
/// says. Tells whether there is one.
fn malformed_lines(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) -> bool {
    let expected = database.projection();
    let nothing = Value::Text(None);
    let mut found = false;
    for field in &cache.malformed {
        let right = expected.get(*field);
        if right != nothing && right != Value::Flag(false) {
            found = true;
            mismatch_line(database, *field, &expected, &nothing, snapshot, out);
        }
    }
    found
}

/// Tells whether the file needs writing though nothing it says is wrong.
fn is_incomplete(database: &DatabaseReading, cache: &CacheReading, snapshot: &Snapshot) -> bool {
    cache.revision != Some(database.revision)
        || cache.lineage.is_none()
        || cache.session.as_ref() != Some(&snapshot.session)
        || cache.fields.len() < Field::ALL.len()
        || snapshot.branch.as_ref().is_some_and(|b| cache.branch.as_deref() != Some(&b.name))
        // An edit undone by hand differs from its digest though not from the database.
        || !cache.edited.is_empty()
        || cache.stamp_problem.is_some()
}

fn is_acceptable(value: &Value) -> bool {
    match value {
        Value::Flag(_) | Value::Text(None) => true,
        Value::Text(Some(text)) => text.chars().nth(LONGEST_PROPOSAL).is_none(),
    }
}

fn journal(
    database: &DatabaseReading,
    cache: &CacheReading,
    snapshot: &Snapshot,
    reason: LostReason,
    fields: BTreeMap<Field, Value>,
    out: &mut Reconciliation,
) {
    if fields.is_empty() {
        return;
    }
    let lost = Lost {
        session: cache
            .session
            .clone()
            .unwrap_or_else(|| snapshot.session.clone()),
        reason,
        base: cache.revision,
        database: database.revision,
        fields,
    };
    // What an unstamped file held is kept, but it is old state far more often than an edit.
    if reason != LostReason::UnstampedCache {
        let (id, message) = (lost.id(), lost.line());
        let detail = (
            Some(database.revision.to_string()),
            lost.base.map(|r| r.to_string()),
            Way::RestoreEdit { entry: id },
        );
        push(out, snapshot, Code::S11, message, detail);
    }
    out.actions.push(Action::Journal(lost));
}
