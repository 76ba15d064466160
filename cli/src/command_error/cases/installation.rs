//! Errors of installing, upgrading and removing trueup itself.

use crate::command_error::hint::HintPart;
use crate::command_error::table::{ErrorCase, ErrorRow, UNABLE, error_cases};

error_cases! {
    /// An installation that cannot be changed.
    InstallationCase {
        /// The installer is not beside the program.
        InstallerMissing => UNABLE "installer_missing" {
            says "run install.sh of a release archive or of a checkout; it brings trueup-install along";
        }
        /// The installer cannot be executed.
        InstallerUnusable => UNABLE "installer_unusable" {
            says "check that trueup-install is executable and made for this machine";
        }
    }
}
