//! Reading what another process writes, within a time and a size.

use std::os::fd::AsFd;

use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use trueup_core::deadline::Deadline;

/// How many bytes to read at once.
const CHUNK_BYTES: usize = 8 * 1024;

/// What came until the end or the deadline.
#[derive(Debug)]
pub(crate) struct BoundedRead {
    pub(crate) bytes: Vec<u8>,
    /// Whether the end was reached.
    pub(crate) is_complete: bool,
}

/// Why nothing was read.
#[derive(Debug)]
pub(crate) enum ReadError {
    TooLarge,
    Failed(String),
}

/// Reads to the end, within the deadline. `most` is the largest size in bytes.
pub(crate) fn read_within(
    source: impl AsFd,
    deadline: Deadline,
    most: usize,
) -> Result<BoundedRead, ReadError> {
    let failed = |error: &dyn ToString| ReadError::Failed(error.to_string());
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        let time_left = Timespec::try_from(deadline.remaining()).map_err(|it| failed(&it))?;
        let mut ready = [PollFd::new(&source, PollFlags::IN)];
        match event::poll(&mut ready, Some(&time_left)) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(failed(&error)),
            Ok(0) => return Ok(BoundedRead { bytes, is_complete: false }),
            Ok(_) => {}
        }
        // A buffered reader would hold input that `poll` then does not report.
        let count = rustix::io::read(&source, &mut chunk).map_err(|it| failed(&it))?;
        if count == 0 {
            return Ok(BoundedRead { bytes, is_complete: true });
        }
        bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if bytes.len() > most {
            return Err(ReadError::TooLarge);
        }
    }
}
