//! `POST /rpc/<operation>`: the operations of the store, for hooks and commands of other machines.
//!
//! Requests and answers are those of [`trueup_core::store::operations`]. Operations on tokens are
//! not served: who may call is decided where the hub runs.

mod dispatch;
mod operation;
mod route;

use crate::documented_routes::documented_routes;
use crate::store_pool::StorePool;

documented_routes! {
    needs StorePool;
    post "/rpc/{operation}" => route::call_operation;
}
