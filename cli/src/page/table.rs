//! Tables: rows of cells under the names of their columns.

use super::cell::{ABSENT, Cell};
use super::column::{Column, Flex};
use super::fit::{ColumnNeed, fit_columns, unique_prefix_chars};
use super::line::{Line, Span, Tone};
use super::screen::Screen;
use super::width::{Omit, display_width, padding, shorten};
use super::wrap::wrap_line;

/// Columns between two columns of a table.
pub(super) const GAP: usize = 2;

/// A table of `N` columns: every row has a cell for each.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<[Cell; N]>,
    /// Lines before rows, by the number of the row.
    between: Vec<(usize, Line)>,
    indent: usize,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(columns: [Column; N], rows: impl IntoIterator<Item = [Cell; N]>) -> Self {
        Self { columns, rows: rows.into_iter().collect(), between: Vec::new(), indent: 0 }
    }

    /// Indents every row.
    #[must_use]
    pub(crate) const fn indented(mut self, columns: usize) -> Self {
        self.indent = columns;
        self
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    /// Adds a line between the rows, such as the heading of a group or the command of the row before.
    pub(crate) fn push_line(&mut self, line: impl Into<Line>) {
        self.between.push((self.rows.len(), line.into()));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A table whose number of columns is not in its type.
#[derive(Debug)]
pub(super) struct AnyTable {
    columns: Vec<Column>,
    rows: Vec<Vec<Span>>,
    between: Vec<(usize, Line)>,
    indent: usize,
}

impl<const N: usize> From<Table<N>> for AnyTable {
    fn from(table: Table<N>) -> Self {
        let rows = table.rows.into_iter().map(|row| row.into_iter().map(|cell| cell.0).collect());
        Self {
            columns: table.columns.to_vec(),
            rows: rows.collect(),
            between: table.between,
            indent: table.indent,
        }
    }
}

impl AnyTable {
    /// Lays the table out: a header on a terminal, and rows that fit it.
    pub(super) fn lay_out(&self, screen: Screen, clean: impl Fn(&str) -> String) -> Vec<Line> {
        let is_terminal = screen.columns().is_some();
        // A person needs no column without values; a program counts columns.
        let is_kept = |at: usize| {
            !is_terminal || self.rows.iter().any(|row| row.get(at).is_some_and(has_value))
        };
        let kept: Vec<usize> = (0..self.columns.len()).filter(|at| is_kept(*at)).collect();
        let kept = self.leave_out_optional(kept, screen);
        let columns: Vec<Column> =
            kept.iter().filter_map(|at| self.columns.get(*at).copied()).collect();
        let clean_row = |row: &Vec<Span>| -> Vec<Span> {
            let cells = kept.iter().filter_map(|at| row.get(*at));
            cells.map(|cell| Span::new(cell.tone, clean(&cell.text))).collect()
        };
        let mut rows: Vec<Vec<Span>> = Vec::with_capacity(self.rows.len() + 1);
        let has_header = is_terminal && !self.rows.is_empty();
        if has_header {
            rows.push(columns.iter().map(|it| Span::new(Tone::Head, it.name)).collect());
        }
        rows.extend(self.rows.iter().map(clean_row));
        let widths = self.decide_widths(screen, &columns, &rows);
        let columns = keep_ends_apart(columns, &widths, &rows);
        let mut lines: Vec<Line> = Vec::with_capacity(rows.len() + self.between.len());
        let mut rows = rows.iter();
        lines.extend(
            rows.by_ref()
                .take(usize::from(has_header))
                .map(|row| self.lay_out_row(row, &columns, &widths)),
        );
        let mut between = self.between.iter().peekable();
        for number in 0..=self.rows.len() {
            while let Some((_, line)) = between.next_if(|(before, _)| *before == number) {
                lines.extend(wrap_line(line.map_text(&clean), screen));
            }
            lines.extend(rows.next().map(|row| self.lay_out_row(row, &columns, &widths)));
        }
        lines
    }

    /// Leaves optional columns out, the last one first, until the others have room.
    fn leave_out_optional(&self, mut kept: Vec<usize>, screen: Screen) -> Vec<usize> {
        let Some(width) = screen.columns() else {
            return kept;
        };
        let least = |at: &usize| {
            let column = self.columns.get(*at)?;
            let cells = self.rows.iter().filter_map(|row| row.get(*at)).map(|cell| &*cell.text);
            Some(
                GAP + ColumnNeed::measure(column, std::iter::once(column.name).chain(cells))
                    .modest(),
            )
        };
        while self.indent + kept.iter().filter_map(least).sum::<usize>() > width + GAP {
            let is_optional = |at: &usize| self.columns.get(*at).is_some_and(|it| it.is_optional);
            let Some(at) = kept.iter().rposition(is_optional) else {
                break;
            };
            kept.remove(at);
        }
        kept
    }

    fn decide_widths(&self, screen: Screen, columns: &[Column], rows: &[Vec<Span>]) -> Vec<usize> {
        let needs: Vec<ColumnNeed> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| &*cell.text);
                ColumnNeed::measure(column, cells)
            })
            .collect();
        let room = screen
            .columns()
            .map(|width| width.saturating_sub(self.indent + GAP * columns.len().saturating_sub(1)));
        fit_columns(&needs, room)
    }

    fn lay_out_row(&self, row: &[Span], columns: &[Column], widths: &[usize]) -> Line {
        let mut spans = Vec::with_capacity(2 * row.len() + 1);
        if self.indent > 0 {
            spans.push(Span::from(" ".repeat(self.indent)));
        }
        let mut gap = 0;
        let last = row.len().saturating_sub(1);
        for (at, ((cell, column), width)) in row.iter().zip(columns).zip(widths).enumerate() {
            let text = match column.flex {
                Flex::Id if display_width(&cell.text) > *width => {
                    // Without an ellipsis, a command takes what is shown.
                    cell.text.chars().take(*width).collect()
                }
                Flex::Text(omit) => shorten(&cell.text, *width, omit),
                Flex::Id | Flex::Key | Flex::Firm => shorten(&cell.text, *width, Omit::End),
            };
            let pad = padding(&text, *width);
            let before = if column.is_right_aligned { pad.len() } else { 0 };
            if gap + before > 0 {
                spans.push(Span::from(" ".repeat(gap + before)));
            }
            spans.push(Span::new(cell.tone, text));
            gap = if column.is_right_aligned || at == last { GAP } else { GAP + pad.len() };
        }
        // An empty last cell leaves no spaces behind.
        while spans.pop_if(|span| span.text.trim_matches(' ').is_empty()).is_some() {}
        Line::from_spans(spans)
    }
}

/// Leaves the middle out of the ids of a column whose beginnings are alike over its whole width, so
/// that their ends tell them apart.
fn keep_ends_apart(mut columns: Vec<Column>, widths: &[usize], rows: &[Vec<Span>]) -> Vec<Column> {
    for (at, (column, width)) in columns.iter_mut().zip(widths).enumerate() {
        // A key that was cut has a sign of that; an id has none.
        let room = match column.flex {
            Flex::Key => width.saturating_sub(1),
            Flex::Id => *width,
            Flex::Firm | Flex::Text(_) => continue,
        };
        let cells = || rows.iter().filter_map(|row| row.get(at)).map(|cell| &*cell.text);
        let is_cut = cells().any(|cell| display_width(cell) > *width);
        if is_cut && unique_prefix_chars(cells()) > room {
            column.flex = Flex::Text(Omit::Middle);
        }
    }
    columns
}

/// Tells whether a cell has something to say.
fn has_value(cell: &Span) -> bool {
    !cell.text.is_empty() && cell.text != ABSENT
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] =
        [Column::word("KEY"), Column::number("PRIO"), Column::id("HOLDER"), Column::text("TITLE")];

    fn rows() -> [[Cell; 4]; 2] {
        [
            [
                "SD-1".into(),
                "2".into(),
                "7c9e6679-7425-40de-944b-e07fc1f90ae7".into(),
                "日本語の長い題名が続いてまた続いていつまでも終わらない".into(),
            ],
            ["SD-20".into(), Cell::absent(), Cell::absent(), "e\u{301}te\u{301}".into()],
        ]
    }

    fn lay_out(screen: Screen) -> Vec<String> {
        let table = AnyTable::from(Table::new(COLUMNS, rows()));
        table.lay_out(screen, str::to_owned).iter().map(Line::to_text).collect()
    }

    #[test]
    fn keys_that_begin_alike_keep_their_ends() {
        let key = "3f9a2c41-d07b-4a5e-9f64-1f5b9e0c7a21";
        let columns = [Column::key("ID"), Column::key("ITEM"), Column::word("STATUS")];
        let rows = (1..=3).map(|number| -> [Cell; 3] {
            [format!("{key}:{number}").as_str().into(), key.into(), "queued".into()]
        });
        let table = AnyTable::from(Table::new(columns, rows));
        let lines = table.lay_out(Screen::of_columns(72), str::to_owned);
        for (number, line) in (1..=3).zip(&lines[1..]) {
            let line = line.to_text();
            assert!(
                line.starts_with("3f9a") && line.contains(&format!("7a21:{number} ")),
                "{line}"
            );
        }
    }

    #[test]
    fn in_a_pipe_rows_are_whole_and_have_no_header() {
        let lines = lay_out(Screen::unseen());
        assert_eq!(
            lines,
            [
                "SD-1   2  7c9e6679-7425-40de-944b-e07fc1f90ae7  \
                 日本語の長い題名が続いてまた続いていつまでも終わらない",
                "SD-20  -  -                                     e\u{301}te\u{301}",
            ]
        );
    }

    #[test]
    fn on_a_terminal_there_is_a_header_and_titles_are_shortened_before_ids() {
        let lines = lay_out(Screen::of_columns(80));
        assert_eq!(
            lines,
            [
                "KEY    PRIO  HOLDER                                TITLE",
                "SD-1      2  7c9e6679-7425-40de-944b-e07fc1f90ae7  日本語の長い題名が続いてまた…",
                "SD-20     -  -                                     e\u{301}te\u{301}",
            ]
        );
        let narrow = lay_out(Screen::of_columns(44));
        assert_eq!(narrow[1], "SD-1      2  7c9e6679  日本語の長い題名が続…");
    }

    #[test]
    fn keys_that_begin_alike_stay_whole_and_other_columns_are_left_out() {
        let columns = [
            Column::key("KEY"),
            Column::word("STATUS"),
            Column::text("PHASE").optional(),
            Column::id("HOLDER").optional(),
            Column::text("TITLE"),
        ];
        let keys =
            ["a-long-key-that-others-begin-with-too-1", "a-long-key-that-others-begin-with-too-2"];
        let row = |key: &str| {
            let holder = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
            [key, "running", "EXEC-of-a-phase", holder, "A title of some words"].map(Cell::from)
        };
        let lay_out = |width: usize| {
            let table = AnyTable::from(Table::new(columns, keys.map(row)));
            table.lay_out(Screen::of_columns(width), str::to_owned)
        };
        let lines = lay_out(80);
        assert_eq!(lines[0].to_text().split_whitespace().collect::<Vec<_>>().len(), 5);
        for width in 50..120 {
            let shown: Vec<String> = lay_out(width).iter().map(Line::to_text).collect();
            assert!(shown.iter().all(|line| display_width(line) <= width), "{shown:?}");
            for (line, key) in shown[1..].iter().zip(keys) {
                assert!(line.starts_with(key), "{width}: {line}");
            }
        }
        assert!(!lay_out(70)[0].to_text().contains("HOLDER"));
    }

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        for columns in 20..120 {
            for line in lay_out(Screen::of_columns(columns)) {
                assert!(display_width(&line) <= columns, "{columns}: {line}");
            }
        }
    }
}
