//! Check of the outbox: writes for this database, for others, and those that can never be sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use trueup_core::text::{one_line, pluralize};

use super::check_result::CheckResult;
use crate::command_context::CommandContext;

/// Longest name of a database shown, in characters.
const MAX_NAME_CHARS: usize = 200;

pub(super) fn check_outbox(context: &CommandContext, fix: bool) -> CheckResult {
    if fix && let Ok(mut store) = context.open_for_reading() {
        context.drain_outbox(&mut *store);
    }
    match count_contents(context) {
        Ok(contents) => contents.to_check_result(),
        Err(error) => {
            let path = context.run.settings.paths.outbox();
            CheckResult::fail(
                format!("{}: {error}", path.display()),
                "correct its owner and permissions",
            )
        }
    }
}

/// The content of the outbox.
struct OutboxContents {
    for_this_database: usize,
    /// Number of writes by the name of their database.
    for_others: BTreeMap<String, usize>,
    /// Number of writes by an address at which no database was ever found, which may be another
    /// name of this one.
    for_unknown: BTreeMap<String, usize>,
    damaged: usize,
    dead: usize,
    /// Folder with the damaged lines.
    folder: PathBuf,
}

impl OutboxContents {
    fn to_check_result(&self) -> CheckResult {
        let mut line = format!(
            "{}, {}",
            pluralize(self.for_this_database, "write is waiting", "writes are waiting"),
            pluralize(self.damaged, "line is damaged", "lines are damaged")
        );
        for (database, count) in &self.for_others {
            let writes = pluralize(*count, "write is waiting", "writes are waiting");
            let _ = write!(line, ", {writes} for another database: {database}");
        }
        for (address, count) in &self.for_unknown {
            let writes = pluralize(*count, "write is waiting", "writes are waiting");
            let _ = write!(line, ", {writes} for {address}, where no database was ever found");
        }
        if self.dead > 0 {
            let writes = pluralize(self.dead, "write was", "writes were");
            let _ = write!(line, ", {writes} refused permanently");
        }
        let fix = if self.for_this_database > 0 {
            "trueup doctor --fix".to_owned()
        } else if self.damaged + self.dead > 0 {
            self.suggest_removal()
        } else if !self.for_unknown.is_empty() {
            "trueup doctor --fix, which sends those of sessions that this database has; the others \
             are sent when that address is used again"
                .to_owned()
        } else if self.for_others.is_empty() {
            return CheckResult::ok("empty");
        } else {
            "use that database again; trueup outbox list shows them, and trueup outbox drop ID drops \
             one"
            .to_owned()
        };
        CheckResult::warn(line, fix)
    }

    /// Says what to do with writes that were refused and with lines that cannot be read.
    fn suggest_removal(&self) -> String {
        let mut steps = Vec::new();
        if self.dead > 0 {
            steps.push(
                "trueup outbox list shows what was refused; trueup outbox retry ID sends a write \
                 once more, and trueup outbox drop ID drops it"
                    .to_owned(),
            );
        }
        let damaged = self.folder.join("outbox.damaged");
        if damaged.exists() {
            steps.push(format!("inspect {}, then remove it", damaged.display()));
        }
        // Damaged lines are moved to a file of their own when the outbox is sent.
        if steps.is_empty() { "trueup doctor --fix".to_owned() } else { steps.join("; ") }
    }
}

fn count_contents(context: &CommandContext) -> io::Result<OutboxContents> {
    let outbox = context.run.outbox();
    let this_database = context.run.settings.database_address();
    let known_databases = context.run.databases();
    let lineage = known_databases.last_known_at(&this_database);
    let mut contents = OutboxContents {
        for_this_database: 0,
        for_others: BTreeMap::new(),
        for_unknown: BTreeMap::new(),
        damaged: outbox.count_damaged()?,
        dead: outbox.list_refused()?.len(),
        folder: context.run.settings.paths.data.clone(),
    };
    for pending in outbox.list_waiting()? {
        let to_this = &mut contents.for_this_database;
        let Some(origin) = pending.origin else {
            *to_this += 1;
            continue;
        };
        let found_there = || known_databases.last_known_at(&origin.database);
        let (names, name) = match origin.lineage.or_else(found_there) {
            Some(other) if lineage.as_ref().is_some_and(|lineage| *lineage != other) => {
                let name = known_databases.find_name(&other).unwrap_or_default();
                let name = one_line(&name, MAX_NAME_CHARS);
                (&mut contents.for_others, format!("{name} ({})", other.short()))
            }
            None if origin.database != this_database => {
                let address = origin.address.unwrap_or_else(|| "an unknown address".to_owned());
                (&mut contents.for_unknown, one_line(&address, MAX_NAME_CHARS))
            }
            Some(_) | None => {
                *to_this += 1;
                continue;
            }
        };
        *names.entry(name).or_default() += 1;
    }
    Ok(contents)
}
