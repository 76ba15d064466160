//! Carries out an operation by its name.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trueup_core::store::operations::prelude::*;
use trueup_core::{for_each_operation, operation_argument, request_field};

/// Why an operation was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum RpcError {
    /// No operation has the name.
    #[error("this hub has no operation {0}; it may be older than the program that asks")]
    UnknownOperation(String),
    /// The body is not a request of the operation.
    #[error("the body is no request of {operation}: {problem}")]
    BadRequest {
        /// The operation.
        operation: &'static str,
        /// What is wrong with the body.
        problem: serde_json::Error,
    },
    /// The answer cannot be written.
    #[error("the answer of {operation} cannot be written: {problem}")]
    BadAnswer {
        /// The operation.
        operation: &'static str,
        /// Why.
        problem: serde_json::Error,
    },
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The body of an answer.
#[derive(Serialize)]
struct Answer<T> {
    ok: T,
}

fn read_request<T: DeserializeOwned>(
    operation: &'static str,
    body: &[u8],
) -> std::result::Result<T, RpcError> {
    serde_json::from_slice(body).map_err(|problem| RpcError::BadRequest { operation, problem })
}

fn write_answer<T: Serialize>(
    operation: &'static str,
    ok: T,
) -> std::result::Result<Vec<u8>, RpcError> {
    serde_json::to_vec(&Answer { ok }).map_err(|problem| RpcError::BadAnswer { operation, problem })
}

/// Keeps who called, before the operation: else an event could be shown without its caller.
fn record_caller(
    store: &mut dyn CommandStore,
    caller: &TokenName,
    op_ids: Vec<String>,
) -> Result<()> {
    let name = || caller.clone();
    let callers: Vec<Caller> =
        op_ids.into_iter().map(|op_id| Caller { op_id, name: name() }).collect();
    store.record_callers(&callers)
}

macro_rules! define_dispatch {
    (stores { $($store:ident { $($operations:tt)* })* } commands { $($commands:tt)* }) => {
        define_dispatch! { @rows $($($operations)*)* $($commands)* }
    };
    (@rows $($access:ident $name:ident($($mode:ident $argument:ident: $type:ty),*)
        -> $answer:ty $(, by $ids:expr)?;)*) => {
        /// Carries out an operation for the bearer of a token; returns the body of the answer.
        ///
        /// # Errors
        ///
        /// That of the store; when there is no such operation, or the body is no request of it.
        pub(super) fn dispatch(
            store: &mut dyn CommandStore,
            caller: &TokenName,
            operation: &str,
            body: &[u8],
        ) -> std::result::Result<Vec<u8>, RpcError> {
            match operation {
                $(stringify!($name) => {
                    #[derive(Deserialize)]
                    struct Request {
                        $($argument: request_field!($mode $type)),*
                    }
                    let Request { $($argument),* } = read_request(stringify!($name), body)?;
                    $(record_caller(store, caller, $ids.operation_ids())?;)?
                    let answer: $answer =
                        store.$name($(operation_argument!($mode $argument)),*)?;
                    write_answer(stringify!($name), answer)
                })*
                unknown => Err(RpcError::UnknownOperation(unknown.chars().take(80).collect())),
            }
        }
    };
}

for_each_operation!(define_dispatch);
