//! What hooks report of a session to a person, each once.
//!
//! A file remembers what is reported and not ended, so that a hook that finds nothing writes and
//! asks nothing. It is a note of this machine alone: without it the next report says the same again,
//! which the database takes for no news.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::run_context::RunContext;
use crate::fs::{ensure_private_dir, read_bytes, short_digest, write_private};
use crate::log::LogLevel;
use crate::model::{AttentionId, AttentionKind, NewAttention, SessionId};
use crate::store::{HookStore, Provenance, StoreError};

/// Largest note that is read, in bytes; a session has one report of each kind.
const MAX_NOTE_BYTES: u64 = 16 * 1024;

/// The kinds of which a session has one report.
const KINDS: [AttentionKind; 3] =
    [AttentionKind::GateRefusal, AttentionKind::Divergence, AttentionKind::WaitsForInput];

/// What is reported of a session and not ended.
#[derive(Debug)]
pub struct SessionReports {
    path: PathBuf,
    session: SessionId,
    /// The digests of the open reports.
    open: BTreeMap<AttentionId, String>,
}

impl SessionReports {
    /// Reads what is reported of a session. A note that cannot be read counts as none.
    pub fn read(context: &RunContext, session: &SessionId) -> Self {
        let path = context.settings.paths.counters().join(format!("{session}.reports"));
        let bytes = read_bytes(&path, MAX_NOTE_BYTES, false).unwrap_or_default();
        let open = serde_json::from_slice(&bytes).unwrap_or_default();
        Self { path, session: session.clone(), open }
    }

    /// Returns the id of the session's report of a kind.
    pub fn id_of(session: &SessionId, kind: AttentionKind) -> AttentionId {
        kind.id_of(session.as_str(), |session| short_digest(session.as_bytes()))
    }

    /// Returns whether a report of this kind is open.
    pub fn is_open(&self, kind: AttentionKind) -> bool {
        self.open.contains_key(&Self::id_of(&self.session, kind))
    }

    /// Reports what is new of these kinds, and ends what is not found any more. What the database
    /// does not take is left to the next hook that finds the same; the log says so.
    pub fn update(
        mut self,
        store: &mut dyn HookStore,
        context: &RunContext,
        kinds: &[AttentionKind],
        found: &[NewAttention],
        reason: &str,
    ) {
        if self.open.is_empty() && found.is_empty() {
            return;
        }
        let before = self.open.clone();
        for new in found {
            let digest = short_digest(json!(new).to_string().as_bytes());
            if self.open.get(&new.id) == Some(&digest) {
                continue;
            }
            let raised = store.raise_attention(new, &self.provenance(reason));
            if log_failure(context, raised) {
                self.open.insert(new.id.clone(), digest);
            }
        }
        for kind in KINDS.into_iter().filter(|kind| kinds.contains(kind)) {
            let id = Self::id_of(&self.session, kind);
            if found.iter().any(|new| new.id == id) || !self.open.contains_key(&id) {
                continue;
            }
            let ended = store.end_attention(&id, &self.provenance(reason));
            if log_failure(context, ended) {
                self.open.remove(&id);
            }
        }
        if self.open != before {
            self.save(context);
        }
    }

    fn provenance(&self, reason: &str) -> Provenance {
        Provenance::new(self.session.as_str(), reason)
    }

    fn save(&self, context: &RunContext) {
        let saved = if self.open.is_empty() {
            fs::remove_file(&self.path)
        } else {
            let dir = context.settings.paths.counters();
            let text = json!(self.open).to_string();
            let written =
                ensure_private_dir(&dir).and_then(|()| write_private(&self.path, text.as_bytes()));
            written.map(drop)
        };
        if let Err(error) = saved {
            context.log(LogLevel::Info, "reports", &error.to_string());
        }
    }
}

/// Returns whether the database took it.
fn log_failure(context: &RunContext, answer: Result<(), StoreError>) -> bool {
    if let Err(error) = &answer {
        context.log(LogLevel::Info, "reports", &error.to_string());
    }
    answer.is_ok()
}

/// Reports an edit that went to the journal. It is in the journal whatever becomes of the report.
pub fn report_journal_entry(
    store: &mut dyn HookStore,
    context: &RunContext,
    entry: &crate::outbox::JournalEntry,
) {
    let provenance = Provenance::new(entry.lost.session.as_str(), "journal");
    let report = entry.as_attention(Some(&context.host));
    log_failure(context, store.raise_attention(&report, &provenance));
}
