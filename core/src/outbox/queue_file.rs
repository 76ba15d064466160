//! A queue of waiting writes in one file.
//!
//! Writes are appended to `NAME.jsonl`. A drain renames that file to `NAME.taken.jsonl` and saves
//! its progress in `NAME.sent.jsonl`, so that it never rewrites records it has passed. Obstacles
//! that a crash left in place of one of these files are moved aside, so that they block neither the
//! taken nor the new writes.
//!
//! Records that can neither be sent nor moved aside stay at the beginning of `NAME.taken.jsonl`.
//! Writes that were appended meanwhile become `NAME.next.jsonl` and are joined to it.

use std::fs::{self, File};
use std::io::{
    self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checksummed_lines;
use super::pending_write::PendingWrite;
use crate::bounds::{OUTBOX_BATCH, OUTBOX_COUNTED, OUTBOX_LINE};
use crate::fs::{is_obstructed, move_obstacle_aside, open_for_reading, write_private};
use crate::model::Timestamp;

/// Bytes per read.
const CHUNK_BYTES: u64 = OUTBOX_LINE.most;

/// Bytes per window. A batch of the longest records a hook writes is smaller, so that a drain
/// always progresses by a whole batch.
const WINDOW_BYTES: usize = 8 * OUTBOX_LINE.len();

/// Bytes at the beginning of a file that identify it.
const HEAD_BYTES: u64 = 512;

/// How far a drain came in the file whose beginning has this checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DrainMark {
    head: String,
    offset: u64,
}

/// A line and the offset of its end.
#[derive(Debug)]
pub(super) struct QueueLine {
    pub(super) end: u64,
    pub(super) content: LineContent,
}

/// The content of a line.
#[derive(Debug)]
pub(super) enum LineContent {
    /// An intact record.
    Record(Box<PendingWrite>),
    /// A torn, damaged or unknown line, as it is.
    Damaged(Vec<u8>),
}

/// The next lines of a file that was taken over.
#[derive(Debug)]
pub(super) struct LineWindow {
    pub(super) lines: Vec<QueueLine>,
    /// The offset after the window.
    pub(super) end: u64,
    /// Whether the file ends here.
    pub(super) is_last: bool,
}

/// How many writes wait, and since when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct QueueCount {
    pub(super) records: usize,
    pub(super) oldest_at: Option<Timestamp>,
}

/// A file that a drain took over.
#[derive(Debug)]
pub(super) struct TakenFile {
    file: File,
    head: String,
    pub(super) offset: u64,
}

/// The queue's file, with the paths of its companions.
#[derive(Debug, Clone)]
pub(super) struct QueueFile {
    landing: PathBuf,
}

impl QueueFile {
    pub(super) const fn new(landing: PathBuf) -> Self {
        Self { landing }
    }

    pub(super) fn landing_path(&self) -> &Path {
        &self.landing
    }

    pub(super) fn taken_path(&self) -> PathBuf {
        self.landing.with_extension("taken.jsonl")
    }

    /// Writes that were appended while unmovable records stayed, until both are joined.
    fn next_path(&self) -> PathBuf {
        self.landing.with_extension("next.jsonl")
    }

    fn mark_path(&self) -> PathBuf {
        self.landing.with_extension("sent.jsonl")
    }

    /// Returns whether nothing waits. Usually costs two lookups in the directory.
    pub(super) fn is_absent(&self) -> bool {
        fs::symlink_metadata(&self.landing).is_err()
            && fs::symlink_metadata(self.taken_path()).is_err()
    }

    /// Opens the file that an earlier drain left, else takes over what was appended since.
    pub(super) fn take_over(&self) -> io::Result<Option<TakenFile>> {
        let taken = self.taken_path();
        move_obstacle_aside(&taken)?;
        match self.open_taken() {
            Err(error) if checksummed_lines::is_not_found(&error) => {}
            other => return other.map(Some),
        }
        move_obstacle_aside(&self.landing)?;
        // A mark of an earlier file says nothing about this one.
        self.remove_mark()?;
        match fs::rename(&self.landing, &taken) {
            Err(error) if checksummed_lines::is_not_found(&error) => return Ok(None),
            other => other?,
        }
        checksummed_lines::sync_parent_dir(&taken)?;
        self.open_taken().map(Some)
    }

    fn open_taken(&self) -> io::Result<TakenFile> {
        let (mut file, size) = open_for_reading(&self.taken_path(), false)?;
        let mut head = Vec::new();
        (&mut file).take(HEAD_BYTES).read_to_end(&mut head)?;
        let head = checksummed_lines::checksum(&head);
        let offset = self.find_offset(&head, size);
        Ok(TakenFile { file, head, offset })
    }

    /// Finds how far an earlier drain came. An unreadable mark, or one of another file, counts as
    /// none: a record that is sent twice takes effect once.
    fn find_offset(&self, head: &str, size: u64) -> u64 {
        let marks = checksummed_lines::read_records::<DrainMark>(&self.mark_path())
            .map_or_else(|_| Vec::new(), |l| l.records);
        let is_of_this_file = |mark: &&DrainMark| mark.head == head && mark.offset <= size;
        marks.iter().rfind(is_of_this_file).map_or(0, |mark| mark.offset)
    }

    fn remove_mark(&self) -> io::Result<()> {
        let mark = self.mark_path();
        move_obstacle_aside(&mark)?;
        checksummed_lines::remove_if_present(&mark)
    }

    /// Saves the progress of a drain durably.
    pub(super) fn save_progress(&self, taken: &TakenFile) -> io::Result<()> {
        let mark = DrainMark { head: taken.head.clone(), offset: taken.offset };
        checksummed_lines::append_records(&self.mark_path(), &[mark])
    }

    /// Removes a file that was processed to its end.
    pub(super) fn remove_taken(&self) -> io::Result<()> {
        // A crash may have left a file that was not joined yet.
        match fs::rename(self.next_path(), self.taken_path()) {
            Err(error) if checksummed_lines::is_not_found(&error) => {
                checksummed_lines::remove_if_present(&self.taken_path())?;
            }
            other => other?,
        }
        self.remove_mark()?;
        checksummed_lines::sync_parent_dir(&self.landing)
    }

    /// Keeps unmovable records in front of the records that were not processed yet.
    pub(super) fn keep_before_rest(&self, taken: &TakenFile, unmovable: &[u8]) -> io::Result<()> {
        let (mut rest, _) = open_for_reading(&self.taken_path(), false)?;
        rest.seek(SeekFrom::Start(taken.offset))?;
        self.replace_taken(unmovable, &mut rest)
    }

    /// Keeps the unmovable records of a fully processed file in front of what was appended since.
    /// Returns whether anything was appended.
    pub(super) fn keep_before_landed(
        &self,
        unmovable: &[u8],
        is_unchanged: bool,
    ) -> io::Result<bool> {
        match self.take_landed()? {
            Some(mut landed) => {
                self.replace_taken(unmovable, &mut landed)?;
                checksummed_lines::remove_if_present(&self.next_path())?;
                Ok(true)
            }
            None if is_unchanged => Ok(false),
            None => self.replace_taken(unmovable, &mut io::empty()).map(|()| false),
        }
    }

    fn take_landed(&self) -> io::Result<Option<File>> {
        let next = self.next_path();
        move_obstacle_aside(&next)?;
        if fs::symlink_metadata(&next).is_err() {
            move_obstacle_aside(&self.landing)?;
            match fs::rename(&self.landing, &next) {
                Err(error) if checksummed_lines::is_not_found(&error) => return Ok(None),
                other => other?,
            }
        }
        open_for_reading(&next, false).map(|(file, _)| Some(file))
    }

    /// Replaces the file that was taken over. The old one stays intact until then; its mark does
    /// not apply to the new one and is removed first.
    fn replace_taken(&self, unmovable: &[u8], rest: &mut impl io::Read) -> io::Result<()> {
        let draft = self.landing.with_extension("taken.draft");
        move_obstacle_aside(&draft)?;
        let mut file = write_private(&draft, unmovable)?;
        // The kept records end a line; the rest may begin in the middle of one.
        file.write_all(b"\n")?;
        io::copy(rest, &mut file)?;
        file.sync_all()?;
        self.remove_mark()?;
        fs::rename(&draft, self.taken_path())?;
        checksummed_lines::sync_parent_dir(&self.landing)
    }

    /// Lists all waiting writes in order.
    pub(super) fn list_waiting(&self) -> io::Result<Vec<PendingWrite>> {
        self.list_first(4 * checksummed_lines::MAX_FILE_BYTES)
    }

    /// Lists the waiting writes in the first so many bytes of each of the queue's files.
    pub(super) fn list_first(&self, bytes: u64) -> io::Result<Vec<PendingWrite>> {
        let mut waiting = Vec::new();
        for (path, offset) in self.waiting_parts() {
            // Records before the mark are sent.
            let bytes = read_from_offset(&path, offset, bytes)?;
            let found = bytes.split(|byte| *byte == b'\n');
            waiting.extend(found.filter_map(checksummed_lines::decode_line::<PendingWrite>));
        }
        Ok(waiting)
    }

    /// Counts the waiting writes.
    pub(super) fn count_waiting(&self) -> io::Result<QueueCount> {
        let mut count = QueueCount::default();
        for (path, offset) in self.waiting_parts() {
            count_lines(&path, offset, &mut count)?;
        }
        Ok(count)
    }

    /// Returns the queue's files, each with the offset where waiting records begin.
    fn waiting_parts(&self) -> [(PathBuf, u64); 3] {
        let offset = self.open_taken().map_or(0, |taken| taken.offset);
        let landing = self.landing.clone();
        [(self.taken_path(), offset), (self.next_path(), 0), (landing, 0)]
    }
}

impl TakenFile {
    /// Reads the next window.
    pub(super) fn read_window(&mut self) -> io::Result<LineWindow> {
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        let mut read_to_end = false;
        while !read_to_end
            && bytes.len() < WINDOW_BYTES
            && count_ended_lines(&bytes) < OUTBOX_BATCH.len()
        {
            let read = (&mut self.file).take(CHUNK_BYTES).read_to_end(&mut bytes)?;
            read_to_end = (read as u64) < CHUNK_BYTES;
        }
        Ok(split_lines(&bytes, self.offset, read_to_end))
    }
}

/// Counts complete lines that are not empty. A record has an empty line in front of it.
fn count_ended_lines(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).count().saturating_sub(1)
}

/// Splits bytes into lines. A part without a line end is a line only at the end of the file, or if
/// it is longer than any record.
fn split_lines(bytes: &[u8], start: u64, read_to_end: bool) -> LineWindow {
    let mut window = LineWindow { lines: Vec::new(), end: start, is_last: read_to_end };
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        let has_end = part.ends_with(b"\n");
        if !has_end && !read_to_end && part.len() < OUTBOX_LINE.len() {
            window.is_last = false;
            break;
        }
        if window.lines.len() == OUTBOX_BATCH.len() {
            window.is_last = false;
            break;
        }
        window.end += part.len() as u64;
        let line = part.strip_suffix(b"\n").unwrap_or(part);
        if line.is_empty() {
            continue;
        }
        let content = match checksummed_lines::decode_line::<PendingWrite>(line) {
            Some(record) => LineContent::Record(Box::new(record)),
            None => LineContent::Damaged(line.to_vec()),
        };
        window.lines.push(QueueLine { end: window.end, content });
    }
    window
}

fn read_from_offset(path: &Path, offset: u64, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut file) = open_if_present(path)? {
        file.seek(SeekFrom::Start(offset))?;
        file.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn open_if_present(path: &Path) -> io::Result<Option<File>> {
    match open_for_reading(path, false) {
        Ok((file, _)) => Ok(Some(file)),
        Err(error) if checksummed_lines::is_not_found(&error) || is_obstructed(path) => Ok(None),
        Err(error) => Err(error),
    }
}

fn count_lines(path: &Path, offset: u64, count: &mut QueueCount) -> io::Result<()> {
    let Some(mut file) = open_if_present(path)? else {
        return Ok(());
    };
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file.take(4 * checksummed_lines::MAX_FILE_BYTES));
    let mut line = Vec::new();
    for _ in 0..OUTBOX_COUNTED.len() {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        let record = line.strip_suffix(b"\n").unwrap_or(&line);
        if !checksummed_lines::looks_like_record(record) {
            continue;
        }
        if count.oldest_at.is_none() {
            count.oldest_at =
                checksummed_lines::decode_line::<PendingWrite>(record).map(|pending| pending.at);
        }
        count.records += 1;
    }
    Ok(())
}
