//! The command that answers a hand-off.

use trueup_core::model::Handoff;
use trueup_core::text::CommandLine;

/// Builds the command that takes what a hand-off offers.
pub(super) fn build_accept_command(handoff: &Handoff) -> CommandLine {
    CommandLine::new("trueup handoff accept").with_word(handoff.id.as_str())
}
