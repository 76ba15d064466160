//! `POST /api/actions/...`: what ends something that needs a person. Only an administrator may; the
//! events of an action name the token by which it was called.

mod action;
mod release;
mod reopen;

use crate::documented_routes::documented_routes;

documented_routes! {
    post "/api/actions/release" => release::release_item;
    post "/api/actions/reopen" => reopen::reopen_item;
}
