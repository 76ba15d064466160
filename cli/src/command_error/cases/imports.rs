//! Errors of imports from other trackers, and of exports.

use crate::command_error::hint::{HintPart, HintPromise, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, error_cases};

error_cases! {
    /// Files of another tracker that cannot be used, or an export that cannot be written.
    ImportCase {
        /// A file of the tracker cannot be read, or is not of the format.
        ImportUnreadable => UNABLE "import_unreadable" {
            says "nothing was changed; choose a readable file, and its format with --format";
        }
        /// The format of the file is not known.
        FormatUnknown => UNABLE "import_unreadable" {
            says "nothing was changed; name the format with --format, or use \
                  `trueup plan import FILE` for a plan or a checklist";
        }
        /// The file has no record.
        NothingToImport => REFUSED "nothing_to_import" {
            says "a file of beads, task-master, Backlog.md, a task list of the client or an export \
                  has records; `trueup plan import FILE` reads plans and checklists";
        }
        /// The file to export to is something else.
        ExportInTheWay => UNABLE "export_exists" {
            says "an export replaces only an export of the same format; choose another name";
        }
        /// Two files of the tracker have the same ids, and the export names neither.
        ExportMixed => REFUSED "several_files" {
            says "export to the files that are named: each gets its own tasks";
        }
        /// The file to export to has what was not imported.
        ExportOverChanges { file: ShellWord } => REFUSED "changed_since_import" {
            runs "trueup item import {file}" "takes over what changed, or says why it does not";
        }
        /// The file to export to has lines that an import skips.
        ExportOverSkipped => REFUSED "changed_since_import" {
            says "mend or remove the lines that are named, or export to another file";
        }
        /// The export cannot be written.
        ExportUnwritable => UNABLE "export_unwritable" {
            says "check that the directory exists and is writable, and that the disk has space";
        }
    }
}
