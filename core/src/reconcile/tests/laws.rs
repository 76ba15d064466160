//! The laws of architecture, section 4.

use proptest::prelude::*;

use super::super::{Action, CacheReading, DatabaseReading, Reading, RejectionReason, Snapshot};
use super::generate::{any_policy, any_snapshot};
use super::world::World;
use crate::diagnostic::Code;
use crate::model::{FieldValue, StateField};

/// The divergences that may remain after the actions: the branch, the claim and the surroundings, which no
/// action fixes.
const NOT_OF_THE_CACHE: [Code; 5] = [
    Code::BranchNamesOtherItem,
    Code::DatabaseUnreachable,
    Code::ClaimTakenAway,
    Code::WorktreeShared,
    Code::WritesWaiting,
];

fn fresh_readings(snapshot: &Snapshot) -> Option<(&DatabaseReading, &CacheReading)> {
    match (&snapshot.database, &snapshot.cache) {
        (Reading::Fresh(database), Reading::Fresh(cache)) => Some((database, cache)),
        _ => None,
    }
}

fn is_asked(snapshot: &Snapshot) -> bool {
    matches!(snapshot.database, Reading::Fresh(_))
}

/// Returns the actions before the cache is written, when it is.
fn before_replacing(actions: &[Action]) -> Option<&[Action]> {
    let at = actions.iter().position(|a| *a == Action::ReplaceCache)?;
    actions.get(..at)
}

fn keeps_value(action: &Action, field: StateField, value: &FieldValue) -> bool {
    match action {
        Action::Push(proposal) => proposal.changes.get(&field) == Some(value),
        Action::Journal(lost) => lost.fields.get(&field) == Some(value),
        Action::SetAside(_) => true,
        Action::ReplaceCache => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applying_the_actions_leaves_no_divergence_of_the_cache(s in any_snapshot(), p in any_policy()) {
        let world = World::from_snapshot(s);
        let first = world.reconcile(p);
        if world.is_held(p) {
            prop_assert!(first.actions.is_empty(), "{:?}", first.actions);
            return Ok(());
        }
        let after = world.apply_all(&first.actions);
        let second = after.reconcile(p);
        prop_assert!(second.actions.is_empty(), "{:?}", second.actions);
        for divergence in &second.divergences {
            prop_assert!(NOT_OF_THE_CACHE.contains(&divergence.code), "{divergence:?}");
        }
        let Some((database, cache)) = fresh_readings(&after.snapshot) else {
            return Err(TestCaseError::fail("there is no cache"));
        };
        // The stamp too: the next edit must be a proposal on the present revision.
        prop_assert_eq!(cache.revision, Some(database.revision));
        prop_assert_eq!(cache.lineage.as_ref(), Some(&database.lineage));
        prop_assert_eq!(cache.session.as_ref(), Some(&after.snapshot.session));
        prop_assert!(cache.edited.is_empty());
        let shown = database.expected_work_state();
        for field in StateField::ALL {
            prop_assert_eq!(cache.fields.get(&field), Some(&shown.get(field)));
        }
    }

    #[test]
    fn twice_is_once(s in any_snapshot(), p in any_policy()) {
        let world = World::from_snapshot(s);
        let actions = world.reconcile(p).actions;
        let once = world.apply_all(&actions);
        let twice = once.apply_all(&actions);
        prop_assert_eq!(&twice.snapshot, &once.snapshot);
        prop_assert_eq!(&twice.journal, &once.journal);
        prop_assert_eq!(twice.aside.first(), once.aside.first());
        // A list that breaks off anywhere is completed by the next run.
        for cut in 0..actions.len() {
            let broken = world.apply_all(&actions[..cut]);
            let rest = broken.reconcile(p).actions;
            let fixed = broken.apply_all(&rest);
            prop_assert!(fixed.reconcile(p).actions.is_empty() || world.is_held(p));
        }
    }

    #[test]
    fn the_same_input_gives_the_same_output_in_the_order_of_the_catalogue(
        s in any_snapshot(), p in any_policy(),
    ) {
        let world = World::from_snapshot(s);
        let found = world.reconcile(p);
        prop_assert_eq!(&found, &world.clone().reconcile(p));
        prop_assert!(found.divergences.is_sorted_by_key(|d| d.code));
    }

    #[test]
    fn the_database_receives_only_proposals_on_its_current_revision(
        s in any_snapshot(), p in any_policy(),
    ) {
        let actions = World::from_snapshot(s.clone()).reconcile(p).actions;
        let pushes: Vec<_> = actions.iter().filter_map(|a| match a {
            Action::Push(proposal) => Some(proposal),
            _ => None,
        }).collect();
        prop_assert!(pushes.len() < 2);
        for proposal in pushes {
            let Some((database, cache)) = fresh_readings(&s) else {
                return Err(TestCaseError::fail("pushed without both readings"));
            };
            prop_assert_eq!(proposal.base, database.revision);
            prop_assert_eq!(cache.revision, Some(database.revision));
            prop_assert_eq!(cache.lineage.as_ref(), Some(&database.lineage));
            prop_assert_eq!(cache.session.as_ref(), Some(&s.session));
            prop_assert!(!proposal.changes.is_empty());
            for (field, value) in &proposal.changes {
                prop_assert!(*field != StateField::Item && cache.edited.contains(field));
                prop_assert_eq!(cache.fields.get(field), Some(value));
            }
        }
    }

    #[test]
    fn a_proposal_on_the_current_revision_is_not_held_back(s in any_snapshot(), p in any_policy()) {
        let Some((database, cache)) = fresh_readings(&s) else { return Ok(()) };
        let ours = cache.lineage.as_ref() == Some(&database.lineage)
            && cache.session.as_ref() == Some(&s.session)
            && cache.revision == Some(database.revision);
        let shown = database.expected_work_state();
        let actions = World::from_snapshot(s.clone()).reconcile(p).actions;
        for (field, value) in &cache.fields {
            let long = matches!(value, FieldValue::Text(Some(t)) if t.chars().count() > 10_000);
            let edit = cache.edited.contains(field) && *value != shown.get(*field) && !long;
            if ours && edit && *field != StateField::Item {
                let pushed = actions.iter().any(
                    |a| matches!(a, Action::Push(x) if x.changes.get(field) == Some(value)));
                prop_assert!(pushed, "{field:?} in {actions:?}");
            }
        }
    }

    #[test]
    fn could_not_ask_is_never_no(s in any_snapshot(), p in any_policy()) {
        let found = World::from_snapshot(s.clone()).reconcile(p);
        if !is_asked(&s) {
            prop_assert!(found.actions.is_empty());
            prop_assert!(found.divergences.iter().any(|d| d.code == Code::DatabaseUnreachable));
        }
        if s.cache == Reading::Missing && !p.create_cache {
            prop_assert!(found.actions.is_empty());
        }
    }

    #[test]
    fn what_a_newer_cache_held_is_kept_before_an_older_reading_replaces_it(
        s in any_snapshot(), p in any_policy(),
    ) {
        let Some((database, cache)) = fresh_readings(&s) else { return Ok(()) };
        let ours = cache.session.as_ref().is_none_or(|owner| *owner == s.session);
        if !cache.is_ahead_of(database) || !ours && !cache.is_ahead_of_owner() {
            return Ok(());
        }
        let found = World::from_snapshot(s.clone()).reconcile(p);
        prop_assert!(!ours || found.divergences.iter().any(|d| d.code == Code::CacheFromOtherDatabase));
        let before = before_replacing(&found.actions);
        prop_assert!(before.is_some(), "{:?}", found.actions);
        for (field, value) in &cache.fields {
            if *value != database.expected_work_state().get(*field) {
                let kept = before.is_some_and(|b| b.iter().any(|a| keeps_value(a, *field, value)));
                prop_assert!(kept, "{field:?} {value:?} by {:?}", found.actions);
            }
        }
    }

    #[test]
    fn a_strange_stamp_is_a_finding_and_hides_none(s in any_snapshot(), p in any_policy()) {
        let Some((database, cache)) = fresh_readings(&s) else { return Ok(()) };
        let ours = cache.session.as_ref().is_none_or(|owner| *owner == s.session);
        let foreign = cache.lineage.as_ref().is_some_and(|l| *l != database.lineage);
        let strange = foreign || cache.stamp_problem.is_some() || ours && cache.is_ahead_of(database);
        let found = World::from_snapshot(s.clone()).reconcile(p).divergences;
        prop_assert!(!strange || found.iter().any(|d| d.code == Code::CacheFromOtherDatabase));
        // Each field that differs has its own line, or is on its way to the database.
        let shown = database.expected_work_state();
        let differs = |(field, value): &(&StateField, &FieldValue)| shown.get(**field) != **value;
        let lines = found.iter().filter(|d| matches!(
            d.code, Code::ItemDiffersFromClaim | Code::ItemDiffersFromState | Code::PhaseDiffers | Code::TaskDiffers | Code::FlagDiffers | Code::EditNotPushed,
        ));
        if ours || foreign {
            prop_assert!(lines.count() >= cache.fields.iter().filter(differs).count());
        }
    }

    #[test]
    fn nothing_edited_is_lost(s in any_snapshot(), p in any_policy()) {
        let world = World::from_snapshot(s.clone());
        let actions = world.reconcile(p).actions;
        let (Some((database, cache)), Some(before)) = (fresh_readings(&s), before_replacing(&actions))
            else { return Ok(()) };
        let other = cache.session.as_ref().is_some_and(|owner| *owner != s.session);
        let after = world.apply_all(&actions);
        let Some((_, shown)) = fresh_readings(&after.snapshot) else {
            return Err(TestCaseError::fail("there is no cache"));
        };
        let newer = cache.is_ahead_of(database);
        for (field, value) in cache.fields.iter().filter(|(f, _)| **f != StateField::Item) {
            // A file without a stamp cannot tell an edit from old state: all of it is kept.
            let edited = cache.edited.contains(field) || (!other && (!cache.is_stamped() || newer));
            if edited && shown.fields.get(field) != Some(value) {
                let kept = before.iter().any(|action| keeps_value(action, *field, value));
                prop_assert!(kept, "{field:?} {value:?} by {actions:?}");
            }
        }
    }

    #[test]
    fn an_unreadable_or_foreign_file_is_kept_before_it_is_replaced(s in any_snapshot(), p in any_policy()) {
        let world = World::from_snapshot(s.clone());
        let actions = world.reconcile(p).actions;
        let strange = match fresh_readings(&s) {
            Some((database, cache)) => {
                cache.lineage.as_ref().is_some_and(|l| *l != database.lineage)
            }
            None => matches!(s.cache, Reading::Corrupt(_)) && is_asked(&s),
        };
        let aside = world.apply_all(&actions).aside;
        prop_assert_eq!(aside.len(), usize::from(strange));
        prop_assert!(aside.iter().all(|(_, kept)| *kept == s.cache));
    }

    #[test]
    fn what_the_journal_keeps_is_something_and_its_line_names_it(s in any_snapshot(), p in any_policy()) {
        let found = World::from_snapshot(s).reconcile(p);
        let mut named = 0;
        for action in &found.actions {
            let Action::Journal(lost) = action else { continue };
            prop_assert!(!lost.fields.is_empty());
            // Which item a session holds is nobody's edit, unless nothing else has it.
            let item = lost.fields.contains_key(&StateField::Item);
            let alone = [RejectionReason::OlderDatabaseAdopted, RejectionReason::AlteredStamp];
            prop_assert!(!item || alone.contains(&lost.reason));
            if lost.reason != RejectionReason::UnstampedCache {
                named += 1;
                let id = lost.id();
                let line = found.divergences.iter().find(|d| d.code == Code::EditRejected);
                prop_assert!(line.is_some_and(|d| d.message.contains(&id)));
            }
        }
        prop_assert_eq!(found.divergences.iter().filter(|d| d.code == Code::EditRejected).count(), named);
    }

    #[test]
    fn every_line_is_one_clean_line(s in any_snapshot(), p in any_policy()) {
        for divergence in World::from_snapshot(s).reconcile(p).divergences {
            let texts = [
                Some(divergence.message), divergence.expected, divergence.found, Some(divergence.advice.to_string()),
            ];
            for text in texts.into_iter().flatten() {
                prop_assert_eq!(crate::text::one_line(&text, 1_000), text.trim_end());
            }
        }
    }

    #[test]
    fn a_command_offered_runs_nothing_else(s in any_snapshot(), p in any_policy()) {
        for found in World::from_snapshot(s).reconcile(p).divergences {
            prop_assert!(found.advice.kind().row().codes().contains(&found.code), "{found:?}");
            let fix = found.advice.command().to_string();
            let bare = fix.replace(" && ", " ").chars().all(|c| c.is_ascii_alphanumeric() || " -_./:#@+=,%'".contains(c));
            prop_assert!(bare, "{fix:?}");
        }
    }
}
