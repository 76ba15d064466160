//! Where a page is shown.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// Columns of a terminal that does not tell its size.
const DEFAULT_COLUMNS: usize = 80;

/// Fewest columns that a layout is made for.
const MIN_COLUMNS: usize = 20;

/// Where a page is shown: on a terminal of some columns, or where nobody looks, such as a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    columns: Option<usize>,
}

impl Screen {
    /// Looks at a stream of this process. `COLUMNS` counts before what the terminal says.
    pub(crate) fn of(stream: &(impl IsTerminal + AsFd)) -> Self {
        if !stream.is_terminal() {
            return Self::unseen();
        }
        let from_environment = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let from_terminal = || {
            let size = rustix::termios::tcgetwinsize(stream).ok()?;
            Some(usize::from(size.ws_col))
        };
        let is_size = |columns: &usize| *columns > 0;
        let columns = from_environment.filter(is_size).or_else(|| from_terminal().filter(is_size));
        Self::of_columns(columns.unwrap_or(DEFAULT_COLUMNS))
    }

    /// A pipe or a file: nothing is shortened or broken.
    pub(crate) const fn unseen() -> Self {
        Self { columns: None }
    }

    /// A terminal of a width.
    pub(crate) fn of_columns(columns: usize) -> Self {
        Self { columns: Some(columns.max(MIN_COLUMNS)) }
    }

    /// Returns the columns of the terminal, if it is one.
    pub(crate) const fn columns(self) -> Option<usize> {
        self.columns
    }
}
