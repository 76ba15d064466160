//! Pages of lists that are in the order of a key, which no two rows share and which never changes:
//! so who reads on sees every row once, whatever was added or removed meanwhile.

use trueup_core::store::{KeyPage, Result as StoreResult};

use crate::problem::HubError;

use super::cursors::Cursors;
use super::parameters::Limit;

/// Most rows that are read at once, where most of them are not wanted.
const MAX_ROWS_AT_ONCE: usize = 2_000;

/// A page, and the cursor of the next one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    /// The rows.
    pub(super) rows: Vec<T>,
    /// Where the next page begins; none where there are no more rows.
    pub(super) next: Option<String>,
}

/// Which page of a list is asked for.
#[derive(Debug)]
pub(super) struct PageRequest {
    cursors: Cursors,
    /// The key behind which it begins.
    after: Option<String>,
    limit: Limit,
}

impl PageRequest {
    /// Parses the cursor of a request for a page.
    pub(super) fn parse(
        cursors: Cursors,
        since: Option<&str>,
        limit: Limit,
    ) -> Result<Self, HubError> {
        Ok(Self { cursors, after: cursors.parse(since)?, limit })
    }

    /// Reads the page from a store that has the rows in the order of their keys, a part at a time,
    /// and no further than the page needs.
    pub(super) fn read<T>(
        self,
        mut read: impl FnMut(KeyPage) -> StoreResult<Vec<T>>,
        key: impl Fn(&T) -> &str,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Result<Page<T>, HubError> {
        let mut after = self.after.unwrap_or_default();
        let mut rows = Vec::new();
        // One more tells whether there is another page.
        let mut at_once = self.limit.rows() + 1;
        loop {
            let limit = u32::try_from(at_once).unwrap_or(u32::MAX);
            let part = read(KeyPage { after: after.clone(), limit })?;
            let is_last = part.len() < at_once;
            if let Some(last) = part.last() {
                key(last).clone_into(&mut after);
            }
            rows.extend(part.into_iter().filter(&is_wanted));
            if is_last || rows.len() > self.limit.rows() {
                return Ok(end_page(rows, self.cursors, self.limit, key));
            }
            at_once = (at_once * 2).min(MAX_ROWS_AT_ONCE);
        }
    }

    /// Cuts the page out of all rows.
    pub(super) fn cut_page<T>(self, mut rows: Vec<T>, key: impl Fn(&T) -> &str) -> Page<T> {
        if let Some(after) = &self.after {
            rows.retain(|row| key(row) > after.as_str());
        }
        rows.sort_by(|one, other| key(one).cmp(key(other)));
        end_page(rows, self.cursors, self.limit, key)
    }
}

fn end_page<T>(
    mut rows: Vec<T>,
    cursors: Cursors,
    limit: Limit,
    key: impl Fn(&T) -> &str,
) -> Page<T> {
    let has_more = rows.len() > limit.rows();
    rows.truncate(limit.rows());
    let next = rows.last().filter(|_| has_more).map(|row| cursors.write(key(row)));
    Page { rows, next }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use axum::extract::Query;
    use axum::http::Uri;
    use serde::Deserialize;

    use super::*;

    fn limit_of(rows: usize) -> Limit {
        #[derive(Deserialize)]
        struct One {
            limit: Limit,
        }
        let uri: Uri = format!("/?limit={rows}").parse().unwrap();
        let Query(One { limit }) = Query::try_from_uri(&uri).unwrap();
        limit
    }

    fn request(since: Option<&str>, limit: usize) -> PageRequest {
        PageRequest::parse(Cursors::of("rows"), since, limit_of(limit)).unwrap()
    }

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{number:05}")).collect()
    }

    /// Reads a list to its end.
    fn read_on(mut read: impl FnMut(Option<&str>) -> Page<String>) -> Vec<String> {
        let mut seen = Vec::new();
        let mut since = None;
        loop {
            let page = read(since.as_deref());
            seen.extend(page.rows);
            since = page.next;
            if since.is_none() {
                return seen;
            }
        }
    }

    fn part_of(all: &[String], page: &KeyPage) -> Vec<String> {
        let behind = all.iter().filter(|key| **key > page.after);
        behind.take(page.limit as usize).cloned().collect()
    }

    #[test]
    fn pages_show_every_row_once_and_end() {
        for (rows, limit) in [(0, 1), (1, 1), (9, 3), (10, 3), (10, 100), (5_000, 1_000)] {
            let all = keys(rows);
            let reversed: Vec<String> = all.iter().rev().cloned().collect();
            let cut = read_on(|since| {
                request(since, limit).cut_page(reversed.clone(), |key| key.as_str())
            });
            assert_eq!(cut, all, "{rows} by {limit}");
            for every in [1, 2, 777] {
                let is_wanted = |key: &String| key.parse::<usize>().unwrap() % every == 0;
                let wanted: Vec<String> =
                    all.iter().filter(|key| is_wanted(key)).cloned().collect();
                let read = read_on(|since| {
                    request(since, limit)
                        .read(|page| Ok(part_of(&all, &page)), |key| key.as_str(), is_wanted)
                        .unwrap()
                });
                assert_eq!(read, wanted, "{rows} by {limit}, every {every}");
            }
        }
    }

    #[test]
    fn a_page_reads_no_more_than_it_needs() {
        let all = keys(100_000);
        let read_rows = Cell::new(0);
        let read = |page: KeyPage| {
            let part = part_of(&all, &page);
            read_rows.set(read_rows.get() + part.len());
            Ok(part)
        };
        let page = request(None, 10).read(read, |key: &String| key.as_str(), |_| true).unwrap();
        assert_eq!((page.rows.len(), read_rows.get()), (10, 11));
    }
}
