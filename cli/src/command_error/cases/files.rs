//! Errors of files, of the journal and of trueup itself.

use crate::command_error::hint::{HintPart, HintPromise};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, error_cases};

error_cases! {
    /// A file that cannot be read or written.
    FileCase {
        /// A file cannot be read or written.
        File => UNABLE "io" {
            says "check that the file and its directory exist and are writable, and that the disk has space";
        }
        /// A text that agents are to read cannot be read.
        TextUnreadable => UNABLE "io" {
            says "make it a regular file of UTF-8 text, not a symlink, that you may read";
        }
        /// A directory that a command was given does not exist.
        NoDirectory => UNABLE "io" {
            says "give an existing directory";
        }
        /// The data directory of trueup cannot be written.
        DataDirectory => UNABLE "io" {
            says "check that trueup's data directory is writable and that the disk has space";
        }
        /// The journal cannot be written.
        JournalUnwritable => UNABLE "journal_unwritable" {
            says "check that trueup's data directory is writable and that the disk has space";
        }
        /// The journal cannot be read.
        JournalUnreadable => UNABLE "journal_unreadable" {
            says "check its permissions, or move it away to start a new one";
        }
        /// The journal has no such entry.
        EntryNotFound => REFUSED "entry_not_found" {
            runs "trueup journal list" "shows the entries";
        }
        /// The outbox has no such write, or several that begin so.
        WriteNotFound => REFUSED "write_not_found" {
            runs "trueup outbox list" "shows the writes";
        }
        /// There was no time to send all that waits, or another process sends it.
        WritesWait => UNABLE "writes_wait" {
            says "try again, it goes on where it stopped; TRUEUP_DEADLINE_MS raises the limit";
        }
        /// Another process keeps the file locked.
        FileBusy => UNABLE "file_busy" {
            says "try again; TRUEUP_DEADLINE_MS raises the limit";
        }
        /// A defect of trueup itself.
        Internal => UNABLE "internal" {
            says "this is a bug in trueup; please report it";
        }
    }
}
