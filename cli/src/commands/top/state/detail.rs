//! One row, looked at: what is known of it, and what happened to it.

use trueup_core::model::{Event, ItemKey};
use trueup_core::overview::{Need, WorkRow};

use super::super::messages::HistorySubject;

/// What is shown of one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Detail {
    pub(crate) title: String,
    /// Names and values.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// The command that goes on with it.
    pub(crate) command: Option<String>,
    /// Whose events are shown.
    pub(crate) subject: Option<HistorySubject>,
    /// Its events, oldest first, once they were read.
    pub(crate) events: Option<Vec<Event>>,
    /// How many lines of it are above the window.
    pub(crate) scrolled: usize,
}

impl Detail {
    fn new(title: String, facts: Vec<(&'static str, Option<String>)>) -> Self {
        let present = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Self {
            title,
            facts: present.collect(),
            command: None,
            subject: None,
            events: None,
            scrolled: 0,
        }
    }

    pub(super) fn of_need(need: &Need) -> Self {
        let item = need.item.as_ref().map(ToString::to_string);
        let session = need.session_id.as_ref().map(ToString::to_string);
        let subject = item.clone().map(HistorySubject::Item);
        let facts = vec![
            ("what", Some(need.line.clone())),
            ("since", Some(need.since.to_string())),
            ("item", item),
            ("session", session.clone()),
            ("repository", need.repo.clone()),
            ("machine", need.host.clone()),
        ];
        Self {
            command: need.command.clone(),
            subject: subject.or_else(|| session.map(HistorySubject::Session)),
            ..Self::new(need.kind.as_str().replace('_', " "), facts)
        }
    }

    pub(super) fn of_work(row: &WorkRow) -> Self {
        let keys = |keys: &[ItemKey]| {
            let keys: Vec<&str> = keys.iter().map(ItemKey::as_str).collect();
            (!keys.is_empty()).then(|| keys.join(" "))
        };
        let facts = vec![
            ("title", row.title.clone()),
            ("status", Some(row.status.to_string())),
            ("phase", row.phase.clone()),
            ("repository", row.repo.clone()),
            ("parent", row.parent.as_ref().map(ToString::to_string)),
            ("holder", row.holder.as_ref().map(ToString::to_string)),
            ("machine", row.host.clone()),
            ("branch", row.branch.clone()),
            ("sign of life", row.heartbeat_at.map(|at| at.to_string())),
            ("lease until", row.lease_expires_at.map(|at| at.to_string())),
            ("epoch", Some(row.epoch.to_string())),
            ("agent knows", render_revisions(row)),
            ("waits for", keys(&row.blocked_by)),
            ("awaited by", keys(&row.blocks)),
            ("error", row.error_message.clone()),
        ];
        Self {
            command: Some(row.command.clone()),
            subject: Some(HistorySubject::Item(row.key.to_string())),
            ..Self::new(row.key.to_string(), facts)
        }
    }

    pub(super) fn of_event(event: &Event) -> Self {
        let subject = match &*event.entity {
            "item" => Some(HistorySubject::Item(event.key.clone())),
            "session" => Some(HistorySubject::Session(event.key.clone())),
            "phase" => {
                event.key.rsplit_once(':').map(|(item, _)| HistorySubject::Item(item.to_owned()))
            }
            _ => None,
        };
        let facts = vec![
            ("at", Some(event.at.to_string())),
            ("by", Some(event.actor.clone())),
            ("through", event.via.clone()),
            ("reason", event.reason.clone()),
            ("operation", event.op_id.clone()),
        ];
        let title = format!("{} {} {}", event.entity, event.key, event.kind.replace('_', " "));
        Self { subject, ..Self::new(title, facts) }
    }
}

/// Renders the newest revision that the agent knows, of all that there are.
fn render_revisions(row: &WorkRow) -> Option<String> {
    let (known, all) = (row.acknowledged?, row.revision?);
    Some(format!("revision {known} of {all}"))
}
