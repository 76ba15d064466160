//! `trueup outbox`: the writes that wait for the database, and those that it refused.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::{Args, Subcommand};
use serde_json::json;
use trueup_core::outbox::{PendingChange, PendingWrite, RefusedWrite};
use trueup_core::sync::{DrainReport, drain_outbox};
use trueup_core::text::{CommandLine, one_line, pluralize};
use trueup_core::views::OutboxRecordView;

use super::settled_attention::settle_attention;
use crate::command_context::{CommandContext, find_by_prefix};
use crate::command_error::{CommandError, CommandResult, FileCase};
use crate::output::Output;
use crate::page::{Cell, Column, Table, Tone};
use crate::printer::print_status;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum OutboxCommand {
    /// List the writes that wait, and those that the database refused
    ///
    /// With --session, those of that session, whether or not the database knows it.
    ///
    /// Example: trueup outbox list
    #[command(verbatim_doc_comment)]
    List,
    /// Send what waits
    ///
    /// Hooks and most commands send it as well. Exits with 3 where something still
    /// waits for this database.
    ///
    /// Example: trueup outbox drain
    #[command(verbatim_doc_comment)]
    Drain,
    /// Drop a write for good: the database never gets it
    ///
    /// Example: trueup outbox drop 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --yes
    #[command(verbatim_doc_comment)]
    Drop(DropArgs),
    /// Send a write that was refused once more
    ///
    /// It is sent last, over what its session wrote since.
    ///
    /// Example: trueup outbox retry 6f9619ff-8b86-4d01-b42d-00cf4fc964ff
    #[command(verbatim_doc_comment)]
    Retry {
        /// Id of the operation, or the beginning of it
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    /// Id of the operation, or the beginning of it
    id: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Longest change and reason shown, in characters.
const MAX_CHANGE_CHARS: usize = 120;
const MAX_REASON_CHARS: usize = 120;

/// What the outbox holds.
struct Records {
    waiting: Vec<PendingWrite>,
    refused: Vec<RefusedWrite>,
}

impl Records {
    fn load(context: &CommandContext) -> CommandResult<Self> {
        let outbox = context.run.outbox();
        let load = || io::Result::Ok((outbox.list_waiting()?, outbox.list_refused()?));
        let (mut waiting, mut refused) = load().map_err(|error| outbox_error(context, &error))?;
        if let Some(session) = &context.named_session {
            let is_of =
                |record: &PendingWrite| record.session.as_str().starts_with(session.as_str());
            waiting.retain(is_of);
            refused.retain(|refused| is_of(&refused.record));
        }
        Ok(Self { waiting, refused })
    }

    /// Finds the one record whose id begins like this, among all or the refused ones.
    fn find_record(&self, id: &str, is_refused: bool) -> CommandResult<&PendingWrite> {
        let refused = self.refused.iter().map(|refused| &refused.record);
        let waiting = self.waiting.iter().filter(|_| !is_refused);
        // A crash can leave a record in two places; it is found once.
        let records: Vec<&PendingWrite> = waiting.chain(refused).collect();
        let ids = records.iter().map(|record| record.op_id.as_str());
        let begins_so = |prefix: &str, id: &str| !prefix.is_empty() && id.starts_with(prefix);
        let found = find_by_prefix(id, ids, begins_so, CommandLine::new("trueup outbox list"))?;
        let record = records.iter().find(|record| Some(record.op_id.as_str()) == found);
        record.copied().ok_or_else(|| {
            let what = if is_refused { "refused write" } else { "write" };
            let message = format!("the outbox has no {what} {id}");
            CommandError::new(FileCase::WriteNotFound, message)
        })
    }
}

pub(super) fn cmd_outbox(context: &CommandContext, command: &OutboxCommand) -> CommandResult {
    match command {
        OutboxCommand::List => list_records(context),
        OutboxCommand::Drain => drain_records(context),
        OutboxCommand::Drop(arguments) => drop_record(context, arguments),
        OutboxCommand::Retry { id } => retry_record(context, id),
    }
}

fn list_records(context: &CommandContext) -> CommandResult {
    let records = Records::load(context)?;
    let waiting = records.waiting.iter().map(|record| (record, None));
    let refused = records.refused.iter().map(|it| (&it.record, Some(it.reason.as_str())));
    let all: Vec<(&PendingWrite, Option<&str>)> = waiting.chain(refused).collect();
    let views: Vec<_> =
        all.iter().map(|(record, reason)| OutboxRecordView::new(record, *reason)).collect();
    let damaged = context.run.outbox().count_damaged();
    let damaged = damaged.map_err(|error| outbox_error(context, &error))?;
    let warnings = (damaged > 0).then(|| {
        let lines = pluralize(damaged, "line cannot", "lines cannot");
        format!("{lines} be read and will never be sent; see trueup doctor")
    });
    Ok(Output::table(record_table(context, &all), "nothing waits", json!({"records": views}))
        .with_warnings(warnings))
}

/// Says what a write changes, as its record has it.
fn describe_change(record: &PendingWrite) -> String {
    let change = match &record.write {
        PendingChange::State { changes, branch } => {
            let fields =
                changes.iter().map(|(field, value)| format!("{}={}", field.key(), json!(value)));
            let branch = branch.iter().map(|branch| format!("branch={}", json!(branch)));
            fields.chain(branch).collect::<Vec<_>>().join(" ")
        }
        PendingChange::TaskStarted { task } | PendingChange::TaskFinished { task } => task.clone(),
        PendingChange::Task { task, subject } => format!("{task} {}", json!(subject)),
        PendingChange::End { reason } => reason.clone(),
        PendingChange::Resumed => String::new(),
        PendingChange::Checkpoint { operations, .. } => format!("{operations} operations"),
        PendingChange::AttentionRaised { attention, .. } => attention.line.clone(),
        PendingChange::AttentionEnded { attention, .. } => attention.to_string(),
    };
    format!("{} {}", record.write.name(), one_line(&change, MAX_CHANGE_CHARS)).trim().to_owned()
}

fn record_table(context: &CommandContext, records: &[(&PendingWrite, Option<&str>)]) -> Table<6> {
    let columns = [
        Column::id("OPERATION ID"),
        Column::word("AT"),
        Column::word("STATE"),
        Column::id("SESSION"),
        Column::text("CHANGE"),
        Column::text("REASON"),
    ];
    let row = |(record, reason): &(&PendingWrite, Option<&str>)| {
        let state = match reason {
            Some(_) => Cell::toned(Tone::Error, "dead"),
            None => Cell::toned(Tone::Active, "waiting"),
        };
        [
            record.op_id.as_str().into(),
            Cell::faint(context.times.render(record.at)),
            state,
            Cell::faint(record.session.as_str()),
            describe_change(record).into(),
            Cell::optional(reason.map(|reason| one_line(reason, MAX_REASON_CHARS))),
        ]
    };
    Table::new(columns, records.iter().map(row))
}

/// Sends what waits until nothing moves any more, or the time is over.
fn drain_records(context: &CommandContext) -> CommandResult {
    let outbox = context.run.outbox();
    let mut drained = DrainReport::default();
    if !outbox.is_idle() {
        let store = &mut *context.open_for_reading()?;
        // A database that cannot be used is an error here, and not for later.
        store.load_lineage()?;
        loop {
            let report = drain_outbox(store, &context.run);
            let has_progress = report.counts.sent + report.counts.refused > 0;
            drained.add(report);
            if !has_progress || !drained.counts.is_waiting || context.run.deadline.has_passed() {
                break;
            }
        }
    }
    let backlog = outbox.count_backlog().map_err(|error| outbox_error(context, &error))?;
    let counts = &drained.counts;
    let text =
        format!("{} sent, {} waiting, {} refused", counts.sent, backlog.waiting, counts.refused);
    if counts.is_waiting {
        let problem = counts.problem.as_ref().map(|problem| format!(": {problem}"));
        let message = format!("{text}{}", problem.unwrap_or_default());
        return Err(CommandError::new(FileCase::WritesWait, message));
    }
    let mut warnings = drained.describe_problems(&context.run, context.named_session.as_ref());
    warnings.extend(drained.describe_unmovable());
    let data = json!({"sent": counts.sent, "waiting": backlog.waiting, "refused": counts.refused});
    Ok(Output::new(vec![text], data).with_warnings(warnings))
}

fn drop_record(context: &CommandContext, arguments: &DropArgs) -> CommandResult {
    let records = Records::load(context)?;
    let record = records.find_record(&arguments.id, false)?;
    let what =
        format!("{} of session {} ({})", describe_change(record), record.session, record.op_id);
    if !arguments.yes && !ask_to_drop(context, &what, "trueup outbox drop --help")? {
        return Ok(Output::new(vec!["nothing was dropped".to_owned()], json!({"dropped": []})));
    }
    let outbox = context.run.outbox();
    let is_dropped = outbox.drop_record(&record.op_id, context.run.deadline.remaining());
    if !is_dropped.map_err(|error| outbox_error(context, &error))? {
        let message = format!("{what} was sent meanwhile");
        return Err(CommandError::new(FileCase::WriteNotFound, message));
    }
    let attention = RefusedWrite::attention_id(&record.op_id);
    let warning = settle_attention(context, &attention, "dropped");
    let output = Output::new(vec![format!("dropped {what}")], json!({"dropped": [record.op_id]}));
    Ok(output.with_warnings(warning))
}

/// Asks a person whether something is to be dropped.
pub(super) fn ask_to_drop(
    context: &CommandContext,
    what: &str,
    help: &'static str,
) -> CommandResult<bool> {
    let stdin = io::stdin();
    if context.json || !stdin.is_terminal() {
        let message = format!("{what}: dropping it needs --yes where nobody can be asked");
        return Err(CommandError::usage(help, message));
    }
    print_status(&format!("drop {what} for good? y for yes, anything else for no"));
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn retry_record(context: &CommandContext, id: &str) -> CommandResult {
    let records = Records::load(context)?;
    let record = records.find_record(id, true)?;
    let outbox = context.run.outbox();
    let is_waiting = outbox.retry_refused(&record.op_id, context.run.deadline.remaining());
    if !is_waiting.map_err(|error| outbox_error(context, &error))? {
        let message = format!("the outbox has no refused write {id} any more");
        return Err(CommandError::new(FileCase::WriteNotFound, message));
    }
    let attention = RefusedWrite::attention_id(&record.op_id);
    let warning = settle_attention(context, &attention, "waits again");
    let text = format!(
        "{} of session {} waits again, behind the others; trueup outbox drain sends it",
        describe_change(record),
        record.session
    );
    Ok(Output::new(vec![text], json!({"retried": [record.op_id]})).with_warnings(warning))
}

fn outbox_error(context: &CommandContext, error: &io::Error) -> CommandError {
    if error.kind() == io::ErrorKind::WouldBlock {
        let message = "another process is sending what waits".to_owned();
        return CommandError::new(FileCase::FileBusy, message);
    }
    let data = context.run.settings.paths.data.display();
    CommandError::new(FileCase::File, format!("the outbox in {data}: {error}"))
}
