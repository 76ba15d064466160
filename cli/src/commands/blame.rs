//! `trueup blame`

use serde_json::{Value, json};
use trueup_core::model::{Blame, EventFilter, blame};
use trueup_core::store::Store as _;
use trueup_core::text::one_line;

use super::plain;
use crate::args::BlameArgs;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::report::Answer;

/// Longest value or reason shown, in characters.
const LONGEST: usize = 80;

pub(super) fn run(desk: &Desk, arguments: &BlameArgs) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let key = &arguments.key;
    let Some(item) = store.item(key)? else {
        return Err(Failure::no_item(key));
    };
    let events = store.events(&EventFilter {
        item: Some(key.to_string()),
        entity: Some("item".to_owned()),
        ..EventFilter::default()
    })?;
    let mut blamed = blame(&item, &events);
    blamed.retain(|blame| arguments.field.is_none_or(|field| field == blame.field));
    let text = blamed.iter().map(line).collect();
    let fields: Vec<Value> = blamed.iter().map(object).collect();
    let header = format!("{:<13} {:<20} SINCE, BY", "FIELD", "VALUE");
    Ok(Answer::new(text, json!({"item": key, "fields": fields})).columns(&header))
}

fn line(blame: &Blame<'_>) -> String {
    let value = one_line(&plain(&blame.value), LONGEST);
    let by = match blame.by {
        None => "no event recorded".to_owned(),
        Some(event) => {
            let reason = event
                .reason
                .as_deref()
                .map_or(String::new(), |r| format!(" ({})", one_line(r, LONGEST)));
            let epoch = event
                .epoch
                .map_or(String::new(), |epoch| format!(", epoch {epoch}"));
            format!(
                "{} by {}{reason}{epoch}, event {}",
                event.at, event.actor, event.seq
            )
        }
    };
    format!("{:<13} {value:<20} {by}", blame.field)
}

fn object(blame: &Blame<'_>) -> Value {
    json!({
        "field": blame.field.as_str(),
        "value": blame.value,
        "actor": blame.by.map(|event| &event.actor),
        "at": blame.by.map(|event| event.at),
        "reason": blame.by.and_then(|event| event.reason.as_deref()),
        "epoch": blame.by.and_then(|event| event.epoch),
        "op_id": blame.by.and_then(|event| event.op_id.as_deref()),
        "seq": blame.by.map(|event| event.seq),
    })
}
