//! Reads that were announced, and rows that came with the answer to another read.

use serde_json::Value as Json;
use trueup_core::store::ReadTime;
use trueup_core::store::sql::Statement;

use super::rows::Fetched;

/// A read with the values of its parameters.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) statement: &'static Statement,
    pub(super) args: Vec<Json>,
}

impl Query {
    /// Returns whether it asks for the same.
    pub(super) fn is(&self, statement: &'static Statement, args: &[Json]) -> bool {
        std::ptr::eq(self.statement, statement) && self.args == args
    }
}

/// What the operations that follow will ask for.
#[derive(Debug, Default)]
pub(super) struct ExpectedReads {
    before_write: Vec<Query>,
    after_write: Vec<Query>,
}

impl ExpectedReads {
    /// Adds reads at a time.
    pub(super) fn add(&mut self, time: ReadTime, queries: Vec<Query>) {
        self.reads_at(time).extend(queries);
    }

    /// Takes the reads at a time.
    pub(super) fn take(&mut self, time: ReadTime) -> Vec<Query> {
        std::mem::take(self.reads_at(time))
    }

    const fn reads_at(&mut self, time: ReadTime) -> &mut Vec<Query> {
        match time {
            ReadTime::BeforeWrite => &mut self.before_write,
            ReadTime::AfterWrite => &mut self.after_write,
        }
    }
}

/// What an operation will ask for, and what it has been answered since its last write.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    announced: Vec<Query>,
    fetched: Vec<(Query, Fetched)>,
}

impl ReadAhead {
    /// Notes a read that will be asked for.
    pub(super) fn announce(&mut self, statement: &'static Statement, args: Vec<Json>) {
        let is_known = self.announced.iter().any(|query| query.is(statement, &args));
        if !is_known && self.find(statement, &args).is_none() {
            self.announced.push(Query { statement, args });
        }
    }

    /// Takes the announced reads.
    pub(super) fn take_announced(&mut self) -> Vec<Query> {
        std::mem::take(&mut self.announced)
    }

    /// Takes the announced reads and those that are expected, with the one that is asked for now
    /// behind them.
    pub(super) fn take_queries(
        &mut self,
        expected: Vec<Query>,
        statement: &'static Statement,
        args: &[Json],
    ) -> Vec<Query> {
        let mut queries = self.take_announced();
        for query in expected {
            if !queries.iter().any(|known| known.is(query.statement, &query.args)) {
                queries.push(query);
            }
        }
        queries.retain(|query| !query.is(statement, args));
        queries.push(Query { statement, args: args.to_vec() });
        queries
    }

    /// Keeps rows for the next one who asks.
    pub(super) fn keep(&mut self, query: Query, fetched: Fetched) {
        self.fetched.push((query, fetched));
    }

    /// Returns the rows of a read, if they are here.
    pub(super) fn find(&self, statement: &'static Statement, args: &[Json]) -> Option<Fetched> {
        let found = self.fetched.iter().find(|(query, _)| query.is(statement, args));
        found.map(|(_, fetched)| fetched.clone())
    }

    /// Forgets the rows: a write may change them, or they are of another moment.
    pub(super) fn forget_rows(&mut self) {
        self.fetched.clear();
    }
}
