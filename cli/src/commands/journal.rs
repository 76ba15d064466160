//! `trueup journal`: listing, showing and restoring local edits that the database rejected.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde_json::{Value, json};
use trueup_core::model::{
    Attention, AttentionId, AttentionKind, FieldValue, StateField, Timestamp,
};
use trueup_core::outbox::{Journal, JournalEntry};
use trueup_core::reconcile::RejectionReason;
use trueup_core::store::{AttentionFilter, Provenance};
use trueup_core::text::{CommandLine, one_line, pluralize};
use trueup_core::views::{JournalEntryView, SessionView};

use super::outbox::ask_to_drop;
use super::settled_attention::settle_attention;
use super::state_change::{StateChange, push_change, render_changes};
use crate::command_context::CommandContext;
use crate::command_context::{check_not_ended, find_by_prefix, find_session_by_prefix};
use crate::command_error::{CommandError, CommandResult, FileCase};
use crate::output::Output;
use crate::page::{Cell, Column, Table};
use crate::views;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum JournalCommand {
    /// List rejected edits
    ///
    /// Example: trueup journal list
    #[command(verbatim_doc_comment)]
    List,
    /// Show an entry
    ///
    /// Example: trueup journal show j-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Show {
        /// Entry id
        id: String,
    },
    /// Drop an entry for good: it is listed no more
    ///
    /// Example: trueup journal drop j-0a1b2c3d4e --yes
    #[command(verbatim_doc_comment)]
    Drop {
        /// Entry id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Apply an entry to the current database state
    ///
    /// Example: trueup journal restore j-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Restore {
        /// Entry id
        id: String,
    },
}

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 80;

pub(super) fn cmd_journal(context: &CommandContext, command: &JournalCommand) -> CommandResult {
    let journal = context.run.journal();
    let entries = journal.entries().map_err(|error| {
        let path = context.run.settings.paths.journal();
        let message = format!("{}: {error}", path.display());
        CommandError::new(FileCase::JournalUnreadable, message)
    })?;
    let find_entry = |id: &str| {
        let ids = entries.iter().map(|entry| entry.id.as_str());
        let list = CommandLine::new("trueup journal list");
        let found = find_by_prefix(id, ids, |prefix, id| id.starts_with(prefix), list)?;
        let entry = entries.iter().find(|entry| Some(entry.id.as_str()) == found);
        entry.ok_or_else(|| {
            let message = format!("the journal has no entry {id}");
            CommandError::new(FileCase::EntryNotFound, message)
        })
    };
    match command {
        JournalCommand::List => {
            let ends = find_ends(context, &entries);
            let views: Vec<_> = entries.iter().map(JournalEntryView::from).collect();
            let mut data = json!({"entries": views});
            if !ends.is_empty() {
                data["ended"] = ends.values().map(EndedEntry::view).collect();
            }
            let damaged = journal.count_damaged().unwrap_or(0);
            let warnings = (damaged > 0).then(|| {
                format!(
                    "{}; skipped",
                    pluralize(
                        damaged,
                        "line of the journal is damaged",
                        "lines of the journal are damaged"
                    )
                )
            });
            Ok(Output::table(
                entry_table(context, &entries, &ends),
                "no rejected edits; an edit that loses against the database is kept here",
                data,
            )
            .with_warnings(warnings))
        }
        JournalCommand::Show { id } => {
            let entry = find_entry(id)?;
            Ok(Output::new(
                render_entry_in_full(entry),
                json!({"entries": [JournalEntryView::from(entry)]}),
            ))
        }
        JournalCommand::Drop { id, yes } => drop_edit(context, &journal, find_entry(id)?, *yes),
        JournalCommand::Restore { id } => restore_edit(context, find_entry(id)?),
    }
}

/// An entry that needs nobody any more: it was restored, or dropped at a hub.
struct EndedEntry {
    id: String,
    at: Timestamp,
    by: String,
    how: String,
}

impl EndedEntry {
    fn describe(&self, context: &CommandContext) -> String {
        let at = context.times.render(self.at);
        format!("{} by {} {at}", one_line(&self.how, MAX_VALUE_CHARS), self.by)
    }

    fn view(&self) -> Value {
        json!({"id": self.id, "at": self.at, "by": self.by, "how": self.how})
    }
}

/// Finds in the database which entries have ended, by a command or at a hub. The journal is read
/// without a database as well; then nothing is known of that.
fn find_ends(context: &CommandContext, entries: &[JournalEntry]) -> BTreeMap<String, EndedEntry> {
    if entries.is_empty() {
        return BTreeMap::new();
    }
    context.hurry_in_outage();
    let filter =
        AttentionFilter { kinds: vec![AttentionKind::JournalEntry], ..AttentionFilter::default() };
    let listed = context.open_for_reading().ok();
    let listed = listed.and_then(|mut store| store.list_attention(&filter).ok());
    let mut reports: BTreeMap<AttentionId, Attention> =
        listed.into_iter().flatten().map(|report| (report.id.clone(), report)).collect();
    let ended = entries.iter().filter_map(|entry| {
        let report = reports.remove(&JournalEntry::attention_id(&entry.id))?;
        let ended = EndedEntry {
            id: entry.id.clone(),
            at: report.ended_at?,
            by: report.ended_by.unwrap_or_else(|| "nobody".to_owned()),
            how: report.ended_reason.unwrap_or_else(|| "ended".to_owned()),
        };
        Some((entry.id.clone(), ended))
    });
    ended.collect()
}

/// Takes an entry out of the list.
fn drop_edit(
    context: &CommandContext,
    journal: &Journal,
    entry: &JournalEntry,
    is_sure: bool,
) -> CommandResult {
    let what = render_entry(entry);
    if !is_sure && !ask_to_drop(context, &what, "trueup journal drop --help")? {
        return Ok(Output::new(vec!["nothing was dropped".to_owned()], json!({"dropped": []})));
    }
    journal.drop_entry(&entry.id).map_err(|error| {
        let path = context.run.settings.paths.journal();
        CommandError::new(FileCase::JournalUnreadable, format!("{}: {error}", path.display()))
    })?;
    let warning = settle_attention(context, &JournalEntry::attention_id(&entry.id), "dropped");
    let output = Output::new(vec![format!("dropped {what}")], json!({"dropped": [entry.id]}));
    Ok(output.with_warnings(warning))
}

/// Applies a rejected edit to the present state of its session.
fn restore_edit(context: &CommandContext, entry: &JournalEntry) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session_id = context.named_session.as_ref().unwrap_or(&entry.lost.session);
    let session = find_session_by_prefix(store, session_id)?;
    check_not_ended(&session)?;
    let id = session.id.clone();
    let session = context.true_up_before_change(store, session)?;
    let reason = format!("restored {}", entry.id);
    let mut fields = entry.lost.fields.clone();
    let mut warnings = Vec::new();
    // The held item changes only by a claim.
    if let Some(FieldValue::Text(Some(item))) = fields.remove(&StateField::Item) {
        warnings.push(format!(
            "this does not claim {}; to claim it: trueup claim {0}",
            one_line(&item, MAX_VALUE_CHARS)
        ));
    }
    let is_empty = fields.is_empty();
    let is_by_agent = context.is_run_by_agent_of(&session);
    let change = StateChange { fields, is_by_agent, reason: &reason, ..StateChange::default() };
    let changed = push_change(store, session, change)?;
    let settled = Provenance::new(id.as_str(), "restored");
    store.end_attention(&JournalEntry::attention_id(&entry.id), &settled)?;
    let session = context.true_up_after_change(store, &id, &mut warnings)?;
    let vitality = views::assess_liveness(&session, &context.run);
    let data = json!({
        "entries": [JournalEntryView::from(entry)], "session": SessionView::new(&session, &vitality),
    });
    let text = if changed.is_empty() && !is_empty {
        vec![format!("{} is already restored", entry.id)]
    } else {
        let mut text = vec![format!("restored {}", render_entry(entry))];
        text.extend(render_changes(&changed));
        text
    };
    Ok(Output::new(text, data).with_warnings(warnings))
}

fn render_entry_in_full(entry: &JournalEntry) -> Vec<String> {
    let reason = match entry.lost.reason {
        RejectionReason::DatabaseMovedOn => "the database had a newer revision",
        RejectionReason::UnstampedCache => "the file had no stamp of trueup",
        RejectionReason::OlderDatabaseAdopted => "the database was restored from a backup",
        RejectionReason::AlteredStamp => "the stamp of the file was changed by hand",
        RejectionReason::ClaimLost => "another session had taken the item",
    };
    let base = entry.lost.base.map_or_else(|| "unknown".to_owned(), |base| base.to_string());
    vec![
        render_entry(entry),
        format!("reason: {reason}"),
        format!("made from revision {base}, lost to revision {}", entry.lost.database),
    ]
}

fn entry_table(
    context: &CommandContext,
    entries: &[JournalEntry],
    ends: &BTreeMap<String, EndedEntry>,
) -> Table<5> {
    let columns = [
        Column::id("ENTRY"),
        Column::word("AT"),
        Column::id("SESSION"),
        Column::text("LOST"),
        Column::text("ENDED"),
    ];
    let row = |entry: &JournalEntry| {
        [
            entry.id.as_str().into(),
            Cell::faint(context.times.render(entry.at)),
            Cell::faint(entry.lost.session.as_str()),
            render_fields(entry).into(),
            Cell::optional(ends.get(&entry.id).map(|ended| ended.describe(context))),
        ]
    };
    Table::new(columns, entries.iter().map(row))
}

fn render_entry(entry: &JournalEntry) -> String {
    format!("{}  {}  {}  {}", entry.id, entry.at, entry.lost.session, render_fields(entry))
}

/// Renders the fields that an entry keeps.
fn render_fields(entry: &JournalEntry) -> String {
    let render_field = |(field, value): (&StateField, &FieldValue)| match value {
        FieldValue::Flag(flag) => format!("{}={flag}", field.key()),
        FieldValue::Text(text) => {
            format!(
                "{}={:?}",
                field.key(),
                one_line(text.as_deref().unwrap_or(""), MAX_VALUE_CHARS)
            )
        }
    };
    entry.lost.fields.iter().map(render_field).collect::<Vec<_>>().join(", ")
}
