//! Rows that an earlier operation of this process read, for the next one that asks.
//!
//! A command asks for its session once to know who calls, once to decide, and once to show it. What
//! it read a moment ago is as good as what it would read now: a write verifies it when it commits,
//! and a reading that combines rows of several moments verifies them before it answers. Rows are
//! forgotten with every write, and when they are old.

use std::time::Instant;

use serde_json::Value as Json;
use trueup_core::store::sql::Statement;

use super::read_ahead::Query;
use super::rows::Fetched;

/// When a request was answered: all its rows are of one state of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    number: u64,
    time: Instant,
}

/// What was read since the last write.
#[derive(Debug, Default)]
pub(super) struct RememberedRows {
    rows: Vec<(Query, Fetched, Moment)>,
    requests: u64,
}

impl RememberedRows {
    /// Begins the moment of a request that was answered just now.
    pub(super) fn begin_moment(&mut self, time: Instant) -> Moment {
        self.requests += 1;
        Moment { number: self.requests, time }
    }

    /// Keeps the rows of a read instead of older ones.
    pub(super) fn remember_rows(&mut self, query: Query, fetched: Fetched, moment: Moment) {
        self.rows.retain(|(known, ..)| !known.is(query.statement, &query.args));
        self.rows.push((query, fetched, moment));
    }

    /// Returns the rows of a read, if they are known and not older than `oldest`, if there is one.
    pub(super) fn find_rows(
        &self,
        statement: &'static Statement,
        args: &[Json],
        oldest: Option<Instant>,
    ) -> Option<(Fetched, Moment)> {
        let is_asked = |query: &Query, moment: &Moment| {
            query.is(statement, args) && oldest.is_none_or(|oldest| moment.time >= oldest)
        };
        let found = self.rows.iter().find(|(query, _, moment)| is_asked(query, moment));
        found.map(|(_, fetched, moment)| (fetched.clone(), *moment))
    }

    /// Forgets all rows: a write may have changed them.
    pub(super) fn forget_rows(&mut self) {
        self.rows.clear();
    }
}

/// The moments of what an operation read.
#[derive(Debug, Default)]
pub(super) struct ReadMoments {
    last: Option<Moment>,
    are_several: bool,
}

impl ReadMoments {
    /// Notes a read of a moment.
    pub(super) fn add(&mut self, moment: Moment) {
        self.are_several |= self.last.is_some_and(|last| last != moment);
        self.last = Some(moment);
    }

    /// Notes that everything read so far is still the same at a moment.
    pub(super) const fn replace_all(&mut self, moment: Moment) {
        *self = Self { last: Some(moment), are_several: false };
    }

    /// Returns whether the rows may be of different states of the database.
    pub(super) const fn are_several(&self) -> bool {
        self.are_several
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use trueup_core::store::sql::Kind;

    use super::*;

    static READ: Statement = Statement::new("read", "SELECT ?1", &[Kind::Text]);

    fn query(key: &str) -> Query {
        Query { statement: &READ, args: vec![json!(key)] }
    }

    fn fetched(digest: &str) -> Fetched {
        Fetched { rows: Vec::new(), digest: digest.to_owned() }
    }

    #[test]
    fn rows_are_found_until_they_are_old_or_forgotten() {
        let begun = Instant::now();
        let later = begun + Duration::from_millis(1);
        let mut remembered = RememberedRows::default();
        let moment = remembered.begin_moment(begun);
        remembered.remember_rows(query("a"), fetched("old"), moment);
        let moment = remembered.begin_moment(begun);
        remembered.remember_rows(query("a"), fetched("new"), moment);
        let find = |remembered: &RememberedRows, key: &str, oldest: Instant| {
            let found = remembered.find_rows(&READ, &[json!(key)], Some(oldest));
            found.map(|(fetched, found_moment)| {
                assert_eq!(found_moment, moment);
                fetched.digest
            })
        };
        assert_eq!(find(&remembered, "a", begun).as_deref(), Some("new"));
        assert_eq!(find(&remembered, "b", begun), None);
        assert_eq!(find(&remembered, "a", later), None);
        remembered.forget_rows();
        assert_eq!(find(&remembered, "a", begun), None);
    }

    #[test]
    fn reads_of_several_moments_are_told_until_one_request_has_seen_all() {
        let mut remembered = RememberedRows::default();
        let [first, second] = [(); 2].map(|()| remembered.begin_moment(Instant::now()));
        let mut moments = ReadMoments::default();
        moments.add(first);
        moments.add(first);
        assert!(!moments.are_several());
        moments.add(second);
        assert!(moments.are_several());
        moments.replace_all(second);
        assert!(!moments.are_several());
    }
}
