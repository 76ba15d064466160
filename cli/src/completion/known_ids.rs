//! The ids that the database and the files of this machine know.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::{ItemStatus, SessionId};
use trueup_core::outbox::{Journal, Outbox};
use trueup_core::settings::{Environment, Settings};
use trueup_core::store::sqlite::SqliteStore;

use super::known_id::KnownId;
use super::replica_ids::list_replica_ids;
use super::stored_ids::list_stored_ids;
use super::value_kind::ValueKind;

/// How long a shell waits at most. What takes longer is felt.
const PATIENCE: Duration = Duration::from_millis(150);

/// Most rows offered.
const MAX_OFFERED: usize = 500;

/// Lists what is known of a kind and begins so; nothing where it cannot be read in time.
pub(super) fn list_known_ids(kind: ValueKind, begun: String) -> Vec<KnownId> {
    let (sender, receiver) = mpsc::channel();
    // A file system or a lock may keep the thread longer; then the process ends without it.
    thread::spawn(move || sender.send(read_known_ids(kind, &begun)));
    let mut known = receiver.recv_timeout(PATIENCE).ok().flatten().unwrap_or_default();
    known.retain(|known| is_safe(&known.id));
    known.truncate(MAX_OFFERED);
    known
}

/// Tells whether a text means itself to every shell. Others write to a shared database, and a shell
/// inserts what it is offered as it is.
fn is_safe(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,#".contains(c);
    !id.starts_with(['-', '#']) && id.chars().all(is_plain)
}

/// Lists the values of a kind whose words are fixed.
fn list_words(kind: ValueKind) -> Option<Vec<KnownId>> {
    let words: Vec<&str> = match kind {
        ValueKind::ItemStatus => ItemStatus::ALL.iter().map(|status| status.as_str()).collect(),
        // Any name is a phase of a session; these are the usual ones.
        ValueKind::SessionPhase => vec!["LEAD", "PLAN", "EXEC"],
        _ => return None,
    };
    Some(words.iter().map(|word| KnownId::new(word, "")).collect())
}

fn read_known_ids(kind: ValueKind, begun: &str) -> Option<Vec<KnownId>> {
    if let Some(words) = list_words(kind) {
        return Some(words);
    }
    let environment = Environment::from_process();
    let settings = Settings::load_leniently(&environment).ok()?;
    match kind {
        ValueKind::JournalEntry => {
            let entries = Journal::new(settings.paths.journal()).entries().ok()?;
            let about = |of: &SessionId| format!("rejected edit of {of}");
            Some(entries.iter().map(|e| KnownId::new(&e.id, about(&e.lost.session))).collect())
        }
        ValueKind::OutboxWrite => list_outbox_writes(&settings),
        _ if settings.is_remote() => list_replica_ids(kind, &settings),
        _ => {
            let mut store = open_store(&settings)?;
            list_stored_ids(kind, begun, &mut store).ok()
        }
    }
}

/// Opens the database as it is: one of an older schema is not migrated for this.
fn open_store(settings: &Settings) -> Option<SqliteStore> {
    let path = settings.sqlite_path().ok()?;
    let deadline = Deadline::after(PATIENCE);
    let schema = SqliteStore::read_schema_status(path, deadline).ok()?;
    (schema.version == schema.newest_known).then_some(())?;
    SqliteStore::open(path, deadline).ok()
}

fn list_outbox_writes(settings: &Settings) -> Option<Vec<KnownId>> {
    let outbox = Outbox::new(settings.paths.outbox());
    let waiting = outbox.list_waiting().ok()?.into_iter();
    let refused = outbox.list_refused().ok()?.into_iter().map(|refused| refused.record);
    let writes = waiting.chain(refused);
    Some(writes.map(|write| KnownId::new(&write.op_id, write.write.name())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_usual_phases_need_no_database() {
        let words = |kind| -> Vec<String> {
            list_words(kind).unwrap().into_iter().map(|known| known.id).collect()
        };
        assert_eq!(
            words(ValueKind::ItemStatus).join(" "),
            "queued ready running blocked completed failed cancelled"
        );
        assert_eq!(words(ValueKind::SessionPhase), ["LEAD", "PLAN", "EXEC"]);
        assert_eq!(list_words(ValueKind::Item), None);
    }

    #[test]
    fn what_a_shell_would_execute_is_not_offered() {
        for id in ["SD-1:2", "SD#4", "fix-sync/1.2", "j-0a1b2c3d4e", "a@b,c+d"] {
            assert!(is_safe(id), "{id}");
        }
        for id in ["$(x)", "a;b", "a b", "`x`", "-rf", "#x", "a\u{1b}[2J", "a'b", "~root", "é"] {
            assert!(!is_safe(id), "{id}");
        }
    }
}
