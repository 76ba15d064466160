//! The transports of trueup to a database that other machines share: `postgres://` and `https://`.
//!
//! This is the only package that links a network. A transport carries texts and knows nothing of
//! what they say: a request goes to the function `trueup.exchange` of the database, and its answer
//! comes back. The engine over it makes requests of the operations of the store.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`error`] | why an exchange failed, what ends it, whether it may have been carried out |
//! | [`url`] | URLs of databases, parsed; the password file |
//! | `net` | one deadline around everything, name look-up, the bound on answers |
//! | `tls` | trusted authorities, how much of a certificate is checked |
//! | [`postgres`] | one function call over PostgreSQL's protocol, and the direct connection |
//! | [`https`] | the same call as one POST, to Supabase, PostgREST or a hub |
//! | `post` | one POST to an address that is no database: what a hub tells others |
//! | `download` | one file from an address: a release of trueup |
//! | `outage` | how long a server that cannot be used is waited for |
//! | `schema` | creating and upgrading the schema |
//! | `server_facts` | what `doctor` reports of a server |
//! | `transfer` | a whole database exported, or filled from an export |
//! | [`exchange`] | the operations of the store, as requests that commit at once or not at all |
//! | `hub` | the operations of the store, as requests to a hub |
//!
//! Invariants: everything from the name look-up to the last byte is under one deadline; an answer is
//! bounded; nothing of a URL but scheme, host, port and database name is shown.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

mod download;
pub mod error;
pub mod exchange;
pub mod https;
mod hub;
mod net;
mod outage;
mod post;
pub mod postgres;
mod remote_database;
mod schema;
mod server_facts;
mod tls;
mod transfer;
mod transport;
pub mod url;

pub use download::{DownloadError, download_file};
pub use error::{Activity, FailureKind, TlsFailure, TransportError};
pub use exchange::RemoteStore;
pub use https::{FlavourMemory, HttpsTransport};
pub use hub::{HubReply, HubStore, HubTransport};
pub use post::{PostClient, PostError, PostUrl, PostUrlError};
pub use postgres::{ChangeListener, PostgresTransport};
pub use remote_database::{OpenOptions, RemoteDatabase, RemoteTransport};
pub use schema::{MigratedSchema, migrate_schema};
pub use server_facts::{ServerFacts, ServerSoftware, UserRights};
pub use transport::Transport;
