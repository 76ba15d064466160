//! What can go wrong with git.

use std::io;
use std::time::Duration;

use crate::text::one_line;

/// Most lines of what git said that are passed on.
const MAX_LINES: usize = 6;

/// Most characters of such a line.
const MAX_LINE_CHARS: usize = 300;

/// Something that git did not do.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git` in the search path.
    #[error("git was not found")]
    Missing,
    /// It, or a hook or a remote it waited for, was killed.
    #[error("{what} took longer than {limit:?} and was stopped")]
    TimedOut {
        /// What was run.
        what: &'static str,
        /// How long it was given.
        limit: Duration,
    },
    /// It refused or failed.
    #[error("{what} failed ({status}): {reason}")]
    Failed {
        /// What was run.
        what: &'static str,
        /// How it ended: `exit status: 128`.
        status: String,
        /// The lines of its output that say why, cleaned, joined with `; `.
        reason: String,
    },
    /// The remote has no such branch (any more).
    #[error("{remote} has no branch {branch_ref}")]
    NoSuchBranch {
        /// The remote's name.
        remote: String,
        /// The full name of the branch there.
        branch_ref: String,
    },
    /// Asking the remote would run what the repository names.
    #[error("{remote} was not contacted: {found}")]
    Untrusted {
        /// The remote's name.
        remote: String,
        /// What its address is.
        found: String,
    },
    /// It ended well, and yet things are not as they should be; or they are such that it was
    /// not even run.
    #[error("{what}: {found}")]
    NotAsExpected {
        /// What was run, or was to be run.
        what: &'static str,
        /// What was found.
        found: String,
    },
    /// It said more than a reader can hold.
    #[error("the output of {what} is too long")]
    TooLong {
        /// What was run.
        what: &'static str,
    },
    /// It could not be started or followed.
    #[error("{what}: {source}")]
    Io {
        /// What was run.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Finds the lines that say why: those from the first complaint on, else the last ones.
pub(super) fn extract_reason(stderr: &[u8], stdout: &[u8]) -> String {
    // What a commit has to complain of ("nothing to commit") stands in its standard output.
    [stderr, stdout]
        .into_iter()
        .find_map(find_complaint)
        .unwrap_or_else(|| "no reason given".to_owned())
}

fn find_complaint(output: &[u8]) -> Option<String> {
    const MARKS: [&str; 4] = ["fatal: ", "error: ", "remote: ", "! ["];
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !["", "remote:"].contains(line) && !line.starts_with("hint:"))
        .collect();
    let marked = |line: &&str| MARKS.iter().any(|mark| line.starts_with(mark));
    let first = lines
        .iter()
        .position(marked)
        .unwrap_or_else(|| lines.len().saturating_sub(MAX_LINES));
    let complaint_lines: Vec<String> = lines
        .into_iter()
        .skip(first)
        .take(MAX_LINES)
        .map(|line| one_line(line, MAX_LINE_CHARS))
        .collect();
    Some(complaint_lines.join("; ")).filter(|said| !said.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_say_why_are_found() {
        for (stderr, stdout, expected) in [
            (
                "fatal: not a git repository\n",
                "",
                "fatal: not a git repository",
            ),
            (
                "Author identity unknown\n\n*** Please tell me\n\nfatal: no email\n",
                "",
                "fatal: no email",
            ),
            (
                "To /r.git\n ! [rejected] main -> main (fetch first)\nerror: failed\nhint: x\n",
                "",
                "! [rejected] main -> main (fetch first); error: failed",
            ),
            (
                "error: would be overwritten by merge:\n\tfile\nPlease commit.\nAborting\nmore\n",
                "",
                "error: would be overwritten by merge:; file; Please commit.; Aborting; more",
            ),
            (
                "1\n2\n3\n4\n5\n\n6\nlint failed\r",
                "",
                "2; 3; 4; 5; 6; lint failed",
            ),
            (
                "hint: \n",
                "On branch main\nnothing to commit\n",
                "On branch main; nothing to commit",
            ),
            (
                "remote:\nremote: protected\nTo /r\n ! [remote rejected] main\n",
                "",
                "remote: protected; To /r; ! [remote rejected] main",
            ),
            ("\n", "", "no reason given"),
            ("a\u{1b}[31mred\u{7}\n", "", "ared"),
        ] {
            assert_eq!(
                extract_reason(stderr.as_bytes(), stdout.as_bytes()),
                expected
            );
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; 100_000];
        assert!(extract_reason(&long, b"").chars().count() <= MAX_LINE_CHARS);
        assert!(extract_reason(&vec![0xFF; 100_000], b"").chars().count() <= MAX_LINE_CHARS);
    }
}
