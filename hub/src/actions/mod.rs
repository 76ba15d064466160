//! `POST /api/actions/...`: what ends something that needs a person. Only an administrator may; the
//! events of an action name the token by which it was called.

mod action;
mod reject;
mod release;
mod reopen;
mod reported;

use std::sync::Arc;

use crate::documented_routes::documented_routes;
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;

documented_routes! {
    needs StorePool, Arc<SessionJudge>;
    post "/api/actions/release" => release::release_item;
    post "/api/actions/reopen" => reopen::reopen_item;
    post "/api/actions/reject" => reject::reject_handoff;
    post "/api/actions/restore_journal" => reported::restore_journal;
    post "/api/actions/drop_journal" => reported::drop_journal;
    post "/api/actions/resend" => reported::resend;
    post "/api/actions/drop_dead_letter" => reported::drop_dead_letter;
    post "/api/actions/reinstate" => reported::reinstate;
}
