//! Words in items, tasks of plans and reasons. The database finds what may have them, and their
//! exact comparison is made here.

use super::engine::{Tx, args};
use super::events::{EventColumn, event_from_row};
use super::items::{SELECT_ITEM, item_from_row, scope_word};
use super::plan_tasks::{SELECT_TASK, task_from_row};
use super::statement::{joined, statements};
use crate::model::SearchWords;
use crate::store::{Result, SearchHits, SearchQuery};

/// The patterns that a statement has places for. Rows that have these words and lack others are
/// passed over afterwards.
const PATTERNS: usize = 4;

/// How many of the latest events are read.
const LATEST_EVENTS: &str = "50000";

const IS_IN_SCOPE: &str = "(?5 = 'all' OR repo = ?6 OR ?5 = 'here' AND repo IS NULL)";
const OWN_TEXT: &str = "key || ' ' || coalesce(title, '') || ' ' || coalesce(description, '')";
/// With what was written beside it; names in the JSON are passed over afterwards.
const ITEM_TEXT: &str = joined!(OWN_TEXT, " || ' ' || coalesce(evidence, '') || ' ' || extra");
const TASK_TEXT: &str = "t.id || ' ' || t.title || ' ' || coalesce(t.phase_title, '')";

/// Compares a text with every pattern; PostgreSQL needs to be told to ignore the case.
macro_rules! has_patterns {
    ($like:literal, $text:expr) => {
        joined!(
            $text,
            $like,
            "?1 ESCAPE '!' AND ",
            $text,
            $like,
            "?2 ESCAPE '!' AND ",
            $text,
            $like,
            "?3 ESCAPE '!' AND ",
            $text,
            $like,
            "?4 ESCAPE '!'",
        )
    };
}

const ITEM_HAS: &str = has_patterns!(" LIKE ", joined!("(", ITEM_TEXT, ")"));
const PG_ITEM_HAS: &str = has_patterns!(" ILIKE ", joined!("(", ITEM_TEXT, ")"));
const OWN_HAS: &str = has_patterns!(" LIKE ", joined!("(", OWN_TEXT, ")"));
const PG_OWN_HAS: &str = has_patterns!(" ILIKE ", joined!("(", OWN_TEXT, ")"));
const KEY_HAS: &str = has_patterns!(" LIKE ", "key");
const PG_KEY_HAS: &str = has_patterns!(" ILIKE ", "key");
const TITLE_HAS: &str = has_patterns!(" LIKE ", "title");
const PG_TITLE_HAS: &str = has_patterns!(" ILIKE ", "title");
const TASK_HAS: &str = has_patterns!(" LIKE ", joined!("(", TASK_TEXT, ")"));
const PG_TASK_HAS: &str = has_patterns!(" ILIKE ", joined!("(", TASK_TEXT, ")"));
const REASON_HAS: &str = has_patterns!(" LIKE ", "reason");
const PG_REASON_HAS: &str = has_patterns!(" ILIKE ", "reason");

const ITEMS_LAST: &str = " THEN 2 ELSE 3 END, status IN ('completed', 'failed', 'cancelled'),
     updated_at DESC, key LIMIT ?7";
const TASKS_LAST: &str = " ORDER BY t.status IN ('completed', 'failed', 'skipped'), t.plan_id,
     t.position, t.id LIMIT ?5";

/// An event of an item that is gone is found wherever it was.
const EVENTS_FIRST: &str = joined!(
    "SELECT ",
    EventColumn::SQL,
    " FROM (SELECT * FROM events ORDER BY seq DESC LIMIT ",
    LATEST_EVENTS,
    ") AS events WHERE reason IS NOT NULL AND "
);
const EVENTS_LAST: &str = " AND (?5 = 'all' OR entity <> 'item' OR NOT EXISTS (
         SELECT 1 FROM work_items w WHERE w.key = events.key
         AND NOT (coalesce(w.repo, '') = coalesce(?6, '') OR ?5 = 'here' AND w.repo IS NULL)))
     ORDER BY seq DESC LIMIT ?7";

statements! {
    SEARCH_ITEMS(text, text, text, text, text, text, int) =
        SELECT_ITEM, ITEM_HAS, " AND ", IS_IN_SCOPE, " ORDER BY CASE WHEN ", KEY_HAS,
        " THEN 0 WHEN ", TITLE_HAS, " THEN 1 WHEN ", OWN_HAS, ITEMS_LAST
        => postgres
        SELECT_ITEM, PG_ITEM_HAS, " AND ", IS_IN_SCOPE, " ORDER BY CASE WHEN ", PG_KEY_HAS,
        " THEN 0 WHEN ", PG_TITLE_HAS, " THEN 1 WHEN ", PG_OWN_HAS, ITEMS_LAST;
    SEARCH_TASKS(text, text, text, text, int) = SELECT_TASK, TASK_HAS, TASKS_LAST
        => postgres SELECT_TASK, PG_TASK_HAS, TASKS_LAST;
    SEARCH_REASONS(text, text, text, text, text, text, int) = EVENTS_FIRST, REASON_HAS, EVENTS_LAST
        => postgres EVENTS_FIRST, PG_REASON_HAS, EVENTS_LAST;
}

pub(super) fn find_search_hits(tx: &mut impl Tx, query: &SearchQuery) -> Result<SearchHits> {
    let words = SearchWords::new(&query.words);
    if words.is_empty() {
        return Ok(SearchHits::default());
    }
    let patterns = longest_patterns(&words);
    let (scope, repo, limit) = (scope_word(&query.scope), query.scope.repo_name(), query.limit);
    let [a, b, c, d] = &patterns;
    let scoped = args![a, b, c, d, scope, repo, limit];
    let unscoped = args![a, b, c, d, limit];
    tx.prefetch(&SEARCH_ITEMS, scoped);
    tx.prefetch(&SEARCH_TASKS, unscoped);
    tx.prefetch(&SEARCH_REASONS, scoped);
    let mut items = tx.rows(&SEARCH_ITEMS, scoped, item_from_row)?;
    items.retain(|item| {
        let texts = [Some(item.key.as_str()), item.title.as_deref(), item.description.as_deref()];
        let texts = texts.into_iter().chain([item.evidence.as_deref()]).flatten();
        let extra = item.extra_texts();
        let extra = extra.iter().map(|(_, text)| *text);
        words.are_among(&texts.chain(extra).collect::<Vec<_>>())
    });
    let mut tasks = tx.rows(&SEARCH_TASKS, unscoped, task_from_row)?;
    tasks.retain(|task| {
        let phase = task.phase_title.as_deref().unwrap_or_default();
        words.are_among(&[task.id.as_str(), &task.title, phase])
    });
    let mut events = tx.rows(&SEARCH_REASONS, scoped, event_from_row)?;
    events.retain(|event| event.reason.as_deref().is_some_and(|reason| words.are_in(reason)));
    Ok(SearchHits { items, tasks, events })
}

/// The patterns of the longest words, which few rows have; a place without one matches anything.
fn longest_patterns(words: &SearchWords) -> [String; PATTERNS] {
    let mut patterns = words.like_patterns();
    patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
    patterns.resize(PATTERNS.max(patterns.len()), "%".to_owned());
    std::array::from_fn(|place| std::mem::take(&mut patterns[place]))
}
