//! What hooks report of a session to a person, each once.
//!
//! A file for each kind remembers what is reported and not ended, so that a hook that finds nothing
//! writes and asks nothing; two hooks that run at once write different ones. It is a note of this
//! machine alone: without it the next report says the same again, which the database takes for no
//! news.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::run_context::RunContext;
use crate::diagnostic::{Advice, AdviceKind, Divergence, Severity};
use crate::fs::{ensure_private_dir, read_bytes, short_digest, write_private};
use crate::log::LogLevel;
use crate::model::{AttentionId, AttentionKind, NewAttention, SessionId};
use crate::store::{HookStore, Provenance, StoreError};
use crate::text::CommandLine;

/// Largest note that is read, in bytes: a digest.
const MAX_NOTE_BYTES: u64 = 256;

/// The kinds of which a session has one report.
const KINDS: [AttentionKind; 3] =
    [AttentionKind::GateRefusal, AttentionKind::Divergence, AttentionKind::WaitsForInput];

/// What is reported of a session and not ended.
#[derive(Debug)]
pub struct SessionReports {
    session: SessionId,
    /// The digests of the open reports.
    open: BTreeMap<AttentionKind, String>,
}

impl SessionReports {
    /// Reads what is reported of a session. A note that cannot be read counts as none.
    pub fn read(context: &RunContext, session: &SessionId) -> Self {
        let open = KINDS.into_iter().filter_map(|kind| {
            let bytes = read_bytes(&note_path(context, session, kind), MAX_NOTE_BYTES, false);
            Some((kind, String::from_utf8(bytes.ok()?).ok()?))
        });
        Self { open: open.collect(), session: session.clone() }
    }

    /// Returns the id of the session's report of a kind.
    pub fn id_of(session: &SessionId, kind: AttentionKind) -> AttentionId {
        kind.id_of(session.as_str(), |session| short_digest(session.as_bytes()))
    }

    /// Returns whether a report of this kind is open.
    pub fn is_open(&self, kind: AttentionKind) -> bool {
        self.open.contains_key(&kind)
    }

    /// Reports what is new of these kinds, and ends what is not found any more. What the database
    /// does not take is left to the next hook that finds the same; the log says so.
    pub fn update(
        &self,
        store: &mut dyn HookStore,
        context: &RunContext,
        kinds: &[AttentionKind],
        found: &[NewAttention],
        reason: &str,
    ) {
        let provenance = || Provenance::new(self.session.as_str(), reason);
        for kind in KINDS.into_iter().filter(|kind| kinds.contains(kind)) {
            let known = self.open.get(&kind);
            match found.iter().find(|new| new.kind == kind) {
                Some(new) => {
                    let digest = short_digest(json!(new).to_string().as_bytes());
                    if known != Some(&digest)
                        && log_failure(context, &store.raise_attention(new, &provenance()))
                    {
                        self.note(context, kind, Some(&digest));
                        // The client tells by itself that its agent waits.
                        if known.is_none() && kind != AttentionKind::WaitsForInput {
                            context.note_raised(&new.line);
                        }
                    }
                }
                None if known.is_some() => {
                    let id = Self::id_of(&self.session, kind);
                    if log_failure(context, &store.end_attention(&id, &provenance())) {
                        self.note(context, kind, None);
                    }
                }
                None => {}
            }
        }
    }

    /// Ends what differences were reported for that a later look at the session does not find any
    /// more: without them a hand-off would pass.
    pub fn end_resolved(
        store: &mut dyn HookStore,
        context: &RunContext,
        session: &SessionId,
        remaining: &[Divergence],
    ) {
        let mut resolved = Vec::new();
        if !remaining.iter().any(|found| found.code.blocks_handoff()) {
            resolved.push(AttentionKind::GateRefusal);
        }
        if !remaining.iter().any(|found| found.severity == Severity::Error) {
            resolved.push(AttentionKind::Divergence);
        }
        Self::read(context, session).update(store, context, &resolved, &[], "copies agree");
    }

    /// Returns the command by which somebody in any directory of this machine follows all of some
    /// advice for a session and ends its reports.
    pub fn command_from_anywhere(
        advice: &[Advice],
        context: &RunContext,
        session: &SessionId,
    ) -> Option<String> {
        let [first, ..] = advice else { return None };
        // What a person has to do first cannot be part of a command.
        if first.by_hand().is_some() {
            return Some(at_project(first.clone(), context, session).to_string());
        }
        let true_up = AdviceKind::TrueUpSession.into();
        let mut lines: Vec<CommandLine> = Vec::new();
        for advice in advice.iter().filter(|advice| advice.by_hand().is_none()).chain([&true_up]) {
            let mut advice = advice.clone();
            advice.set_session(session);
            if !lines.contains(&advice.command()) {
                lines.push(advice.command());
            }
        }
        let line = lines.into_iter().reduce(|line, next| line.and_then(&next))?;
        Some(line.in_directory(&context.project.dir).to_string())
    }

    /// Notes that a report is open, or is not.
    fn note(&self, context: &RunContext, kind: AttentionKind, digest: Option<&str>) {
        let path = note_path(context, &self.session, kind);
        let noted = match digest {
            Some(digest) => ensure_private_dir(&context.settings.paths.counters())
                .and_then(|()| write_private(&path, digest.as_bytes()))
                .map(drop),
            None => fs::remove_file(&path),
        };
        if let Err(error) = noted {
            context.log(LogLevel::Info, "reports", &error.to_string());
        }
    }
}

fn at_project(mut advice: Advice, context: &RunContext, session: &SessionId) -> Advice {
    advice.set_session(session);
    advice.set_directory(&context.project.dir);
    advice
}

fn note_path(context: &RunContext, session: &SessionId, kind: AttentionKind) -> PathBuf {
    context.settings.paths.counters().join(format!("{session}.{kind}"))
}

/// Returns whether the database took it.
fn log_failure(context: &RunContext, answer: &Result<(), StoreError>) -> bool {
    if let Err(error) = answer {
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
    if log_failure(context, &store.raise_attention(&report, &provenance)) {
        context.note_raised(&report.line);
    }
}
