//! One file of writes that wait, in the order they were made.
//!
//! Writes land at the end of `NAME.jsonl`. A drain takes that file over whole, as
//! `NAME.taken.jsonl`, and keeps how far it came in `NAME.sent.jsonl`, so that it never writes
//! again what it only goes past. What is found in place of any of them after a crash is gone
//! past as well: nothing in the one file keeps the writes of the other from being sent.
//!
//! What can be neither sent nor put aside stays at the beginning of `NAME.taken.jsonl`, before
//! what landed later, which is taken over as `NAME.next.jsonl` and joined to it.

use std::fs::{self, File};
use std::io::{
    self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lines;
use super::record::Pending;
use crate::bounds::{OUTBOX_BATCH, OUTBOX_COUNTED, OUTBOX_LINE};
use crate::files;
use crate::model::Timestamp;

/// Bytes read at once.
const CHUNK: u64 = OUTBOX_LINE.most;

/// Bytes read in one go: a batch of the longest records that a hook makes has fewer, so a
/// drain gets on by a whole batch.
const WINDOW: usize = 8 * OUTBOX_LINE.len();

/// Bytes at the beginning of a file that tell it from the one before.
const HEAD: u64 = 512;

/// How far a drain came in the file that begins like this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    head: String,
    offset: u64,
}

/// A line, and where it ends.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) end: u64,
    pub(super) what: What,
}

/// What a line is.
#[derive(Debug)]
pub(super) enum What {
    /// A whole record.
    Record(Box<Pending>),
    /// Torn, damaged or of an unknown form, as it stands.
    Damaged(Vec<u8>),
}

/// What comes next in a file that was taken over.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) lines: Vec<Line>,
    /// Where what follows begins.
    pub(super) end: u64,
    /// Whether nothing comes after.
    pub(super) is_last: bool,
}

/// A count of what waits, without reading it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) records: usize,
    pub(super) oldest_at: Option<Timestamp>,
}

/// A file that was taken over.
#[derive(Debug)]
pub(super) struct Taken {
    file: File,
    head: String,
    pub(super) offset: u64,
}

/// The file and its companions.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    landing: PathBuf,
}

impl Queue {
    pub(super) const fn new(landing: PathBuf) -> Self {
        Self { landing }
    }

    pub(super) fn landing(&self) -> &Path {
        &self.landing
    }

    pub(super) fn taken(&self) -> PathBuf {
        self.landing.with_extension("taken.jsonl")
    }

    /// What landed while something stays, until it is joined to that.
    fn next(&self) -> PathBuf {
        self.landing.with_extension("next.jsonl")
    }

    fn mark(&self) -> PathBuf {
        self.landing.with_extension("sent.jsonl")
    }

    /// Tells whether nothing waits; the usual case costs two looks at the directory.
    pub(super) fn is_absent(&self) -> bool {
        fs::symlink_metadata(&self.landing).is_err() && fs::symlink_metadata(self.taken()).is_err()
    }

    /// Opens the file that a drain before left, else takes over what landed since.
    pub(super) fn take_over(&self) -> io::Result<Option<Taken>> {
        let taken = self.taken();
        files::clear_the_way(&taken)?;
        match self.open() {
            Err(error) if lines::is_absent(&error) => {}
            other => return other.map(Some),
        }
        files::clear_the_way(&self.landing)?;
        // Of a file before; it would say nothing of this one either.
        self.forget()?;
        match fs::rename(&self.landing, &taken) {
            Err(error) if lines::is_absent(&error) => return Ok(None),
            other => other?,
        }
        lines::sync_folder(&taken)?;
        self.open().map(Some)
    }

    fn open(&self) -> io::Result<Taken> {
        let (mut file, size) = files::open(&self.taken(), false)?;
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head)?;
        let head = lines::checksum(&head);
        let offset = self.offset(&head, size);
        Ok(Taken { file, head, offset })
    }

    /// Finds how far a drain before came. A mark that cannot be read, or is of another file, is
    /// none: what is sent twice happens once.
    fn offset(&self, head: &str, size: u64) -> u64 {
        let marks = lines::read::<Mark>(&self.mark()).map_or_else(|_| Vec::new(), |l| l.records);
        let mine = |mark: &&Mark| mark.head == head && mark.offset <= size;
        marks.iter().rfind(mine).map_or(0, |mark| mark.offset)
    }

    fn forget(&self) -> io::Result<()> {
        let mark = self.mark();
        files::clear_the_way(&mark)?;
        lines::remove(&mark)
    }

    /// Keeps how far a drain came, durably.
    pub(super) fn keep(&self, taken: &Taken) -> io::Result<()> {
        let mark = Mark {
            head: taken.head.clone(),
            offset: taken.offset,
        };
        lines::append(&self.mark(), &[mark])
    }

    /// Removes a file that was gone through to its end.
    pub(super) fn finish(&self) -> io::Result<()> {
        // A crash may have left what was not joined yet.
        match fs::rename(self.next(), self.taken()) {
            Err(error) if lines::is_absent(&error) => lines::remove(&self.taken())?,
            other => other?,
        }
        self.forget()?;
        lines::sync_folder(&self.landing)
    }

    /// Lets what could be neither sent nor put aside stay before what was not looked at yet.
    pub(super) fn let_stay(&self, taken: &Taken, stays: &[u8]) -> io::Result<()> {
        let (mut rest, _) = files::open(&self.taken(), false)?;
        rest.seek(SeekFrom::Start(taken.offset))?;
        self.replace(stays, &mut rest)
    }

    /// Lets what could be neither sent nor put aside of a whole file stay, before what landed
    /// since; tells whether anything did.
    pub(super) fn let_stay_before_new(&self, stays: &[u8], is_as_before: bool) -> io::Result<bool> {
        match self.take_landed()? {
            Some(mut landed) => {
                self.replace(stays, &mut landed)?;
                lines::remove(&self.next())?;
                Ok(true)
            }
            None if is_as_before => Ok(false),
            None => self.replace(stays, &mut io::empty()).map(|()| false),
        }
    }

    fn take_landed(&self) -> io::Result<Option<File>> {
        let next = self.next();
        files::clear_the_way(&next)?;
        if fs::symlink_metadata(&next).is_err() {
            files::clear_the_way(&self.landing)?;
            match fs::rename(&self.landing, &next) {
                Err(error) if lines::is_absent(&error) => return Ok(None),
                other => other?,
            }
        }
        files::open(&next, false).map(|(file, _)| Some(file))
    }

    /// Replaces the file that was taken over. Until it is, the one before is whole; its mark
    /// says nothing of the new one, and goes first.
    fn replace(&self, stays: &[u8], rest: &mut impl io::Read) -> io::Result<()> {
        let draft = self.landing.with_extension("taken.draft");
        files::clear_the_way(&draft)?;
        let mut file = files::write_own(&draft, stays)?;
        // What stays ends a line; what comes behind it may begin anywhere in one.
        file.write_all(b"\n")?;
        io::copy(rest, &mut file)?;
        file.sync_all()?;
        self.forget()?;
        fs::rename(&draft, self.taken())?;
        lines::sync_folder(&self.landing)
    }

    /// Lists everything that waits, in order.
    pub(super) fn waiting(&self) -> io::Result<Vec<Pending>> {
        let mut waiting = Vec::new();
        for (path, offset) in self.parts() {
            // What a drain went past is sent.
            let bytes = read_from(&path, offset)?;
            let found = bytes.split(|byte| *byte == b'\n');
            waiting.extend(found.filter_map(lines::decode::<Pending>));
        }
        Ok(waiting)
    }

    /// Counts what waits.
    pub(super) fn count(&self) -> io::Result<Count> {
        let mut count = Count::default();
        for (path, offset) in self.parts() {
            count_lines(&path, offset, &mut count)?;
        }
        Ok(count)
    }

    /// Returns the files, and where in them begins what waits.
    fn parts(&self) -> [(PathBuf, u64); 3] {
        let offset = self.open().map_or(0, |taken| taken.offset);
        let landing = self.landing.clone();
        [(self.taken(), offset), (self.next(), 0), (landing, 0)]
    }
}

impl Taken {
    /// Reads what comes next.
    pub(super) fn window(&mut self) -> io::Result<Window> {
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        let mut read_to_end = false;
        while !read_to_end && bytes.len() < WINDOW && records(&bytes) < OUTBOX_BATCH.len() {
            let read = (&mut self.file).take(CHUNK).read_to_end(&mut bytes)?;
            read_to_end = (read as u64) < CHUNK;
        }
        Ok(cut(&bytes, self.offset, read_to_end))
    }
}

/// Counts the lines that have an end and hold anything; a record is put in with an empty line
/// before it.
fn records(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .count()
        .saturating_sub(1)
}

/// Cuts bytes into lines. A part without an end is a line of its own at the end of the file, and
/// where it is longer than any record.
fn cut(bytes: &[u8], start: u64, read_to_end: bool) -> Window {
    let mut window = Window {
        lines: Vec::new(),
        end: start,
        is_last: read_to_end,
    };
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
        let what = match lines::decode::<Pending>(line) {
            Some(record) => What::Record(Box::new(record)),
            None => What::Damaged(line.to_vec()),
        };
        window.lines.push(Line {
            end: window.end,
            what,
        });
    }
    window
}

fn read_from(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut file) = open_if_there(path)? {
        file.seek(SeekFrom::Start(offset))?;
        file.take(4 * lines::LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match files::open(path, false) {
        Ok((file, _)) => Ok(Some(file)),
        Err(error) if lines::is_absent(&error) || files::is_in_the_way(path) => Ok(None),
        Err(error) => Err(error),
    }
}

fn count_lines(path: &Path, offset: u64, count: &mut Count) -> io::Result<()> {
    let Some(mut file) = open_if_there(path)? else {
        return Ok(());
    };
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file.take(4 * lines::LARGEST));
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
        if !lines::looks_whole(record) {
            continue;
        }
        if count.oldest_at.is_none() {
            count.oldest_at = lines::decode::<Pending>(record).map(|pending| pending.at);
        }
        count.records += 1;
    }
    Ok(())
}
