//! How much of each input a hook takes.
//!
//! Whoever shares a repository, a machine or a session can make any input as large as he likes,
//! and a hook that is killed at its deadline does nothing at all. So every input has a bound
//! here, the code that reads it uses this bound, and `tests/hooks/bounds.rs` goes over the table:
//! for each entry it makes an input far beyond the bound, and the hook still answers in time.

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
    /// What is bounded.
    pub input: &'static str,
    /// The most that is taken.
    pub most: u64,
    /// What `most` counts.
    pub unit: Unit,
    /// What happens to an input beyond it.
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
            #[doc = concat!("Of ", $input, "; beyond: ", $beyond, ".")]
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
        "the defaults hold, and it is said";
    PAYLOAD_WAIT: 5_000, Milliseconds, "the wait for a payload",
        "what is there counts, and it is said when that is nothing";
    PAYLOAD: 16 * MIB, Bytes, "the payload on stdin",
        "nothing is done, and it is said";
    PATH: 4 * KIB, Bytes, "a directory named by payload or environment",
        "the process's own directory counts, and it is said";
    PATH_PARTS: 256, Entries, "the parts of such a directory",
        "the process's own directory counts, and it is said";
    GIT_FILE: 64 * KIB, Bytes, "HEAD, .git, commondir and tables.list of a repository",
        "the repository or its branch is unknown";
    REFTABLE: 64 * KIB, Bytes, "the beginning of one table of references",
        "the branch is unknown";
    REFTABLES: 64, Entries, "the tables of references of a worktree, the newest first",
        "the branch is unknown";
    BRANCH: KIB, Bytes, "the name of a branch",
        "the branch is unknown";
    BRANCH_MATCHES: 16, Entries, "what branch_pattern matches in one branch",
        "the others name no item";
    PACKED_REFS: 4 * MIB, Bytes, "packed-refs of a repository",
        "no branch is advised";
    BRANCHES: 2_000, Entries, "the branches looked through for one to advise",
        "the others are not advised";
    REPOSITORY_CONFIG: 256 * KIB, Bytes, "a repository's .trueup.toml",
        "it is ignored, and it is said";
    REFUSED_KEYS: 5, Entries, "the keys named that a .trueup.toml may not set",
        "the others are counted, in the same line";
    HANDOFF_PATTERNS: 256, Entries, "handoff_commands",
        "the others are ignored, and it is said";
    HANDOFF_PATTERN: 512, Bytes, "one of handoff_commands",
        "it is ignored, and it is said";
    BRANCH_PATTERN: KIB, Bytes, "branch_pattern",
        "the default holds, and it is said";
    COMMAND: 256 * KIB, Bytes, "a shell command",
        "it counts as one that hands work on";
    COMMAND_STEPS: 8_000_000, Steps, "the comparison of a command with handoff_commands",
        "it counts as one that hands work on";
    CACHE: MIB, Bytes, "a session's cache file",
        "it is set aside as corrupt, and it is said";
    CACHE_FOLDER: 4_096, Entries, "the files beside a cache looked through for drafts",
        "drafts of killed processes may stay";
    OUTBOX: 16 * MIB, Bytes, "the writes that wait",
        "a further one is lost, and it is said; so it is from half of that on";
    OUTBOX_LINE: 256 * KIB, Bytes, "a line of the outbox",
        "it is put aside as damaged, and it is said";
    OUTBOX_BATCH: 128, Entries, "the writes of the outbox sent at once",
        "the others are sent in further batches, as far as there is time, and by the next hooks";
    OUTBOX_COUNTED: 200_000, Entries, "the lines of a file of the outbox that are counted",
        "the others are not counted; a full file has fewer";
    LOST_TOLD: 3, Entries, "the lost edits told one by one",
        "the others are counted, in one more line";
    DATABASE_NOTE: 16 * KIB, Bytes, "what is known of the database at an address",
        "what is written while it cannot be asked belongs to the address alone";
    ANCESTORS: 16, Entries, "the processes above a hook, where the client does not name its own",
        "the client's process is looked for among its records";
    COMMAND_LINE: 256 * KIB, Bytes, "the command line of an interpreter above a hook",
        "it is not the client";
    CLIENT_RECORDS: 64, Entries, "the client's records of its sessions",
        "the client's process is unknown";
    CLIENT_RECORD: 64 * KIB, Bytes, "one of the client's records",
        "the client's process is unknown";
    EXCLUDE: MIB, Bytes, "info/exclude of a repository",
        "the cache is not put into it, and the log says so";
    ENVIRONMENT_FILE: MIB, Bytes, "CLAUDE_ENV_FILE",
        "the session is not exported, and it is said";
    WORKPLANS: 4_096, Entries, "the files of a directory of workplans",
        "the others are not looked at, and it is said";
    STATE: MIB, Bytes, "a repository's STATE.md",
        "`trueup state sync` passes it on, as when it cannot be read for secrets in time, and it \
         is said";
    PASSED_MARK: 16 * KIB, Bytes, "the note of what was passed on last",
        "the state is passed on again";
    UNTOLD: 16 * KIB, Bytes, "what the next session of a project is told of the one that ended",
        "the rest is in the journal alone";
    TASK: 2_000, Characters, "a task",
        "the rest is cut";
    PAYLOAD_NAME: 500, Characters, "the id of a task or the reason of an end in a payload",
        "the rest is cut";
    NOTES: 32, Entries, "the lines on stderr and in the log of one call",
        "the others are counted, in one more line";
    NOTE: 4_000, Characters, "a line on stderr",
        "the rest is cut";
    LOG_LINE: 2_000, Characters, "a line of the log",
        "the rest is cut";
    LOG: MIB, Bytes, "the log",
        "it starts anew, and one old file is kept";
    MESSAGE: 9_500, Characters, "what a user or a model is told at once",
        "the rest is cut, and it is said";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_looks_through_as_many_entries_as_it_says() {
        assert_eq!(CACHE_FOLDER.most, crate::fs::MAX_SWEPT_ENTRIES);
    }

    #[test]
    fn every_input_stands_once_and_says_what_happens() {
        for (number, bound) in ALL.iter().enumerate() {
            assert!(
                bound.most > 0 && !bound.beyond.is_empty(),
                "{}",
                bound.input
            );
            let others = ALL.iter().skip(number + 1);
            assert!(others.clone().all(|other| other.input != bound.input));
        }
    }
}
