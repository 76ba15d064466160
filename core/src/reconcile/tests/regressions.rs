//! Cases that the laws once found broken, each by its name.

use super::super::{Action, Reading, RejectionReason};
use super::case::{HELD, base_snapshot, cache_mut, edit_cache};
use super::world::World;
use crate::diagnostic::Code;
use crate::model::{FieldValue, Revision, StateField};

#[test]
fn adopting_an_older_database_journals_nothing_when_nothing_differs() {
    let mut snapshot = base_snapshot();
    cache_mut(&mut snapshot).revision = Some(Revision(99));
    let found = World::from_snapshot(snapshot).reconcile(HELD);
    assert_eq!(found.actions, [Action::ReplaceCache]);
    assert_eq!(found.divergences.len(), 1);
}

#[test]
fn a_file_without_a_session_proposes_nothing() {
    let mut snapshot = base_snapshot();
    edit_cache(&mut snapshot, StateField::Phase, FieldValue::Text(Some("LEAD".to_owned())));
    cache_mut(&mut snapshot).session = None;
    let actions = World::from_snapshot(snapshot).reconcile(HELD).actions;
    assert!(matches!(&actions[0], Action::Journal(lost) if lost.fields.len() == 1));
    assert_eq!(actions[1..], [Action::ReplaceCache]);
}

#[test]
fn a_revision_without_a_lineage_holds_nothing_back() {
    let mut snapshot = base_snapshot();
    cache_mut(&mut snapshot).lineage = None;
    cache_mut(&mut snapshot).revision = Some(Revision(99));
    let phase = FieldValue::Text(Some("LEAD".to_owned()));
    cache_mut(&mut snapshot).fields.insert(StateField::Phase, phase);
    let found = World::from_snapshot(snapshot).reconcile(HELD);
    assert!(found.divergences.iter().all(|d| d.code != Code::CacheFromOtherDatabase));
    assert!(matches!(
        &found.actions[..],
        [Action::Journal(lost), Action::ReplaceCache] if lost.reason == RejectionReason::UnstampedCache
    ));
}

#[test]
fn a_later_state_of_a_session_that_is_gone_is_kept() {
    for (known, kept) in [(Some(9), false), (Some(8), false), (Some(3), true), (None, true)] {
        let mut snapshot = base_snapshot();
        let cache = cache_mut(&mut snapshot);
        cache.session = Some("gone".parse().unwrap());
        cache.revision = Some(Revision(8));
        cache.owner_revision = known.map(Revision);
        let actions = World::from_snapshot(snapshot).reconcile(HELD).actions;
        let journalled = matches!(&actions[0], Action::Journal(lost)
            if lost.session.as_str() == "gone" && lost.fields.len() == StateField::ALL.len());
        assert_eq!(journalled, kept, "{actions:?}");
        assert_eq!(actions.last(), Some(&Action::ReplaceCache));
    }
}

#[test]
fn a_text_too_long_to_propose_is_kept_in_the_journal() {
    let mut snapshot = base_snapshot();
    let longest = FieldValue::Text(Some("x".repeat(10_000)));
    edit_cache(&mut snapshot, StateField::Task, longest.clone());
    let actions = World::from_snapshot(snapshot.clone()).reconcile(HELD).actions;
    assert!(matches!(&actions[0], Action::Push(p) if p.changes[&StateField::Task] == longest));
    edit_cache(&mut snapshot, StateField::Task, FieldValue::Text(Some("x".repeat(10_001))));
    let actions = World::from_snapshot(snapshot).reconcile(HELD).actions;
    assert!(matches!(&actions[0], Action::Journal(_)), "{actions:?}");
}

#[test]
fn without_a_database_an_edit_stays_where_it_is() {
    let mut snapshot = base_snapshot();
    edit_cache(&mut snapshot, StateField::Phase, FieldValue::Text(None));
    snapshot.database = Reading::Unavailable("disk full".to_owned());
    assert_eq!(World::from_snapshot(snapshot).reconcile(HELD).actions, []);
}
