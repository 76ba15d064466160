//! `trueup ports`

use clap::Subcommand;
use trueup_core::model::ReservationId;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PortsCommand {
    /// Reserve the lowest free pair of ports; repeating it returns the same pair
    ///
    /// Both ports can be bound when this returns; pairs with a port in use are skipped.
    ///
    /// Example: trueup ports reserve 3af4a34d
    #[command(verbatim_doc_comment)]
    Reserve {
        /// Workflow id
        id: ReservationId,
    },
    /// Release a pair of ports
    ///
    /// Example: trueup ports release 3af4a34d
    #[command(verbatim_doc_comment)]
    Release {
        /// Workflow id
        id: ReservationId,
    },
    /// List reserved ports
    ///
    /// Example: trueup ports list
    #[command(verbatim_doc_comment)]
    List,
    /// Remove reservations older than 24 h whose owner is gone
    ///
    /// Example: trueup ports sweep
    #[command(verbatim_doc_comment)]
    Sweep,
}

impl PortsCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Reserve { .. } => "ports reserve",
            Self::Release { .. } => "ports release",
            Self::List => "ports list",
            Self::Sweep => "ports sweep",
        }
    }
}
