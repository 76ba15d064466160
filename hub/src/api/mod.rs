//! `GET /api/...`: what the database holds, for people and programs that read.
//!
//! A list is read on with the cursor that it ends with. A parameter that a list does not know is an
//! error: a filter that is mistyped must not match everything.

mod cursors;
mod divergences;
mod events;
mod item_history;
mod items;
mod journal;
mod me;
mod names;
mod openapi;
#[cfg(test)]
mod openapi_document;
mod pages;
mod parameters;
mod plans;
mod queue;
mod repos;
mod row_id;
mod sessions;

use std::sync::Arc;

pub(crate) use divergences::ViolationCache;

use crate::documented_routes::documented_routes;
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;

documented_routes! {
    needs StorePool, Arc<SessionJudge>, Arc<ViolationCache>;
    get "/api/sessions" => sessions::list_sessions;
    get "/api/items" => items::list_items;
    get "/api/items/{key}" => item_history::show_item;
    get "/api/queue" => queue::list_queue;
    get "/api/plans" => plans::list_plans;
    get "/api/repos" => repos::list_repos;
    get "/api/events" => events::list_events;
    get "/api/divergences" => divergences::list_divergences;
    get "/api/journal" => journal::list_journal;
    get "/api/me" => me::show_caller;
    get "/api/openapi.json" => openapi::show_document;
}
