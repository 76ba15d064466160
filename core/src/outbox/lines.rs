//! A file of checksummed JSON lines, appended by many processes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::text::redact::redact_json;

/// Bytes of a line's checksum.
const SUM_BYTES: usize = 8;

fn checksum(json: &str) -> String {
    hex(&Sha256::digest(json.as_bytes())[..SUM_BYTES])
}

/// What a file held.
#[derive(Debug)]
pub(super) struct Lines<T> {
    /// The whole lines, in order.
    pub(super) records: Vec<T>,
    /// Lines that are torn, damaged or of an unknown form, as they stand.
    pub(super) damaged: Vec<Vec<u8>>,
}

fn open_for_append(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        crate::settings::private_dir(folder)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Appends one record durably: one write at the end of the file, then a sync, so that records
/// of many processes never mix.
pub(super) fn append<T: Serialize>(path: &Path, record: &T) -> io::Result<()> {
    // What waits here is text like any other that leaves the session.
    let mut value = serde_json::to_value(record)?;
    redact_json(&mut value);
    let json = value.to_string();
    let mut file = open_for_append(path)?;
    // A record torn by a full disk has no end of line; starting on a new one keeps it from
    // spoiling this record too. Empty lines are skipped on reading.
    file.write_all(format!("\n{} {json}\n", checksum(&json)).as_bytes())?;
    file.sync_data()
}

/// Reads all whole records; a missing file holds none.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Lines<T>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let mut lines = Lines {
        records: Vec::new(),
        damaged: Vec::new(),
    };
    for line in bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let record = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.split_once(' '))
            .filter(|(sum, json)| checksum(json) == *sum)
            .and_then(|(_, json)| serde_json::from_str(json).ok());
        match record {
            Some(record) => lines.records.push(record),
            None => lines.damaged.push(line.to_vec()),
        }
    }
    Ok(lines)
}

/// Replaces the file by these records and the lines that could not be read; a file that would
/// be empty is removed. Durable in every step: a power failure leaves the old or the new.
pub(super) fn rewrite<T: Serialize>(
    path: &Path,
    records: &[T],
    damaged: &[Vec<u8>],
) -> io::Result<()> {
    if records.is_empty() && damaged.is_empty() {
        fs::remove_file(path)?;
        return sync_folder(path);
    }
    let draft = path.with_extension("draft");
    // Left by a process that was killed.
    if let Err(error) = fs::remove_file(&draft)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = open_for_append(&draft)?;
    for line in damaged {
        file.write_all(line)?;
        file.write_all(b"\n")?;
    }
    for record in records {
        let json = serde_json::to_string(record)?;
        file.write_all(format!("{} {json}\n", checksum(&json)).as_bytes())?;
    }
    file.sync_data()?;
    fs::rename(&draft, path)?;
    sync_folder(path)
}

/// Makes a rename or a removal durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_data(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/l.jsonl");
        append(&path, &"one").unwrap();
        append(&path, &"two").unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        append(&path, &"three").unwrap();
        let lines: Lines<String> = read(&path).unwrap();
        assert_eq!(lines.records, ["one", "three"]);
        assert_eq!(lines.damaged.len(), 1);
    }

    #[test]
    fn a_flipped_bit_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.jsonl");
        append(&path, &"value").unwrap();
        let flipped = fs::read_to_string(&path).unwrap().replace("value", "valuf");
        fs::write(&path, flipped).unwrap();
        assert_eq!(read::<String>(&path).unwrap().damaged.len(), 1);
    }
}
