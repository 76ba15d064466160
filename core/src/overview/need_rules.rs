//! What needs a person, from what was read. One cause is one need.

use std::collections::BTreeSet;

use super::index::OverviewIndex;
use super::{Need, NeedAction, NeedKind, SessionState};
use crate::model::{
    Attention, AttentionKind, Handoff, Item, ItemKey, ItemStatus, Session, SessionId,
};
use crate::text::CommandLine;

/// Finds what needs a person, oldest first.
pub(super) fn find_needs(index: &OverviewIndex<'_>) -> Vec<Need> {
    // Who accepts a hand-off takes the item from whoever holds it, so it is the one thing to do.
    let handed_on: BTreeSet<&ItemKey> =
        index.handoffs_in_force().map(|handoff| &handoff.item).collect();
    let mut needs: Vec<Need> = index
        .handoffs_in_force()
        .filter(|handoff| !handoff.to.as_ref().is_some_and(|to| index.is_present(to)))
        .map(|handoff| open_handoff(handoff, index))
        .collect();
    let items = index.readings.rows.items.iter().filter(|item| !handed_on.contains(&item.key));
    needs.extend(items.filter_map(|item| unattended_item(item, index)));
    needs.extend(find_reported_needs(index));
    sort_oldest_first(&mut needs);
    needs
}

fn sort_oldest_first(needs: &mut [Need]) {
    needs.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
}

/// Returns what is the matter with an unfinished item whose session is away.
fn unattended_item(item: &Item, index: &OverviewIndex<'_>) -> Option<Need> {
    if item.status.is_finished() {
        return None;
    }
    let Some(holder) = &item.holder else {
        return interrupted_item(item, index);
    };
    let (session, state) = index.session(holder)?;
    match state {
        SessionState::Dead => Some(dead_holder(item, session, index)),
        SessionState::Stale => Some(silent_holder(item, session, index)),
        // Until the lease is over, the session may be resumed with its item.
        SessionState::Ended if session.is_lease_expired() => {
            Some(ended_holder(item, session, index))
        }
        SessionState::Live | SessionState::Waiting | SessionState::Ended => None,
    }
}

/// Returns the session that was lost with an item, if nobody has taken the item up since. What is in
/// the queue is offered to whoever asks next, and needs nobody.
fn interrupted_item(item: &Item, index: &OverviewIndex<'_>) -> Option<Need> {
    if item.status != ItemStatus::Running {
        return None;
    }
    let last = index.lost_session_of(&item.key)?;
    let need = Need {
        line: format!(
            "session {}{} was lost; its item {} is unfinished and free",
            short_id(&last.id),
            on_host(last),
            item.key
        ),
        command: Some(reopen_command(item).to_string()),
        actions: vec![NeedAction::Reopen],
        ..need_of_session(NeedKind::LostSession, last, item, index)
    };
    Some(need)
}

/// Returns the command that offers an item to whoever asks next.
fn reopen_command(item: &Item) -> CommandLine {
    CommandLine::new("trueup item reopen")
        .with_word(item.key.as_str())
        .with_words("--reason 'its session was lost'")
}

/// Returns the command that takes an item from a dead session and, if it was begun, offers it again.
fn free_command(item: &Item) -> String {
    let sweep = CommandLine::new("trueup sessions sweep");
    match item.status {
        ItemStatus::Running => sweep.and_then(&reopen_command(item)).to_string(),
        _ => sweep.to_string(),
    }
}

fn dead_holder(item: &Item, session: &Session, index: &OverviewIndex<'_>) -> Need {
    Need {
        line: format!(
            "session {}{} died while it held {}",
            short_id(&session.id),
            on_host(session),
            item.key
        ),
        command: Some(free_command(item)),
        actions: vec![NeedAction::Release],
        ..need_of_session(NeedKind::LostSession, session, item, index)
    }
}

fn silent_holder(item: &Item, session: &Session, index: &OverviewIndex<'_>) -> Need {
    let release = CommandLine::new("trueup release")
        .with_word(item.key.as_str())
        .with_words("--session")
        .with_word(session.id.as_str());
    Need {
        line: format!(
            "{} is held by session {}{}, whose lease is over and whose process cannot be checked",
            item.key,
            short_id(&session.id),
            on_host(session)
        ),
        command: Some(release.to_string()),
        actions: vec![NeedAction::Release],
        ..need_of_claim(session, item, index)
    }
}

fn ended_holder(item: &Item, session: &Session, index: &OverviewIndex<'_>) -> Need {
    Need {
        line: format!(
            "session {}{} ended and still holds {}",
            short_id(&session.id),
            on_host(session),
            item.key
        ),
        command: Some("trueup sessions sweep".to_owned()),
        actions: vec![NeedAction::Release],
        ..need_of_claim(session, item, index)
    }
}

/// Returns what hooks and commands reported, as far as it still matters.
fn find_reported_needs(index: &OverviewIndex<'_>) -> impl Iterator<Item = Need> {
    let reports = &index.readings.rows.attention;
    let refused: BTreeSet<&SessionId> = reports
        .iter()
        .filter(|report| report.kind == AttentionKind::GateRefusal)
        .filter_map(|report| report.session.as_ref())
        .collect();
    let matters = move |report: &&Attention| match (report.kind, &report.session) {
        // The refusal says what differs; who is gone hands nothing off and waits for nobody.
        (AttentionKind::Divergence, Some(session)) => {
            index.is_present(session) && !refused.contains(session)
        }
        (AttentionKind::WaitsForInput | AttentionKind::GateRefusal, Some(session)) => {
            index.is_present(session)
        }
        _ => true,
    };
    reports.iter().filter(matters).map(|report| reported_need(report, index))
}

fn reported_need(report: &Attention, index: &OverviewIndex<'_>) -> Need {
    let kind = NeedKind::from(report.kind);
    let (command, actions) = match &report.session {
        Some(session) if kind == NeedKind::JournalEntry && index.has_ended(session) => {
            (drop_command(report), vec![NeedAction::DropJournal])
        }
        _ => (report.command.clone(), kind.actions_for_reports()),
    };
    Need {
        id: report.id.to_string(),
        kind,
        since: report.raised_at,
        session_id: report.session.clone(),
        item: report.item.clone(),
        repo: report.repo.clone(),
        host: report.host.clone(),
        line: report.line.clone(),
        command,
        why: index.latest_event("attention", report.id.as_str()),
        actions,
    }
}

/// Returns the command for an edit of a session that has ended: nothing can be restored in it.
fn drop_command(report: &Attention) -> Option<String> {
    let (_, entry) = report.id.as_str().split_once(':')?;
    let drop = CommandLine::new("trueup journal drop").with_word(entry).with_words("--yes");
    Some(drop.to_string())
}

fn open_handoff(handoff: &Handoff, index: &OverviewIndex<'_>) -> Need {
    let sender = index.session(&handoff.from).map(|(session, _)| session);
    let line = match &handoff.to {
        None => format!("hand-off {} of {} has no taker", handoff.kind, handoff.item),
        Some(to) => format!(
            "hand-off {} of {} is for session {}, which is gone",
            handoff.kind,
            handoff.item,
            short_id(to)
        ),
    };
    // Whoever reads this is no session that could accept; the sender keeps the item.
    let reject = CommandLine::new("trueup handoff reject").with_word(handoff.id.as_str());
    let reject = reject.with_words(match &handoff.to {
        None => "--reason 'nobody takes it'",
        Some(_) => "--reason 'its receiver is gone'",
    });
    Need {
        id: format!("{}:{}", NeedKind::OpenHandoff.as_str(), handoff.id),
        kind: NeedKind::OpenHandoff,
        since: handoff.created_at,
        session_id: Some(handoff.from.clone()),
        item: Some(handoff.item.clone()),
        repo: handoff.repo.clone(),
        host: sender.and_then(|session| session.host.clone()),
        line,
        command: Some(reject.to_string()),
        why: index.latest_event("handoff", handoff.id.as_str()),
        actions: vec![NeedAction::Reject],
    }
}

/// Makes a need that is about a session and what it worked on.
fn need_of_session(
    kind: NeedKind,
    session: &Session,
    item: &Item,
    index: &OverviewIndex<'_>,
) -> Need {
    Need {
        id: format!("{}:{}", kind.as_str(), session.id),
        kind,
        since: session.lease_expires_at,
        session_id: Some(session.id.clone()),
        item: Some(item.key.clone()),
        repo: item.repo.clone().or_else(|| session.repo.clone()),
        host: session.host.clone(),
        line: String::new(),
        command: None,
        why: index.latest_event("session", session.id.as_str()),
        actions: Vec::new(),
    }
}

/// Makes a need that is about an item and who holds it.
fn need_of_claim(session: &Session, item: &Item, index: &OverviewIndex<'_>) -> Need {
    let kind = NeedKind::StaleClaim;
    Need {
        id: format!("{}:{}", kind.as_str(), item.key),
        why: index.latest_event("item", item.key.as_str()),
        ..need_of_session(kind, session, item, index)
    }
}

/// Most characters of the id of a session in a sentence.
const SHORT_ID_CHARS: usize = 8;

fn short_id(id: &SessionId) -> &str {
    let text = id.as_str();
    text.get(..SHORT_ID_CHARS).unwrap_or(text)
}

fn on_host(session: &Session) -> String {
    session.host.as_ref().map_or_else(String::new, |host| format!(" on {host}"))
}
