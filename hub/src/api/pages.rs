//! Pages of lists, and the cursors between them.

use std::str::FromStr;

use crate::problem::HubError;

use super::parameters::Limit;

/// A page, and the cursor of the next one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    /// The rows.
    pub(super) rows: Vec<T>,
    /// Where the next page begins; none where there are no more rows.
    pub(super) next: Option<String>,
}

/// Parses a cursor: the key behind which a page begins.
pub(super) fn parse_cursor<K: FromStr>(since: Option<&str>) -> Result<Option<K>, HubError> {
    since
        .map(|text| {
            let bad = || HubError::bad_request("bad_cursor", "this is no cursor of this list");
            text.parse().map_err(|_| bad())
        })
        .transpose()
}

/// Cuts a page out of all rows, in the order of a key that no two rows share and that never changes,
/// so that who reads on sees every row once, whatever was added or removed meanwhile.
pub(super) fn cut_page<T, K: Ord + Clone>(
    mut rows: Vec<T>,
    since: Option<&K>,
    limit: Limit,
    key: impl Fn(&T) -> K,
    write_cursor: impl Fn(&K) -> String,
) -> Page<T> {
    if let Some(since) = since {
        rows.retain(|row| key(row) > *since);
    }
    rows.sort_by_cached_key(&key);
    let has_more = rows.len() > limit.rows();
    rows.truncate(limit.rows());
    let next = rows.last().filter(|_| has_more).map(|row| write_cursor(&key(row)));
    Page { rows, next }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn pages_show_every_row_once_and_end() {
        for (rows, limit) in [(0, 1), (1, 1), (9, 3), (10, 3), (10, 100)] {
            let all: Vec<u32> = (0..rows).rev().collect();
            let mut seen = Vec::new();
            let mut since = None;
            loop {
                let cursor = parse_cursor(since.as_deref()).unwrap();
                let page =
                    cut_page(all.clone(), cursor.as_ref(), limit_of(limit), |n| *n, u32::to_string);
                seen.extend(page.rows);
                since = page.next;
                if since.is_none() {
                    break;
                }
            }
            assert_eq!(seen, (0..rows).collect::<Vec<_>>(), "{rows} by {limit}");
        }
    }

    #[test]
    fn a_cursor_of_another_form_is_refused() {
        for text in ["", "x", "-1", "1.5"] {
            let error = parse_cursor::<u32>(Some(text)).unwrap_err();
            assert_eq!(error.code(), "bad_cursor", "{text:?}");
        }
    }
}
