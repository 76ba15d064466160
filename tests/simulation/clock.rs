//! The clocks of the server and of the machines.
//!
//! libfaketime reads what a process takes for the time from a file, which is written here whenever
//! another computer works. It stands still until it is moved, so no run depends on the speed of the
//! machine that it runs on.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use trueup_core::model::Timestamp;

/// When a run begins: 2020-03-01 12:00 UTC, long before any file was really written.
const EPOCH_MS: i64 = 1_583_064_000_000;

/// A computer with a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Computer {
    Server,
    Machine(usize),
}

/// All clocks. The server's is right.
#[derive(Debug)]
pub(crate) struct Clocks {
    file: File,
    now_ms: Cell<i64>,
    /// By how much the clock of each machine is ahead, in milliseconds.
    ahead_ms: Vec<Cell<i64>>,
    shown_for: Cell<Computer>,
}

impl Clocks {
    /// Opens the file that libfaketime reads.
    pub(crate) fn open(file: &Path, machines: usize) -> Self {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(file);
        let clocks = Self {
            file: opened.unwrap_or_else(|error| panic!("{}: {error}", file.display())),
            now_ms: Cell::new(EPOCH_MS),
            ahead_ms: vec![Cell::new(0); machines],
            shown_for: Cell::new(Computer::Server),
        };
        clocks.show();
        clocks
    }

    /// Lets time pass everywhere.
    pub(crate) fn advance(&self, milliseconds: i64) {
        self.now_ms.set(self.now_ms.get() + milliseconds);
        self.show();
    }

    /// Sets the clock of a machine, by how much it is ahead.
    pub(crate) fn set_ahead(&self, machine: usize, milliseconds: i64) {
        self.ahead_ms[machine].set(milliseconds);
        self.show();
    }

    /// Returns the seconds since the run began.
    pub(crate) fn elapsed_seconds(&self) -> i64 {
        (self.now_ms.get() - EPOCH_MS) / 1000
    }

    /// Returns what the clock that is shown says, in milliseconds.
    pub(crate) fn shown_ms(&self) -> i64 {
        let ahead = match self.shown_for.get() {
            Computer::Server => 0,
            Computer::Machine(machine) => self.ahead_ms[machine].get(),
        };
        self.now_ms.get() + ahead
    }

    /// Runs something on a computer, by its clock. The clock before is shown again afterwards, also
    /// after a crash.
    pub(crate) fn run_on<T>(&self, computer: Computer, part: impl FnOnce() -> T) -> T {
        let _restored = ShownBefore { clocks: self, computer: self.shown_for.get() };
        self.shown_for.set(computer);
        self.show();
        part()
    }

    fn show(&self) {
        let time = Timestamp::from_millis(self.shown_ms()).to_string();
        // Half a millisecond more: the number is read as a fraction of two, and rounded down. Every
        // text has the same length, so the file is never cut.
        let text = format!("{}5\n", time.trim_end_matches('Z').replace('T', " "));
        let written = self.file.write_all_at(text.as_bytes(), 0);
        written.unwrap_or_else(|error| panic!("the clock cannot be set: {error}"));
    }
}

struct ShownBefore<'c> {
    clocks: &'c Clocks,
    computer: Computer,
}

impl Drop for ShownBefore<'_> {
    fn drop(&mut self) {
        self.clocks.shown_for.set(self.computer);
        self.clocks.show();
    }
}
