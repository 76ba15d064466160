//! How wide the columns of a table are.

use std::collections::BTreeSet;

use super::column::{Column, Flex};
use super::width::display_width;

/// Fewest columns that a free text keeps before ids are shortened.
const COMFORTABLE_TEXT: usize = 24;

/// Fewest columns that a free text keeps before short words are shortened.
const MIN_TEXT: usize = 8;

/// Fewest characters of a shortened id.
const MIN_ID_CHARS: usize = 8;

/// Fewest columns of a column.
const MIN_COLUMN: usize = 3;

/// How wide a column would like to be, and how narrow it can get in each step of giving way.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnNeed {
    natural: usize,
    /// The least width in each step.
    least: [usize; STEPS],
}

/// Steps of giving way: texts to a comfortable width, ids to what tells them apart, texts to a
/// little, then everything.
const STEPS: usize = 4;

impl ColumnNeed {
    /// Measures the cells of a column.
    pub(super) fn measure<'a>(
        column: &Column,
        cells: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        let name = display_width(column.name);
        let natural = cells.clone().map(display_width).max().unwrap_or(0);
        let least = match column.flex {
            Flex::Firm => [natural, natural, natural, MIN_COLUMN],
            Flex::Text(_) => [COMFORTABLE_TEXT, COMFORTABLE_TEXT, MIN_TEXT.max(name), MIN_COLUMN],
            Flex::Key => {
                // One more is the sign that something was cut.
                let unique = unique_prefix_chars(cells).max(name) + 1;
                [natural, natural, natural, unique]
            }
            Flex::Id => {
                let unique = unique_prefix_chars(cells).max(name);
                [natural, unique, unique, MIN_ID_CHARS.max(name)]
            }
        };
        Self { natural, least: least.map(|width| width.min(natural)) }
    }

    /// Returns the least width before short words and keys are cut.
    pub(super) const fn modest(&self) -> usize {
        let [_, _, modest, _] = self.least;
        modest
    }
}

/// Decides the widths of columns that share some room; without a limit they are as wide as they
/// like.
pub(super) fn fit_columns(needs: &[ColumnNeed], room: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = needs.iter().map(|need| need.natural).collect();
    let Some(room) = room else {
        return widths;
    };
    for step in 0..STEPS {
        let least = |need: &ColumnNeed| need.least.get(step).copied().unwrap_or(MIN_COLUMN);
        let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
        while excess > 0 {
            let shrinkable =
                widths.iter_mut().zip(needs).filter(|(width, need)| **width > least(need));
            // The widest gives way, so that columns of one kind get equal shares.
            let Some((widest, _)) = shrinkable.max_by_key(|(width, _)| **width) else {
                break;
            };
            *widest -= 1;
            excess -= 1;
        }
    }
    cut_to_room(&mut widths, room);
    widths
}

/// Takes from the last columns what is too much even where every column has its least width.
fn cut_to_room(widths: &mut [usize], room: usize) {
    let mut left = room;
    for width in widths {
        *width = (*width).min(left);
        left -= *width;
    }
}

/// Returns how many characters tell all ids of a column apart.
pub(super) fn unique_prefix_chars<'a>(ids: impl Iterator<Item = &'a str>) -> usize {
    let ids: BTreeSet<&str> = ids.collect();
    let neighbours = ids.iter().zip(ids.iter().skip(1));
    let shared = neighbours.map(|(id, next)| {
        id.chars().zip(next.chars()).take_while(|(left, right)| left == right).count()
    });
    shared.max().map_or(0, |chars| chars + 1).max(MIN_ID_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_by_at_least_eight_characters() {
        for (ids, chars) in [
            (&["0123456789", "0123456789"][..], 8),
            (&["abcdefghij-1", "abcdefghij-2", "b"], 12),
            (&[], 8),
        ] {
            assert_eq!(unique_prefix_chars(ids.iter().copied()), chars, "{ids:?}");
        }
    }

    #[test]
    fn the_widest_text_gives_way_first() {
        let text = |width: usize| "x".repeat(width);
        let (title, note, key) = (text(60), text(40), text(10));
        let measure =
            |column: Column, cell: &str| ColumnNeed::measure(&column, std::iter::once(cell));
        let needs = [
            measure(Column::word("KEY"), &key),
            measure(Column::text("TITLE"), &title),
            measure(Column::text("NOTE"), &note),
        ];
        assert_eq!(fit_columns(&needs, Some(100)), [10, 50, 40]);
        assert_eq!(fit_columns(&needs, Some(70)), [10, 30, 30]);
        assert_eq!(fit_columns(&needs, None), [10, 60, 40]);
    }
}
