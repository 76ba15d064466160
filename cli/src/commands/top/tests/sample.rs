//! An overview to look at.

use serde_json::json;
use trueup_core::model::{Event, ItemStatus, LivenessState, Revision, Timestamp};
use trueup_core::overview::{
    ItemCounts, Need, NeedAction, NeedKind, Overview, OverviewCounts, SessionCounts, WorkRow,
};

use crate::commands::top::messages::Reading;

/// The present of these tests, in seconds.
const NOW: i64 = 1_780_000_000;

pub(super) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_millis((NOW - seconds) * 1_000)
}

pub(super) fn need(id: &str, seconds: i64, line: &str) -> Need {
    Need {
        id: format!("stale_claim:{id}"),
        kind: NeedKind::StaleClaim,
        since: ago(seconds),
        session_id: Some("0a1b2c3d-4e5f".parse().unwrap()),
        item: Some(id.parse().unwrap()),
        repo: Some("karematch".to_owned()),
        host: Some("build-7".to_owned()),
        line: line.to_owned(),
        command: Some(format!("trueup release {id} --session 0a1b2c3d-4e5f")),
        why: None,
        actions: vec![NeedAction::Release],
    }
}

pub(super) fn work(key: &str, status: ItemStatus, phase: Option<&str>, title: &str) -> WorkRow {
    WorkRow {
        key: key.parse().unwrap(),
        title: Some(title.to_owned()),
        kind: "task".to_owned(),
        status,
        phase: phase.map(str::to_owned),
        repo: Some("karematch".to_owned()),
        parent: None,
        position: None,
        holder: None,
        host: None,
        branch: None,
        heartbeat_at: None,
        alive: None,
        lease_expires_at: None,
        epoch: serde_json::from_value(json!(3)).unwrap(),
        acknowledged: None,
        revision: None,
        blocked_by: Vec::new(),
        blocks: Vec::new(),
        error_message: None,
        why: None,
        command: format!("trueup claim {key}"),
    }
}

pub(super) fn held(row: WorkRow, holder: &str, seen: i64) -> WorkRow {
    WorkRow {
        holder: Some(holder.parse().unwrap()),
        host: Some("build-7".to_owned()),
        branch: Some(format!("feat/{}", row.key)),
        heartbeat_at: Some(ago(seen)),
        alive: Some(if seen < 900 { LivenessState::Alive } else { LivenessState::Unknown }),
        lease_expires_at: Some(ago(seen - 900)),
        acknowledged: Some(Revision(4)),
        revision: Some(Revision(if seen < 100 { 4 } else { 6 })),
        command: format!("trueup status --session {holder}"),
        ..row
    }
}

pub(super) fn event(seq: i64, key: &str, kind: &str) -> Event {
    Event {
        seq,
        at: ago(1_000 - seq * 10),
        actor: "0a1b2c3d-4e5f".to_owned(),
        entity: "item".to_owned(),
        key: key.to_owned(),
        kind: kind.to_owned(),
        before: json!(null),
        after: json!(null),
        epoch: None,
        reason: None,
        op_id: None,
        via: None,
    }
}

pub(super) fn overview(needs_me: Vec<Need>, work: Vec<WorkRow>) -> Overview {
    Overview {
        seq: 12,
        as_of: ago(0),
        counts: OverviewCounts {
            machines: 3,
            sessions: SessionCounts { live: 9, waiting: 2, stale: 1, dead: 0 },
            items: ItemCounts { ready: 4, held: 9, done_today: 12 },
            events_per_minute: 41.0,
            needs_me: needs_me.len(),
        },
        needs_me,
        work,
        sessions: Vec::new(),
    }
}

/// A morning of a small team.
pub(super) fn morning() -> Overview {
    let waiting = WorkRow {
        blocked_by: vec!["SD-002A".parse().unwrap()],
        ..work("SD-002C", ItemStatus::Queued, None, "Sync on start")
    };
    let blocked = WorkRow {
        error_message: Some("no credentials for the registry".to_owned()),
        ..work("SD-007", ItemStatus::Blocked, Some("EXEC"), "Publish")
    };
    overview(
        vec![
            need(
                "SD-004",
                4_000,
                "SD-004 is held by session 0a1b2c3d on build-7, whose lease is over",
            ),
            need(
                "SD-005",
                240,
                "SD-005 is held by session 99aabbcc on build-9, whose lease is over",
            ),
        ],
        vec![
            held(
                work("SD-002A", ItemStatus::Running, Some("EXEC"), "Read the state"),
                "s-alpha-0123",
                12,
            ),
            held(
                work("SD-004", ItemStatus::Running, Some("PLAN"), "漢字 and a 👩‍💻 title"),
                "0a1b2c3d-4e5f",
                4_900,
            ),
            waiting,
            blocked,
            work("SD-001", ItemStatus::Completed, Some("EXEC"), "Set up"),
        ],
    )
}

pub(super) fn reading(overview: Overview, events: Vec<Event>) -> Reading {
    Reading { overview, events }
}
