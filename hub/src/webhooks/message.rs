//! The messages, as JSON.

use serde_json::{Value as Json, json};
use trueup_core::fs::sha256_hex;
use trueup_core::model::Timestamp;

use super::delivery::Delivery;
use super::observed_need::ObservedNeed;

/// Most needs that a message about many lists.
pub(super) const MAX_LISTED: usize = 50;

/// Characters of the id of a delivery.
const ID_CHARS: usize = 32;

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NeedChange {
    /// It needs a person from now on.
    Raised,
    /// It needs nobody any more.
    Settled,
}

impl NeedChange {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Settled => "settled",
        }
    }
}

/// What many changes come to, for one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ChangeCounts {
    pub(super) raised: u64,
    pub(super) settled: u64,
}

/// Makes the message about one change. Its id follows from the change, so that two hubs of one
/// database that both send give it the same.
pub(super) fn write_change(
    lineage: &str,
    change: NeedChange,
    need: &ObservedNeed,
    now: Timestamp,
) -> Delivery {
    let event = change.as_str();
    let id = make_id(&[lineage, event, &need.name_occurrence()]);
    let text = match change {
        NeedChange::Raised => need.line.clone(),
        NeedChange::Settled => format!("settled: {}", need.line),
    };
    let body = json!({
        "event": event, "delivery": id, "at": now, "text": text, "need": need.need,
    });
    Delivery::new(id, vec![need.id.clone()], body.to_string(), now)
}

/// Makes the message about many changes. `listed` are the first of them, `needs` all ids that are
/// known.
pub(super) fn write_burst(
    lineage: &str,
    counts: ChangeCounts,
    listed: &[(NeedChange, ObservedNeed)],
    needs: Vec<String>,
    now: Timestamp,
) -> Delivery {
    let mut parts = vec![lineage.to_owned(), "burst".to_owned(), now.as_millis().to_string()];
    parts.extend(needs.iter().cloned());
    let id = make_id(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    let rows: Vec<Json> = listed
        .iter()
        .map(|(change, need)| json!({ "event": change.as_str(), "id": need.id, "line": need.line }))
        .collect();
    let ChangeCounts { raised, settled } = counts;
    let text = format!("{raised} more things need a person, and {settled} are settled");
    let body = json!({
        "event": "burst", "delivery": id, "at": now, "text": text,
        "raised": raised, "settled": settled, "needs": rows,
    });
    Delivery::new(id, needs, body.to_string(), now)
}

fn make_id(parts: &[&str]) -> String {
    let mut id = sha256_hex(parts.join("\n").as_bytes());
    id.truncate(ID_CHARS);
    id
}
