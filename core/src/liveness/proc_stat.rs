//! Parses `/proc/PID/stat`.

use std::io;
use std::path::Path;

use crate::fs::read_bytes;

/// The fields that are read of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProcStat {
    /// The pid of its parent.
    pub(super) parent: u32,
    /// When it started, in ticks since boot.
    pub(super) started: u64,
    /// Whether it is a zombie.
    pub(super) ended: bool,
}

/// Largest file of `/proc` that is read, in bytes.
pub(super) const MAX_PROC_FILE_BYTES: u64 = 64 * 1024;

/// Reads the file of a process.
pub(super) fn read_stat(pid: u32) -> io::Result<Vec<u8>> {
    read_bytes(Path::new(&format!("/proc/{pid}/stat")), MAX_PROC_FILE_BYTES, true)
}

/// Parses fields 3, 4 and 22. The name in field 2 may contain spaces, parentheses and half a
/// character, so the other fields are counted from its last closing parenthesis, in bytes.
pub(super) fn parse_stat(stat: &[u8]) -> Option<ProcStat> {
    let name_ends = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_ends + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(ProcStat { parent, started, ended })
}

/// Returns the name of a process, which the kernel truncates.
pub(super) fn find_process_name(stat: &[u8]) -> Option<&[u8]> {
    let begins = stat.iter().position(|byte| *byte == b'(')? + 1;
    let ends = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(begins..ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 4242 19 20";

    #[test]
    fn a_name_of_any_bytes_misleads_nobody() {
        for name_of in ["sh", "a b", "x) S 1 2 (y", ""] {
            let text = format!("77 ({name_of}) S 42 {REST}");
            let expected = ProcStat { parent: 42, started: 4242, ended: false };
            assert_eq!(parse_stat(text.as_bytes()), Some(expected), "{text}");
            assert_eq!(find_process_name(text.as_bytes()), Some(name_of.as_bytes()));
        }
        assert!(parse_stat(format!("1 (x) Z 1 {REST}").as_bytes()).unwrap().ended);
    }

    #[test]
    fn what_is_cut_or_strange_is_nothing() {
        for text in ["", "77", "77 (sh", "77 (sh) S", "77 (sh) S 42 1 2", "77 (sh) S x 1"] {
            assert_eq!(parse_stat(text.as_bytes()), None, "{text}");
        }
    }
}
