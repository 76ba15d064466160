//! The outbox: what waits for this database, for another, and what can never be sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use trueup_core::text::one_line;

use super::Finding;
use crate::desk::Desk;

/// Longest name of a database shown, in characters.
const LONGEST_NAME: usize = 200;

pub(super) fn outbox(desk: &Desk, fix: bool) -> Finding {
    if fix && let Ok(mut store) = desk.open() {
        desk.send_waiting(&mut store);
    }
    match count_contents(desk) {
        Ok(contents) => contents.finding(),
        Err(error) => {
            let path = desk.site.settings.paths.outbox();
            Finding::fail(
                format!("{}: {error}", path.display()),
                "correct its owner and permissions",
            )
        }
    }
}

/// What is in the outbox.
struct Contents {
    here: usize,
    /// By the name of the database that they wait for.
    elsewhere: BTreeMap<String, usize>,
    damaged: usize,
    dead: usize,
    /// Where what is damaged and dead is kept.
    folder: PathBuf,
}

impl Contents {
    fn finding(&self) -> Finding {
        let mut line = format!(
            "{} writes are waiting, {} lines are damaged",
            self.here, self.damaged
        );
        for (database, count) in &self.elsewhere {
            let _ = write!(
                line,
                ", {count} writes are waiting for another database: {database}"
            );
        }
        if self.dead > 0 {
            let _ = write!(line, ", {} writes were refused permanently", self.dead);
        }
        let fix = if self.here > 0 {
            "trueup doctor --fix".to_owned()
        } else if self.damaged + self.dead > 0 {
            let folder = self.folder.display();
            format!("inspect outbox.damaged and outbox.dead.jsonl in {folder}, then remove them")
        } else if self.elsewhere.is_empty() {
            return Finding::ok("empty");
        } else {
            "use that database again, or remove outbox.elsewhere".to_owned()
        };
        Finding::warn(line, fix)
    }
}

fn count_contents(desk: &Desk) -> io::Result<Contents> {
    let outbox = desk.site.outbox();
    let here = desk.site.settings.database_address();
    let known = desk.site.databases();
    let lineage = known.last_at(&here);
    let mut contents = Contents {
        here: 0,
        elsewhere: BTreeMap::new(),
        damaged: outbox.damaged()?,
        dead: outbox.dead()?.len(),
        folder: desk.site.settings.paths.data.clone(),
    };
    for pending in outbox.waiting()? {
        let other = pending.origin.and_then(|origin| match origin.lineage {
            Some(other) if lineage.as_ref().is_none_or(|lineage| *lineage == other) => None,
            Some(other) => {
                let name = known.name_of(&other).unwrap_or_default();
                let name = one_line(&name, LONGEST_NAME);
                Some(format!("{name} ({})", other.short()))
            }
            None if origin.database == here => None,
            None => Some("never contacted".to_owned()),
        });
        match other {
            None => contents.here += 1,
            Some(name) => *contents.elsewhere.entry(name).or_default() += 1,
        }
    }
    Ok(contents)
}
