//! Errors of hand-offs.

use crate::command_error::hint::{CommandChoice, HintPart, HintPromise, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, error_cases};

error_cases! {
    /// A hand-off that was refused.
    HandoffCase {
        /// Copies of the state differ.
        NotConsistent { ways: CommandChoice } => REFUSED "not_consistent" {
            ends "{ways}" "resolves the difference";
        }
        /// Copies of the state differ, and no command resolves it.
        NotConsistentForGood => REFUSED "not_consistent" {
            says "the item cannot be handed off until the copies agree";
        }
        /// An open hand-off of the item exists.
        HandoffOpen { handoff: ShellWord } => REFUSED "handoff_open" {
            ends "trueup handoff reject {handoff} --reason withdrawn" "withdraws it";
        }
        /// A session cannot hand an item on to itself.
        HandoffToItself => REFUSED "handoff_to_itself" {
            says "omit --to to let any session accept it";
        }
        /// The hand-off does not exist.
        HandoffNotFound => REFUSED "handoff_not_found" {
            runs "trueup handoff list" "shows the open ones";
        }
        /// The hand-off has been accepted or rejected already.
        HandoffDecided { handoff: ShellWord } => REFUSED "handoff_decided" {
            runs "trueup handoff show {handoff}" "shows who decided";
        }
        /// The hand-off is addressed to another session.
        HandoffNotAddressed { handoff: ShellWord } => REFUSED "not_addressed" {
            runs "trueup handoff show {handoff}" "shows the receiver";
        }
        /// A session cannot accept its own hand-off.
        OwnHandoff { handoff: ShellWord } => REFUSED "own_handoff" {
            runs "trueup handoff reject {handoff} --reason withdrawn" "withdraws it";
        }
        /// The item of the hand-off was removed.
        HandoffItemNotFound { handoff: ShellWord } => REFUSED "item_not_found" {
            runs "trueup handoff reject {handoff} --reason gone" "closes the hand-off";
        }
        /// The item of the hand-off is finished.
        HandoffItemFinished { handoff: ShellWord } => REFUSED "item_finished" {
            runs "trueup handoff reject {handoff} --reason finished" "closes the hand-off";
        }
        /// The sender of the hand-off lost the item.
        HandoffOutlived { handoff: ShellWord } => REFUSED "stale_epoch" {
            runs "trueup handoff reject {handoff} --reason outlived" "closes the hand-off";
            says "ask the sender for a new one";
        }
    }
}
