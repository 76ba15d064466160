//! Reads HEAD of a repository with a reftable (`extensions.refStorage=reftable`).
//!
//! Only HEAD is read. References are sorted by name, so HEAD is in the first block, and the newest
//! table that contains it counts. A table has a header (`REFT`, version, block size) and then
//! blocks: `r`, a length of 3 bytes, and records. A record has the length of the prefix shared with
//! the previous name, the length of the rest of the name combined with the value type, that rest,
//! an update number, and the value.

use std::io::Read as _;
use std::path::Path;

use crate::bounds::{REFTABLE, REFTABLES};
use crate::fs::open_for_reading;

const HEAD_NAME: &[u8] = b"HEAD";

/// Header lengths by format version; the length of an object id in version 1.
const HEADER_BYTES: [usize; 2] = [24, 28];
const SHA1_BYTES: usize = 20;
const SHA256_BYTES: usize = 32;

/// What a table says about HEAD.
#[derive(Debug, PartialEq, Eq)]
enum TableHead {
    /// Nothing; older tables decide.
    Unnamed,
    /// It is a symbolic reference.
    Symbolic(String),
    /// It is detached or was removed.
    Other,
}

/// Returns the target of a worktree's HEAD, such as `refs/heads/main`.
pub(super) fn read_head_target(git_dir: &Path) -> Option<String> {
    let dir = git_dir.join("reftable");
    let tables = super::read_git_file(&dir.join("tables.list")).ok()?;
    for name in tables.lines().rev().take(REFTABLES.len()) {
        // A name must be a single file of the directory.
        if name.is_empty() || name.contains('/') {
            return None;
        }
        let (file, _) = open_for_reading(&dir.join(name), false).ok()?;
        let mut table = Vec::new();
        file.take(REFTABLE.most).read_to_end(&mut table).ok()?;
        match read_table_head(&table)? {
            TableHead::Unnamed => {}
            TableHead::Symbolic(name) => return Some(name),
            TableHead::Other => return None,
        }
    }
    None
}

/// Reads HEAD from a table; `None` if the format is unknown.
fn read_table_head(table: &[u8]) -> Option<TableHead> {
    let version = *table.strip_prefix(b"REFT")?.first()?;
    let header = *HEADER_BYTES.get(usize::from(version).checked_sub(1)?)?;
    let id = match table.get(24..header)? {
        b"" | b"sha1" => SHA1_BYTES,
        b"s256" => SHA256_BYTES,
        _ => return None,
    };
    let [b'r', a, b, c, ..] = table.get(header..)? else {
        // A table with nothing but logs.
        return Some(TableHead::Unnamed);
    };
    // The length of the first block includes the header.
    let end = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).ok()?;
    let records = match table.get(..end) {
        // The records are followed by offsets of 3 bytes and their count in 2.
        Some(block) => {
            let count = usize::from(u16::from_be_bytes(*block.last_chunk()?));
            block.get(header + 4..end.checked_sub(count * 3 + 2)?)?
        }
        None => table.get(header + 4..)?,
    };
    find_head_record(records, id)
}

fn find_head_record(records: &[u8], id: usize) -> Option<TableHead> {
    let mut left = records;
    let mut name = Vec::new();
    while !left.is_empty() {
        let prefix_length = read_varint(&mut left)?;
        let suffix_and_kind = read_varint(&mut left)?;
        let (length, kind) = (suffix_and_kind >> 3, suffix_and_kind & 7);
        name.truncate(prefix_length);
        name.extend_from_slice(take_bytes(&mut left, length)?);
        read_varint(&mut left)?;
        let value = match kind {
            0 => &[],
            1 => take_bytes(&mut left, id)?,
            2 => take_bytes(&mut left, id * 2)?,
            3 => {
                let length = read_varint(&mut left)?;
                take_bytes(&mut left, length)?
            }
            _ => return None,
        };
        match name.as_slice().cmp(HEAD_NAME) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Greater => return Some(TableHead::Unnamed),
            std::cmp::Ordering::Equal if kind == 3 => {
                let target = String::from_utf8(value.to_vec()).ok()?;
                return Some(TableHead::Symbolic(target));
            }
            std::cmp::Ordering::Equal => return Some(TableHead::Other),
        }
    }
    Some(TableHead::Unnamed)
}

fn take_bytes<'a>(left: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = left.split_at_checked(length)?;
    *left = rest;
    Some(taken)
}

/// Reads a variable-length number: 7 bits per byte, and each continuation adds one.
fn read_varint(left: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for position in 0.. {
        let (byte, rest) = left.split_first()?;
        *left = rest;
        if position > 0 {
            value = value.checked_add(1)?;
        }
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 127))?;
        if byte & 128 == 0 {
            break;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with one block of records.
    fn table(records: &[u8]) -> Vec<u8> {
        let mut table = b"REFT\x01\x00\x10\x00".to_vec();
        table.extend([0; 16]);
        let end = u32::try_from(HEADER_BYTES[0] + 4 + records.len() + 5).unwrap();
        table.push(b'r');
        table.extend(&end.to_be_bytes()[1..]);
        table.extend(records);
        table.extend([0, 0, 28, 0, 1]);
        table
    }

    #[test]
    fn head_is_found_among_others() {
        let before = [&[0, (3 << 3) | 1][..], b"BAD", &[0], &[7; SHA1_BYTES]].concat();
        let head = [&[0, (4 << 3) | 3][..], b"HEAD", &[0, 15], b"refs/heads/main"].concat();
        let after = [&[0, (6 << 3) | 1][..], b"refs/x", &[0], &[7; SHA1_BYTES]].concat();
        let found = TableHead::Symbolic("refs/heads/main".to_owned());
        let all = table(&[before.clone(), head.clone(), after.clone()].concat());
        assert_eq!(read_table_head(&all).as_ref(), Some(&found));
        assert_eq!(read_table_head(&table(&[before, after].concat())), Some(TableHead::Unnamed));
        let detached = [&[0, (4 << 3) | 1][..], b"HEAD", &[0], &[7; SHA1_BYTES]].concat();
        assert_eq!(read_table_head(&table(&detached)), Some(TableHead::Other));
        for length in 0..all.len() {
            // A truncated table is unknown or yields the same.
            let cut = read_table_head(&all[..length]);
            assert!(
                cut.is_none() || cut == Some(TableHead::Unnamed) || cut.as_ref() == Some(&found)
            );
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_no_numbers() {
        assert_eq!(read_varint(&mut &[0x80, 0x00][..]), Some(128));
        assert_eq!(read_varint(&mut &[0x7f][..]), Some(127));
        assert_eq!(read_varint(&mut &[0xff; 64][..]), None);
        assert_eq!(read_varint(&mut &[0xff; 3][..]), None);
    }
}
