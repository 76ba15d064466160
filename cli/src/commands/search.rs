//! `trueup search`: where words occur in items, tasks of plans and reasons.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;
use trueup_core::model::{Event, Item, PlanTask, SearchWords};
use trueup_core::store::{SearchHits, SearchQuery};
use trueup_core::text::one_line;
use trueup_core::views::SearchHitView;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::number_argument::parse_whole_number;
use crate::output::Output;
use crate::page::{Cell, Column, Table};

/// Longest name shown of the place of a text, in characters.
const MAX_PLACE_CHARS: usize = 24;

/// Longest line shown of a text, in characters.
const MAX_EXCERPT_CHARS: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Words that must all occur, whatever their case
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) words: Vec<String>,
    /// Maximum number of items, of tasks and of events; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20, allow_negative_numbers = true, value_parser = parse_whole_number::<u32>)]
    pub(crate) limit: u32,
    /// Look in all repositories, not just this one
    #[arg(long)]
    pub(crate) all_repos: bool,
}

pub(super) fn cmd_search(context: &CommandContext, arguments: &SearchArgs) -> CommandResult {
    let words = SearchWords::new(&arguments.words);
    if words.is_empty() {
        return Err(CommandError::usage("trueup search --help", "give a word to look for"));
    }
    let store = &mut *context.open_for_reading()?;
    let session = context.find_viewer_session(store)?;
    let scope = context.repo_scope(store, session.as_ref(), arguments.all_repos)?;
    let limit = if arguments.limit == 0 { u32::MAX } else { arguments.limit };
    // One more of each kind tells whether there are more.
    let query =
        SearchQuery { words: arguments.words.clone(), scope, limit: limit.saturating_add(1) };
    let mut found = store.find_search_hits(&query)?;
    let has_more = cut_hits(&mut found, usize::try_from(limit).unwrap_or(usize::MAX));
    let hits = list_hits(&found, &words);
    let if_empty = if arguments.all_repos {
        "nothing has these words"
    } else {
        "nothing here has these words; --all-repos looks in all repositories"
    };
    let mut output =
        Output::table(hit_table(&hits), if_empty, json!({"hits": hits, "has_more": has_more}));
    if has_more {
        output.text.push("more have these words; `--limit 0` shows all".to_owned());
    }
    Ok(output)
}

/// Cuts the hits of each kind to a number, and returns whether there were more.
fn cut_hits(found: &mut SearchHits, limit: usize) -> bool {
    let has_more = [found.items.len(), found.tasks.len(), found.events.len()]
        .into_iter()
        .any(|count| count > limit);
    found.items.truncate(limit);
    found.tasks.truncate(limit);
    found.events.truncate(limit);
    has_more
}

fn hit_table(hits: &[SearchHitView]) -> Table<4> {
    let columns =
        [Column::key("KEY"), Column::word("WHERE"), Column::word("STATUS"), Column::text("TEXT")];
    let rows = hits.iter().map(|hit| {
        let status = if hit.entity == "event" { "event" } else { hit.status.unwrap_or_default() };
        [
            Cell::new(hit.key.as_str()),
            Cell::faint(one_line(&hit.r#where, MAX_PLACE_CHARS)),
            Cell::optional(Some(status).filter(|status| !status.is_empty())),
            Cell::new(hit.excerpt.as_str()),
        ]
    });
    Table::new(columns, rows)
}

fn list_hits(hits: &SearchHits, words: &SearchWords) -> Vec<SearchHitView> {
    let items = hits.items.iter().map(|item| view_item(item, words));
    let tasks = hits.tasks.iter().map(|task| view_task(task, words));
    let events = hits.events.iter().map(|event| view_event(event, words));
    items.chain(tasks).chain(events).collect()
}

/// Finds the first of some named texts that has all words, else says that several have.
fn find_place<'t>(texts: &[(&'t str, &'t str)], words: &SearchWords) -> (&'t str, &'t str) {
    let found = texts.iter().find(|(_, text)| words.are_in(text));
    found.copied().unwrap_or_else(|| ("several", texts.get(1).map_or("", |(_, text)| text)))
}

fn view_item(item: &Item, words: &SearchWords) -> SearchHitView {
    let title = item.title.as_deref().unwrap_or_default();
    let description = item.description.as_deref().unwrap_or_default();
    let evidence = item.evidence.as_deref().unwrap_or_default();
    let mut texts = vec![
        ("key", item.key.as_str()),
        ("title", title),
        ("description", description),
        ("evidence", evidence),
    ];
    texts.extend(item.extra_texts());
    let (place, text) = find_place(&texts, words);
    let shown = if place == "key" { title } else { words.find_line(text) };
    SearchHitView {
        entity: "item",
        key: item.key.to_string(),
        r#where: place.to_owned(),
        excerpt: one_line(shown, MAX_EXCERPT_CHARS),
        status: Some(item.status.as_str()),
        repo: item.repo.clone(),
        seq: None,
        at: item.updated_at,
    }
}

fn view_task(task: &PlanTask, words: &SearchWords) -> SearchHitView {
    let phase = task.phase_title.as_deref().unwrap_or_default();
    let texts = [("key", task.id.as_str()), ("title", task.title.as_str()), ("phase", phase)];
    let (place, text) = find_place(&texts, words);
    let shown = if place == "phase" { words.find_line(text) } else { &task.title };
    SearchHitView {
        entity: "plan_task",
        key: task.key(),
        r#where: place.to_owned(),
        excerpt: one_line(shown, MAX_EXCERPT_CHARS),
        status: Some(task.status.as_str()),
        repo: None,
        seq: None,
        at: task.updated_at,
    }
}

fn view_event(event: &Event, words: &SearchWords) -> SearchHitView {
    let reason = event.reason.as_deref().unwrap_or_default();
    SearchHitView {
        entity: "event",
        key: event.key.clone(),
        r#where: "reason".to_owned(),
        excerpt: one_line(words.find_line(reason), MAX_EXCERPT_CHARS),
        status: None,
        repo: None,
        seq: Some(event.seq),
        at: event.at,
    }
}
