//! Lines of S-07 to S-11, byte for byte: the file itself, and edits of it.

use super::super::{Action, Reading, RejectedEdit, RejectionReason, SetAsideReason, Snapshot};
use super::case::{base_snapshot, cache_mut, edit_cache, expect_divergences, text_value};
use crate::diagnostic::Code;
use crate::model::{FieldValue, Lineage, Revision, StateField};

#[test]
fn s_07_the_cache_is_missing() {
    let line = "cache missing; it is written from the database";
    let actions = expect_divergences(|s| s.cache = Reading::Missing, &[(Code::CacheMissing, line)]);
    assert_eq!(actions, [Action::ReplaceCache]);
}

#[test]
fn s_08_the_cache_is_unreadable() {
    let line = "⚠️ cache unreadable; will be kept aside as *.corrupt-<time> (line 1 column 2)";
    let corrupt = |s: &mut Snapshot| s.cache = Reading::Corrupt("line 1\ncolumn 2".to_owned());
    let actions = expect_divergences(corrupt, &[(Code::CacheUnreadable, line)]);
    assert_eq!(actions, [Action::SetAside(SetAsideReason::Corrupt), Action::ReplaceCache]);
    let line = "⚠️ cache unreadable (permission denied)";
    let denied = |s: &mut Snapshot| s.cache = Reading::Unavailable("permission denied".to_owned());
    assert_eq!(expect_divergences(denied, &[(Code::CacheUnreadable, line)]), []);
}

#[test]
fn s_09_the_cache_is_of_another_database_or_newer_than_this_one() {
    let line = "⚠️ cache written for another database: file=99998888, db=11112222; will be kept \
                aside as *.foreign-<time>";
    let foreign =
        |s: &mut Snapshot| cache_mut(s).lineage = Some(Lineage("99998888-bbbb".to_owned()));
    let actions = expect_divergences(foreign, &[(Code::CacheFromOtherDatabase, line)]);
    assert_eq!(actions, [Action::SetAside(SetAsideReason::Foreign), Action::ReplaceCache]);
    let line = "⚠️ cache written for another database: file is at revision 8, db at 7 \
                (restored from a backup?)";
    let newer = |s: &mut Snapshot| cache_mut(s).revision = Some(Revision(8));
    assert_eq!(
        expect_divergences(newer, &[(Code::CacheFromOtherDatabase, line)]),
        [Action::ReplaceCache]
    );
}

#[test]
fn s_09_hides_nothing_and_what_the_file_held_is_kept() {
    let lost = RejectedEdit {
        session: base_snapshot().session,
        reason: RejectionReason::OlderDatabaseAdopted,
        base: Some(Revision(99_999)),
        database: Revision(7),
        fields: [
            (StateField::Item, text_value("SD-002B")),
            (StateField::Phase, text_value("EXEC")),
        ]
        .into(),
    };
    let kept = format!(
        "⚠️ local edit lost to a newer database state, will be kept in the journal as {} \
         (currentSd, currentPhase)",
        lost.id()
    );
    let line = "⚠️ cache written for another database: file is at revision 99999, db at 7 \
                (restored from a backup?)";
    let change = |s: &mut Snapshot| {
        edit_cache(s, StateField::Item, text_value("SD-002B"));
        // Not an edit: what trueup wrote from a state that a restored database does not have.
        cache_mut(s).fields.insert(StateField::Phase, text_value("EXEC"));
        cache_mut(s).revision = Some(Revision(99_999));
    };
    let lines = [
        (Code::ItemDiffersFromClaim, "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C"),
        (Code::PhaseDiffers, "⚠️ Phase mismatch: file=EXEC, db=PLAN"),
        (Code::CacheFromOtherDatabase, line),
        (Code::EditRejected, &kept),
    ];
    assert_eq!(expect_divergences(change, &lines), [Action::Journal(lost), Action::ReplaceCache]);
}

#[test]
fn s_09_a_stamp_that_is_not_whole() {
    let problem = "_trueup.digest is missing";
    let line = format!("⚠️ cache written for another database: {problem}");
    let change = |s: &mut Snapshot| cache_mut(s).stamp_problem = Some(problem);
    assert_eq!(
        expect_divergences(change, &[(Code::CacheFromOtherDatabase, &line)]),
        [Action::ReplaceCache]
    );
}

#[test]
fn a_state_of_the_same_revision_that_the_database_never_had_is_kept() {
    let lost = RejectedEdit {
        session: base_snapshot().session,
        reason: RejectionReason::OlderDatabaseAdopted,
        base: Some(Revision(7)),
        database: Revision(7),
        fields: [(StateField::Phase, text_value("EXEC"))].into(),
    };
    let kept = format!(
        "⚠️ local edit lost to a newer database state, will be kept in the journal as {} (currentPhase)",
        lost.id()
    );
    let change = |s: &mut Snapshot| {
        cache_mut(s).fields.insert(StateField::Phase, text_value("EXEC"));
    };
    let mismatch = (Code::PhaseDiffers, "⚠️ Phase mismatch: file=EXEC, db=PLAN");
    assert_eq!(
        expect_divergences(change, &[mismatch, (Code::EditRejected, &kept)]),
        [Action::Journal(lost), Action::ReplaceCache]
    );
}

#[test]
fn s_10_a_local_edit_waits() {
    let lines = [
        (Code::EditNotPushed, "local edit not yet pushed: currentPhase PLAN -> EXEC"),
        (Code::EditNotPushed, "local edit not yet pushed: autoProceed false -> true"),
    ];
    let quoted = lines[0].1.replace("PLAN", "\"PLAN\"").replace("EXEC", "\"EXEC\"");
    let change = |s: &mut Snapshot| {
        edit_cache(s, StateField::Phase, text_value("EXEC"));
        edit_cache(s, StateField::AutoProceed, FieldValue::Flag(true));
    };
    let actions = expect_divergences(change, &[(Code::EditNotPushed, &quoted), lines[1]]);
    assert!(
        matches!(&actions[..], [Action::Push(p), Action::ReplaceCache] if p.changes.len() == 2)
    );
}

#[test]
fn s_11_a_local_edit_lost() {
    let lost = RejectedEdit {
        session: base_snapshot().session,
        reason: RejectionReason::DatabaseMovedOn,
        base: Some(Revision(6)),
        database: Revision(7),
        fields: [(StateField::Phase, text_value("EXEC"))].into(),
    };
    let line = format!(
        "⚠️ local edit lost to a newer database state, will be kept in the journal as {} (currentPhase)",
        lost.id()
    );
    let change = |s: &mut Snapshot| {
        edit_cache(s, StateField::Phase, text_value("EXEC"));
        cache_mut(s).revision = Some(Revision(6));
    };
    let mismatch = "⚠️ Phase mismatch: file=EXEC, db=PLAN";
    let actions =
        expect_divergences(change, &[(Code::PhaseDiffers, mismatch), (Code::EditRejected, &line)]);
    assert_eq!(actions, [Action::Journal(lost), Action::ReplaceCache]);
}
