//! The operations of the store, each as one request.

use trueup_core::deadline::Deadline;
use trueup_core::store::operations::prelude::*;
use trueup_core::{for_each_operation, operation_parameter};

use super::link::{Arguments, Effect, HubLink};
use super::transport::HubTransport;

/// A store whose operations a hub carries out.
#[derive(Debug)]
pub struct HubStore {
    pub(super) link: HubLink,
}

impl HubStore {
    /// A store over a way to a hub.
    pub fn new(transport: Box<dyn HubTransport>, deadline: Deadline) -> Self {
        Self { link: HubLink::new(transport, deadline) }
    }

    /// Lets an operation wait until its deadline for a hub that refuses connections, because it is
    /// restarted.
    #[must_use]
    pub fn waiting_for_server(mut self) -> Self {
        self.link.wait_for_server();
        self
    }
}

macro_rules! effect {
    (read) => {
        Effect::None
    };
    ($access:ident) => {
        Effect::Write
    };
}

macro_rules! implement_stores {
    (stores { $($store:ident { $($access:ident $name:ident(
        $($mode:ident $argument:ident: $type:ty),*) -> $answer:ty $(, by $ids:expr)?;)* })* }
        commands { $($read:ident $command:ident() -> $reading:ty;)* }) => {
        $(impl $store for HubStore {
            $(fn $name(
                &mut self,
                $($argument: operation_parameter!($mode $type)),*
            ) -> Result<$answer> {
                #[allow(unused_mut, reason = "an operation may have no argument")]
                let mut arguments = Arguments::default();
                $(arguments.add(stringify!($argument), &$argument)?;)*
                self.link.call(stringify!($name), effect!($access), &arguments)
            })*
        })*

        impl HubStore {
            $(pub(super) fn $command(&mut self) -> Result<$reading> {
                self.link.call(stringify!($command), effect!($read), &Arguments::default())
            })*
        }
    };
}

for_each_operation!(implement_stores);

/// Tokens are managed where the hub runs: else whoever has one could make others.
fn tokens_are_not_served<T>() -> Result<T> {
    Err(StoreError::denied("tokens are managed where the hub runs, with trueup-hub token"))
}

impl TokenStore for HubStore {
    fn create_token(&mut self, _: &NewToken, _: &Provenance) -> Result<AccessToken> {
        tokens_are_not_served()
    }

    fn list_tokens(&mut self) -> Result<Vec<AccessToken>> {
        tokens_are_not_served()
    }

    fn revoke_token(&mut self, _: &TokenName, _: &Provenance) -> Result<AccessToken> {
        tokens_are_not_served()
    }

    fn find_token(&mut self, _: &str) -> Result<Option<AccessToken>> {
        tokens_are_not_served()
    }

    fn record_callers(&mut self, _: &[Caller]) -> Result<()> {
        tokens_are_not_served()
    }
}
