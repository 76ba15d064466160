//! Errors of git calls.

use std::io;
use std::time::Duration;

use crate::text::one_line;

/// Most lines of git's output that an error quotes.
const MAX_LINES: usize = 6;

/// Most characters of such a line.
const MAX_LINE_CHARS: usize = 300;

/// Why a git operation failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git` in `PATH`.
    #[error("git was not found")]
    Missing,
    /// It was killed, or a hook or remote that it waited for was.
    #[error("{what} took longer than {limit:?} and was stopped")]
    TimedOut {
        /// The command.
        what: &'static str,
        /// Its time limit.
        limit: Duration,
    },
    /// It refused or failed.
    #[error("{what} failed ({status}): {reason}")]
    Failed {
        /// The command.
        what: &'static str,
        /// How it ended, such as `exit status: 128`.
        status: String,
        /// The lines of its output that say why, cleaned and joined with `; `.
        reason: String,
    },
    /// The remote has no such branch, or no longer.
    #[error("{remote} has no branch {branch_ref}")]
    NoSuchBranch {
        /// The remote's name.
        remote: String,
        /// The full name of the branch on the remote.
        branch_ref: String,
    },
    /// Contacting the remote would run a program that the repository names.
    #[error("{remote} was not contacted: {found}")]
    Untrusted {
        /// The remote's name.
        remote: String,
        /// What is wrong with its address.
        found: String,
    },
    /// It succeeded, but the result is not as expected; or the state was so unexpected that it was
    /// not run.
    #[error("{what}: {found}")]
    NotAsExpected {
        /// The command that was run, or was to be run.
        what: &'static str,
        /// What was found.
        found: String,
    },
    /// Its output is too long.
    #[error("the output of {what} is too long")]
    TooLong {
        /// The command.
        what: &'static str,
    },
    /// It could not be started or its output not be read.
    #[error("{what}: {source}")]
    Io {
        /// The command.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

/// Extracts the lines that say why: from the first complaint on, else the last ones.
pub(super) fn extract_reason(stderr: &[u8], stdout: &[u8]) -> String {
    // A commit prints "nothing to commit" to its standard output.
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
    let first =
        lines.iter().position(marked).unwrap_or_else(|| lines.len().saturating_sub(MAX_LINES));
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
            ("fatal: not a git repository\n", "", "fatal: not a git repository"),
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
            ("1\n2\n3\n4\n5\n\n6\nlint failed\r", "", "2; 3; 4; 5; 6; lint failed"),
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
            assert_eq!(extract_reason(stderr.as_bytes(), stdout.as_bytes()), expected);
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; 100_000];
        assert!(extract_reason(&long, b"").chars().count() <= MAX_LINE_CHARS);
        assert!(extract_reason(&vec![0xFF; 100_000], b"").chars().count() <= MAX_LINE_CHARS);
    }
}
