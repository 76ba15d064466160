//! What happened in a run: the last lines for people, and a digest of all lines by which two runs
//! are compared.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// How many of the last lines are kept.
const KEPT_LINES: usize = 60;

/// The trace of a run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: VecDeque<String>,
    digest: u64,
    /// Steps so far: decisions of the scheduler and requests on the network.
    pub(crate) steps: u64,
    /// Whether every line is printed at once.
    is_loud: bool,
}

impl Trace {
    /// Begins a trace.
    pub(crate) fn new(is_loud: bool) -> Self {
        Self { is_loud, ..Self::default() }
    }

    /// Adds a line. It holds nothing that differs between two runs of a seed.
    pub(crate) fn add(&mut self, line: String) {
        if self.is_loud {
            println!("{line}");
        }
        let mut hasher = DefaultHasher::new();
        (self.digest, &line).hash(&mut hasher);
        self.digest = hasher.finish();
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Returns the digest of all lines.
    pub(crate) const fn digest(&self) -> u64 {
        self.digest
    }

    /// Returns the last lines.
    pub(crate) fn render(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        lines.join("\n")
    }
}
