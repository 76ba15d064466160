//! Errors of the metadata files of workflows.

use crate::command_error::hint::{HintPart, HintPromise, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, error_cases};

error_cases! {
    /// A metadata file that cannot be used, or a change of one that was refused.
    MetadataCase {
        /// The metadata file does not exist.
        MetadataNotFound { id: ShellWord } => REFUSED "metadata_not_found" {
            ends "trueup meta set {id} adw_id={id}" "creates it";
        }
        /// The database owns the field.
        FieldOfDatabase => REFUSED "database_owned" {
            runs "trueup queue list" "shows the values in the database";
        }
        /// The metadata file does not have the field.
        FieldNotFound { id: ShellWord } => REFUSED "field_not_found" {
            runs "trueup meta get {id}" "shows all fields";
        }
        /// The id differs from that of the folder.
        IdMismatch => REFUSED "id_mismatch" {
            says "a workflow with another id needs its own directory";
        }
        /// The workflow lacks what the phase needs.
        PhaseContract => REFUSED "phase_contract" {
            says "set missing fields with `trueup meta set ID FIELD=VALUE`";
        }
        /// The phase names a workflow id that is invalid.
        PhaseWorkflow => REFUSED "phase_contract" {
            says "its adw_id has no metadata file; add the item's phases again with --adw ID";
        }
        /// The metadata file cannot be parsed.
        MetadataCorrupt => UNABLE "metadata_corrupt" {
            says "the file was not changed; correct that line";
        }
        /// The metadata file is a symbolic link.
        MetadataSymlink => UNABLE "metadata_symlink" {
            says "replace the symlink with the file itself";
        }
        /// Another process keeps the file locked.
        MetadataBusy => UNABLE "metadata_busy" {
            says "try again; TRUEUP_DEADLINE_MS raises the limit";
        }
    }
}
