//! Errors of resolving the session that a command acts for.

use trueup_core::text::CommandLine;

use crate::command_error::hint::{HintPart, HintPromise, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, USAGE, error_cases};

error_cases! {
    /// A session that is missing, ambiguous, ended or not registered.
    CallerCase {
        /// No session was named, and none can be determined.
        NoSession => USAGE "no_session" {
            runs "trueup sessions list" "shows the sessions";
            says "name one with --session ID, or run this inside Claude Code or another agent";
        }
        /// The id is a prefix of several ids.
        AmbiguousId { list: CommandLine } => USAGE "ambiguous_id" {
            runs "{list}" "lists them";
            says "write more of the id";
        }
        /// The session has ended; commands do not revive it.
        SessionEnded { session: ShellWord } => REFUSED "session_ended" {
            ends "claude --resume {session}" "resumes it";
            runs "trueup sessions show {session}" "shows it";
        }
        /// The session is dead: its lease is over, or a sweep took it for lost.
        SessionDied { session: ShellWord } => REFUSED "session_ended" {
            ends "claude --resume {session}" "resumes it";
            runs "trueup sessions show {session}" "shows it";
        }
        /// The session is not registered.
        PhantomSession => REFUSED "phantom_session" {
            runs "trueup sessions list" "shows the registered sessions";
            says "a session is registered when Claude Code or Codex starts with the plugin";
        }
    }
}
