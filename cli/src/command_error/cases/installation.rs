//! Errors of installing, upgrading and removing trueup itself.

use crate::command_error::hint::HintPart;
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, error_cases};

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
        /// No record tells how trueup was installed.
        NotInstalled => UNABLE "not_installed" {
            says "install trueup first, or name a release archive with --from FILE";
        }
        /// The newest release cannot be found out or downloaded.
        ReleaseUnreachable => UNABLE "release_unreachable" {
            says "check the network, or fetch the archive elsewhere and give it with --from FILE";
        }
        /// What was downloaded is not what the release lists, or nothing is for this machine.
        ReleaseUnfit => UNABLE "release_unfit" {
            says "nothing was changed; try again later, or install from a checkout";
        }
        /// An older version would replace a newer one.
        Downgrade => REFUSED "downgrade" {
            says "with --force the older version is installed; it may not know the schema of the database";
        }
        /// It is no archive or directory of a release.
        ArchiveUnusable => UNABLE "archive_unusable" {
            says "give a release archive, or the directory that it unpacks to; unpacking needs tar and xz";
        }
    }
}
