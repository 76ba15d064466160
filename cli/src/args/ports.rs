//! `trueup ports`

use clap::Subcommand;
use trueup_core::model::ReservationId;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PortsCommand {
    /// Reserve the lowest free pair of ports; asking again gives the same
    ///
    /// Both ports can be bound when this returns; what listens there already is passed over.
    ///
    /// Example: trueup ports reserve 3af4a34d
    #[command(verbatim_doc_comment)]
    Reserve {
        /// For whom, such as a workflow's id
        id: ReservationId,
    },
    /// Give a pair of ports back
    ///
    /// Example: trueup ports release 3af4a34d
    #[command(verbatim_doc_comment)]
    Release {
        /// Whose
        id: ReservationId,
    },
    /// List who has which ports
    ///
    /// Example: trueup ports list
    #[command(verbatim_doc_comment)]
    List,
    /// Clear reservations older than 24 h whose owner is gone
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
