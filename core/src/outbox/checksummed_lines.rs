//! A file of checksummed JSON lines that many processes append to.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::bounds::OUTBOX;
use crate::fs::{
    create_private_dir, is_obstructed, is_still_at, move_obstacle_aside, open_to_append,
    read_bytes, sync_dir,
};
use crate::text::to_hex;

/// Largest file, in bytes: about 50,000 records. An append beyond it is refused.
pub(super) const MAX_FILE_BYTES: u64 = OUTBOX.most;

/// Bytes of a line's checksum.
const SUM_BYTES: usize = 8;

/// Most attempts to append to a file that drains keep taking over.
const MAX_ATTEMPTS: usize = 64;

pub(super) fn checksum(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes)[..SUM_BYTES])
}

/// The records of a file.
#[derive(Debug)]
pub(super) struct ChecksummedLines<T> {
    /// The intact records, in order.
    pub(super) records: Vec<T>,
    /// How many lines are torn, damaged or of an unknown format.
    pub(super) damaged: usize,
}

/// Parses one line without its line end; `None` if it is torn, damaged or of an unknown format.
pub(super) fn decode_line<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let (sum, json) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let is_whole = checksum(json.as_bytes()) == sum;
    is_whole.then(|| serde_json::from_str(json).ok()).flatten()
}

/// Returns whether a line looks like a record, without checking it.
pub(super) fn looks_like_record(line: &[u8]) -> bool {
    matches!(line.get(2 * SUM_BYTES..), Some([b' ', b'{', ..]))
}

/// Appends records durably in one write, so that records of several processes never mix.
pub(super) fn append_records<T: Serialize>(path: &Path, records: &[T]) -> io::Result<()> {
    append_bytes(path, encode_records(records)?.as_bytes())
}

/// Serializes records as lines.
pub(super) fn encode_records<T: Serialize>(records: &[T]) -> io::Result<String> {
    let mut text = String::new();
    for record in records {
        let json = serde_json::to_string(record)?;
        // A full disk can leave a record without its line end. Starting on a new line keeps it from
        // damaging this record too; readers skip empty lines.
        text.push('\n');
        text.push_str(&checksum(json.as_bytes()));
        text.push(' ');
        text.push_str(&json);
        text.push('\n');
    }
    Ok(text)
}

/// Appends bytes durably. A drain may take over the file during the write and read past its end;
/// the bytes are then written once more, to the file that has the name by then. Writing twice is
/// safe because a record takes effect once, by its operation id.
pub(super) fn append_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    for _ in 0..MAX_ATTEMPTS {
        let mut file = open_for_append(path)?;
        let size = file.metadata()?.len();
        if size.saturating_add(bytes.len() as u64) > MAX_FILE_BYTES {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                format!("{} is full: {} MiB", path.display(), MAX_FILE_BYTES >> 20_u8),
            ));
        }
        file.write_all(bytes)?;
        file.sync_data()?;
        if size == 0 {
            sync_parent_dir(path)?;
        }
        if is_still_at(&file, path)? {
            return Ok(());
        }
    }
    Err(io::Error::other("the file keeps being replaced"))
}

/// Appends bytes durably to a file that is never drained. A full file is renamed to `.1` and a new
/// one started.
pub(super) fn append_rotating(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match append_bytes(path, bytes) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            let mut old = path.as_os_str().to_owned();
            old.push(".1");
            move_obstacle_aside(Path::new(&old))?;
            fs::rename(path, &old)?;
            append_bytes(path, bytes)
        }
        other => other,
    }
}

fn open_for_append(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        create_private_dir(dir)?;
    }
    match open_to_append(path) {
        Err(_) if is_obstructed(path) => {
            move_obstacle_aside(path)?;
            open_to_append(path)
        }
        other => other,
    }
}

/// Reads all intact records; a missing file has none.
pub(super) fn read_records<T: DeserializeOwned>(path: &Path) -> io::Result<ChecksummedLines<T>> {
    // Older versions appended without a limit.
    let bytes = match read_bytes(path, 4 * MAX_FILE_BYTES, false) {
        Ok(bytes) => bytes,
        Err(_) if is_obstructed(path) => Vec::new(),
        Err(error) if is_not_found(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut lines = ChecksummedLines { records: Vec::new(), damaged: 0 };
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match decode_line(line) {
            Some(record) => lines.records.push(record),
            None => lines.damaged += 1,
        }
    }
    Ok(lines)
}

/// Returns whether an error means that the file does not exist.
pub(super) fn is_not_found(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Removes a file, if it exists.
pub(super) fn remove_if_present(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_not_found(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Makes a rename or a removal in the file's directory durable.
pub(super) fn sync_parent_dir(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) => sync_dir(dir),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_loses_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/l.jsonl");
        append_records(&path, &["one"]).unwrap();
        append_records(&path, &["two"]).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        append_records(&path, &["three", "four"]).unwrap();
        let lines: ChecksummedLines<String> = read_records(&path).unwrap();
        assert_eq!(lines.records, ["one", "three", "four"]);
        assert_eq!(lines.damaged, 1);
    }

    #[test]
    fn a_corrupt_line_is_rejected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l.jsonl");
        append_records(&path, &["value"]).unwrap();
        let flipped = fs::read_to_string(&path).unwrap().replace("value", "valuf");
        fs::write(&path, flipped).unwrap();
        assert_eq!(read_records::<String>(&path).unwrap().damaged, 1);
    }

    #[test]
    fn a_line_over_the_size_limit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l.jsonl");
        append_records(&path, &["first"]).unwrap();
        let huge = "x".repeat(usize::try_from(MAX_FILE_BYTES).unwrap());
        let refused = append_records(&path, &[huge]).unwrap_err();
        assert!(refused.to_string().contains("is full"), "{refused}");
        assert_eq!(read_records::<String>(&path).unwrap().records, ["first"]);
    }
}
