//! How much of each input a hook reads.
//!
//! Anyone who shares a repository, a machine or a session can make an input arbitrarily large, and
//! a hook that is killed at its deadline does nothing at all. So every input has a bound here and
//! the code that reads it uses that bound. `tests/hooks/bounds.rs` creates, for each entry of the
//! table, an input far beyond the bound, and checks that the hook still answers in time.

/// What a bound counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of a file or a text.
    Bytes,
    /// Characters.
    Characters,
    /// Entries of a directory or a list.
    Entries,
    /// Comparisons of one character.
    Steps,
    /// Milliseconds.
    Milliseconds,
}

/// The bound of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The input, in words.
    pub input: &'static str,
    /// The most that is read.
    pub most: u64,
    /// The unit of `most`.
    pub unit: Unit,
    /// What happens to a larger input, in words.
    pub beyond: &'static str,
}

impl Bound {
    /// Returns the bound as a length.
    #[allow(clippy::len_without_is_empty, reason = "no bound is nothing")]
    pub const fn len(self) -> usize {
        // No bound is near the smallest address space.
        #[expect(clippy::cast_possible_truncation, reason = "bounds are small")]
        let most = self.most as usize;
        most
    }
}

macro_rules! bounds {
    ($($name:ident: $most:expr, $unit:ident, $input:literal, $beyond:literal;)*) => {
        $(
            #[doc = concat!("Bound of ", $input, "; above it: ", $beyond, ".")]
            pub const $name: Bound = Bound {
                input: $input,
                most: $most,
                unit: Unit::$unit,
                beyond: $beyond,
            };
        )*

        /// Every bound, in the order in which a hook meets them.
        pub const ALL: &[Bound] = &[$($name),*];
    };
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

bounds! {
    CONFIG: 256 * KIB, Bytes, "the user's config.toml",
        "the defaults are used, with a warning";
    PAYLOAD_WAIT: 5_000, Milliseconds, "the wait for a payload",
        "what has arrived is used; if nothing has, a warning is printed";
    PAYLOAD: 16 * MIB, Bytes, "the payload on stdin",
        "nothing is done, with a warning";
    PATH: 4 * KIB, Bytes, "a directory named by payload or environment",
        "the process's working directory is used, with a warning";
    PATH_PARTS: 256, Entries, "the parts of such a directory",
        "the process's working directory is used, with a warning";
    GIT_FILE: 64 * KIB, Bytes, "HEAD, .git, commondir and tables.list of a repository",
        "the repository or its branch is unknown";
    REFTABLE: 64 * KIB, Bytes, "the start of one reftable file",
        "the branch is unknown";
    REFTABLES: 64, Entries, "the reftable files of a worktree, newest first",
        "the branch is unknown";
    BRANCH: KIB, Bytes, "the name of a branch",
        "the branch is unknown";
    BRANCH_MATCHES: 16, Entries, "the matches of branch_pattern in one branch name",
        "the rest are ignored";
    PACKED_REFS: 4 * MIB, Bytes, "packed-refs of a repository",
        "no branch is suggested";
    BRANCHES: 2_000, Entries, "the branches searched for one to suggest",
        "the rest are not suggested";
    REPOSITORY_CONFIG: 256 * KIB, Bytes, "a repository's .trueup.toml",
        "it is ignored, with a warning";
    REFUSED_KEYS: 5, Entries, "the forbidden keys of a .trueup.toml that a warning names",
        "the rest are counted in the same line";
    HANDOFF_PATTERNS: 256, Entries, "handoff_commands",
        "the rest are ignored, with a warning";
    HANDOFF_PATTERN: 512, Bytes, "one of handoff_commands",
        "it is ignored, with a warning";
    BRANCH_PATTERN: KIB, Bytes, "branch_pattern",
        "the default is used, with a warning";
    COMMAND: 256 * KIB, Bytes, "a shell command",
        "it is treated as a hand-off command";
    COMMAND_STEPS: 8_000_000, Steps, "comparing a command with handoff_commands",
        "it is treated as a hand-off command";
    CACHE: MIB, Bytes, "a session's cache file",
        "it is set aside as corrupt, with a warning";
    CACHE_DIR: 4_096, Entries, "the files next to a cache searched for temporary files",
        "temporary files of killed processes may remain";
    OUTBOX: 16 * MIB, Bytes, "the waiting writes",
        "more writes are lost, with a warning; a warning is printed from half of this size on";
    OUTBOX_LINE: 256 * KIB, Bytes, "a line of the outbox",
        "it is set aside as damaged, with a warning";
    OUTBOX_BATCH: 128, Entries, "the writes of the outbox sent in one batch",
        "the rest are sent in more batches, while there is time, and by the next hooks";
    OUTBOX_COUNTED: 200_000, Entries, "the lines of a file of the outbox that are counted",
        "the rest are not counted; a full file has fewer";
    LOST_EDITS_SHOWN: 3, Entries, "the rejected edits reported one by one",
        "the rest are counted in one more line";
    DATABASE_NOTE: 16 * KIB, Bytes, "the record of the database at an address",
        "writes made while it is unreachable are for the database that is found there first";
    REPLICA: 4 * MIB, Bytes, "what is known of a session in a database on a server",
        "it is read from the server again";
    ANCESTORS: 16, Entries, "the parent processes of a hook, if the client does not set CLAUDE_PID",
        "the client's process is searched in its records";
    COMMAND_LINE: 256 * KIB, Bytes, "the command line of an interpreter among the parents of a hook",
        "it is not considered the client";
    CLIENT_RECORDS: 64, Entries, "the client's records of its sessions",
        "the client's process is unknown";
    CLIENT_RECORD: 64 * KIB, Bytes, "one of the client's records",
        "the client's process is unknown";
    EXCLUDE: MIB, Bytes, "info/exclude of a repository",
        "the cache is not added to it, with a note in the log";
    ENVIRONMENT_FILE: MIB, Bytes, "CLAUDE_ENV_FILE",
        "the session id is not exported, with a warning";
    WORKPLANS: 4_096, Entries, "the files of a directory of workplans",
        "the rest are not checked, with a warning";
    CHECK_MARKER: 64 * KIB, Bytes, "the record of packages with workplans",
        "only workplans at the root are watched";
    STATE: MIB, Bytes, "a repository's STATE.md",
        "hooks do not share it, with a warning; `trueup state sync` does";
    SHARED_STATE_RECORD: 16 * KIB, Bytes, "the record of the state shared last",
        "the state is shared again";
    PENDING_NOTICE: 16 * KIB, Bytes, "the notice for the next session about a session that ended",
        "the rest is only in the journal";
    TASK: 2_000, Characters, "a task",
        "the rest is cut";
    PAYLOAD_NAME: 500, Characters, "the id of a task or the reason of an end in a payload",
        "the rest is cut";
    NOTES: 32, Entries, "the lines on stderr and in the log of one call",
        "the rest are counted in one more line";
    NOTE: 4_000, Characters, "a line on stderr",
        "the rest is cut";
    LOG_LINE: 2_000, Characters, "a line of the log",
        "the rest is cut";
    LOG: MIB, Bytes, "the log",
        "it is rotated, and one old file is kept";
    MESSAGE: 9_500, Characters, "the text for a user or an agent in one answer",
        "the rest is cut, with a note";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_looks_through_as_many_entries_as_it_says() {
        assert_eq!(CACHE_DIR.most, crate::fs::MAX_SWEPT_ENTRIES);
    }

    #[test]
    fn every_input_stands_once_and_says_what_happens() {
        for (number, bound) in ALL.iter().enumerate() {
            assert!(bound.most > 0 && !bound.beyond.is_empty(), "{}", bound.input);
            let others = ALL.iter().skip(number + 1);
            assert!(others.clone().all(|other| other.input != bound.input));
        }
    }
}
