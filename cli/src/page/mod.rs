//! What a command prints for a person: lines and tables, laid out for where they go.
//!
//! A command gives lines, and tables of cells; only this module knows widths. On a terminal a table
//! has a header and is shortened to fit, and a long line is broken between words. Where nobody
//! looks, rows have no header and nothing is shortened or broken.

mod cell;
mod column;
mod fit;
mod line;
mod screen;
mod table;
mod width;
mod wrap;

pub(crate) use self::cell::Cell;
pub(crate) use self::column::Column;
use self::line::Span;
pub(crate) use self::line::{Line, Tone};
pub(crate) use self::screen::Screen;
use self::table::AnyTable;
pub(crate) use self::table::Table;
use self::wrap::wrap_line;

/// The lines and tables of one output, in order.
#[derive(Debug, Default)]
pub(crate) struct Page {
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Block {
    Line(Line),
    Table(AnyTable),
}

impl Page {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: impl Into<Line>) {
        self.blocks.push(Block::Line(line.into()));
    }

    /// Adds lines.
    pub(crate) fn extend<L: Into<Line>>(&mut self, lines: impl IntoIterator<Item = L>) {
        self.blocks.extend(lines.into_iter().map(|line| Block::Line(line.into())));
    }

    /// Adds what another page has.
    pub(crate) fn append(&mut self, other: Self) {
        self.blocks.extend(other.blocks);
    }

    /// Adds a table.
    pub(crate) fn push_table<const N: usize>(&mut self, table: Table<N>) {
        self.blocks.push(Block::Table(table.into()));
    }

    /// Lays everything out as lines that fit the screen. `clean` is applied to every foreign text
    /// before its width counts.
    pub(crate) fn lay_out(&self, screen: Screen, clean: impl Fn(&str) -> String) -> Vec<Line> {
        let mut lines = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Line(line) => lines.extend(wrap_line(line.map_text(&clean), screen)),
                Block::Table(table) => lines.extend(table.lay_out(screen, &clean)),
            }
        }
        lines
    }
}

impl<L: Into<Line>> From<Vec<L>> for Page {
    fn from(lines: Vec<L>) -> Self {
        let mut page = Self::default();
        page.extend(lines);
        page
    }
}

impl<const N: usize> From<Table<N>> for Page {
    fn from(table: Table<N>) -> Self {
        let mut page = Self::default();
        page.push_table(table);
        page
    }
}
