//! `trueup journal`

use serde_json::json;
use trueup_core::model::{Field, Value};
use trueup_core::outbox::Entry;
use trueup_core::text::{counted, one_line};

use crate::args::JournalCommand;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;
use crate::speaker::{find_session, refuse_ended};

/// Longest value shown, in characters.
const LONGEST: usize = 80;

pub(super) fn run(desk: &Desk, command: &JournalCommand) -> Result<Answer, Failure> {
    let journal = desk.site.journal();
    let entries = journal.entries().map_err(|error| {
        let path = desk.site.settings.paths.journal();
        let message = format!("{}: {error}", path.display());
        Failure::new(ErrorCase::JournalUnreadable, message)
    })?;
    let find = |id: &str| {
        entries.iter().find(|entry| entry.id == id).ok_or_else(|| {
            let message = format!("the journal has no entry {id}");
            Failure::new(ErrorCase::EntryNotFound, message)
        })
    };
    match command {
        JournalCommand::List => {
            let mut text: Vec<String> = entries.iter().map(line).collect();
            if text.is_empty() {
                text.push("no rejected edits".to_owned());
            }
            let rows: Vec<_> = entries.iter().map(json::entry).collect();
            let damaged = journal.damaged().unwrap_or(0);
            let warnings = (damaged > 0).then(|| {
                format!(
                    "{}; skipped",
                    counted(
                        damaged,
                        "line of the journal is damaged",
                        "lines of the journal are damaged"
                    )
                )
            });
            let mut answer = Answer::new(text, json!({"entries": rows}));
            if !rows.is_empty() {
                answer = answer.columns(&format!("{:<12}  {:<24}  SESSION", "ENTRY", "AT"));
            }
            Ok(Answer {
                warnings: warnings.into_iter().collect(),
                ..answer
            })
        }
        JournalCommand::Show { id } => {
            let entry = find(id)?;
            Ok(Answer::new(
                vec![line(entry)],
                json!({"entries": [json::entry(entry)]}),
            ))
        }
        JournalCommand::Restore { id } => restore(desk, find(id)?),
    }
}

/// Makes a lost edit again, on the present state of its session.
fn restore(desk: &Desk, entry: &Entry) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let named = desk.named.as_ref().unwrap_or(&entry.lost.session);
    let session = find_session(&mut store, named)?;
    refuse_ended(&session)?;
    let id = session.id.clone();
    let session = desk.before_change(&mut store, session)?;
    let before = session.clone();
    let reason = format!("restored {}", entry.id);
    let mut fields = entry.lost.fields.clone();
    let mut warnings = Vec::new();
    // Which item a session holds is a claim, which no edit makes.
    if let Some(Value::Text(Some(item))) = fields.remove(&Field::Item) {
        warnings.push(format!(
            "this does not claim {}; to claim it: trueup claim {0}",
            one_line(&item, LONGEST)
        ));
    }
    super::set::push(&mut store, session, &fields, None, &reason)?;
    let session = desk.after_change(&mut store, &id, &mut warnings)?;
    let vitality = json::vitality(&session, &desk.site);
    let data = json!({
        "entries": [json::entry(entry)], "session": json::session(&session, &vitality),
    });
    let mut text = vec![format!("restored {}", line(entry))];
    text.extend(super::set::lines(&super::set::changed(&before, &session)));
    Ok(Answer {
        warnings,
        ..Answer::new(text, data)
    })
}

fn line(entry: &Entry) -> String {
    let fields: Vec<String> = entry
        .lost
        .fields
        .iter()
        .map(|(field, value)| match value {
            Value::Flag(flag) => format!("{}={flag}", field.key()),
            Value::Text(text) => {
                format!(
                    "{}={:?}",
                    field.key(),
                    one_line(text.as_deref().unwrap_or(""), LONGEST)
                )
            }
        })
        .collect();
    format!(
        "{}  {}  {}  {}",
        entry.id,
        entry.at,
        entry.lost.session,
        fields.join(", ")
    )
}
