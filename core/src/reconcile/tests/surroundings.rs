//! Lines of S-12 to S-15, byte for byte: database, claim, peers and outbox.

use super::super::{Action, LostClaim, PeerSession, Reading, Snapshot};
use super::case::{cache_mut, database_mut, expect_divergences};
use crate::diagnostic::{Code, Severity};
use crate::model::Timestamp;

#[test]
fn s_12_the_database_is_unreachable() {
    let away = |s: &mut Snapshot| s.database = Reading::Unavailable("disk full".to_owned());
    let known = |s: &mut Snapshot| {
        away(s);
        cache_mut(s).synced_at = Some(Timestamp::from_millis(s.now.as_millis() - 42_999));
    };
    let start = "⚠️ database unreachable; ";
    for (change, rest) in [
        (&known as &dyn Fn(&mut Snapshot), "cache used, 42 s old"),
        (&away, "cache used, of unknown age"),
        (&|s| (away(s), s.cache = Reading::Missing).1, "no cache available"),
    ] {
        assert_eq!(
            expect_divergences(
                change,
                &[(Code::DatabaseUnreachable, &format!("{start}{rest} (disk full)"))]
            ),
            []
        );
    }
    let line = "⚠️ database unreachable; cache used, of unknown age (there is no database yet)";
    expect_divergences(|s| s.database = Reading::Missing, &[(Code::DatabaseUnreachable, line)]);
}

#[test]
fn s_13_the_claim_is_anothers() {
    let change = |s: &mut Snapshot| {
        database_mut(s).claim = None;
        database_mut(s).lost_claim = Some(LostClaim {
            item: "SD-002C".parse().unwrap(),
            holder: Some("99-other".parse().unwrap()),
            is_finished: false,
            since: Some("2026-02-02T02:59:00Z".parse().unwrap()),
        });
    };
    let lines = [
        (Code::ItemDiffersFromState, "⚠️ SD mismatch: file=SD-002C, db_state=none"),
        (Code::FlagDiffers, "⚠️ Flag mismatch: isActive: file=true, db=false"),
        (
            Code::ClaimTakenAway,
            "⚠️ claim on SD-002C now belongs to 99-other since 2026-02-02T02:59:00.000Z",
        ),
    ];
    assert_eq!(expect_divergences(change, &lines), [Action::ReplaceCache]);
}

#[test]
fn s_14_another_live_session_works_here() {
    let peer = |id: &str, item: Option<&str>| PeerSession {
        session: id.parse().unwrap(),
        item: item.map(|i| i.parse().unwrap()),
    };
    let start = "⚠️ another live session works in this worktree: ";
    for (peers, rest) in [
        (vec![peer("p1", None)], "p1"),
        (vec![peer("p1", Some("SD-9"))], "p1, on SD-9"),
        (vec![peer("p1", None), peer("p2", None)], "p1 and 1 more"),
    ] {
        expect_divergences(
            |s| s.peers = peers,
            &[(Code::WorktreeShared, &format!("{start}{rest}"))],
        );
    }
}

#[test]
fn s_15_writes_wait() {
    let change = |s: &mut Snapshot| {
        s.outbox.waiting = 3;
        s.outbox.oldest_at = Some("2026-02-02T02:59:00Z".parse().unwrap());
    };
    let line = "⚠️ 3 writes wait in the outbox, oldest 2026-02-02T02:59:00.000Z";
    expect_divergences(change, &[(Code::WritesWaiting, line)]);
}

#[test]
fn findings_and_warnings_are_those_of_the_contract() {
    let of = |severity| {
        [
            Code::ItemDiffersFromClaim,
            Code::ItemDiffersFromState,
            Code::PhaseDiffers,
            Code::TaskDiffers,
            Code::BranchNamesOtherItem,
            Code::FlagDiffers,
            Code::CacheMissing,
            Code::CacheUnreadable,
            Code::CacheFromOtherDatabase,
            Code::EditNotPushed,
            Code::EditRejected,
            Code::DatabaseUnreachable,
            Code::ClaimTakenAway,
            Code::WorktreeShared,
            Code::WritesWaiting,
        ]
        .into_iter()
        .filter(|code| code.severity() == severity)
        .map(|code| code.as_str()[2..].parse::<u8>().unwrap())
        .collect::<Vec<_>>()
    };
    assert_eq!(of(Severity::Error), [1, 2, 3, 4, 5, 6, 8, 9, 11, 13]);
    assert_eq!(of(Severity::Warning), [12, 14, 15]);
    assert_eq!(of(Severity::Info), [7, 10]);
}
