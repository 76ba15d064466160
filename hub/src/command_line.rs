//! The arguments of `trueup-hub`.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use trueup_core::model::{TokenName, TokenRole};
use trueup_core::settings::Secret;

/// Serves a trueup database to a team: operations, live stream and dashboard
#[derive(Debug, Parser)]
#[command(name = "trueup-hub", version)]
pub(crate) struct HubArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(subcommand)]
    pub(crate) command: HubCommand,
}

/// Which database is served.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// The database [default: the one that `trueup` is configured for]
    #[arg(long = "database", value_name = "URL", global = true)]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HubCommand {
    /// Serve the database until the process is told to stop
    Serve(ServeArgs),
    /// Say whether the hub of this machine answers and reaches its database, by plain HTTP
    Check(CheckArgs),
    /// Make, list and revoke the tokens by which machines and people are known
    Token {
        #[command(subcommand)]
        command: TokenCommand,
        /// Print one JSON object
        #[arg(long, global = true)]
        json: bool,
    },
    /// Write the man pages of all commands
    #[command(hide = true)]
    Man {
        /// Directory to write to, which exists
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// Where a hub listens unless it is told.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7717";

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Where the hub listens
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_ADDRESS, value_parser = parse_address)]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_ADDRESS, value_parser = parse_address)]
    pub(crate) listen: SocketAddr,
    /// The certificate and its chain, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A proxy in front of the hub ends TLS, and says in X-Forwarded-For who asks
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// A name under which the hub is reached, beside those of this machine and of the certificate;
    /// may be repeated
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// Serve /metrics without a token
    #[arg(long)]
    pub(crate) open_metrics: bool,
    /// Send what needs a person to this address, https:// or on this machine
    /// [default: webhook of config.toml; none]
    #[arg(long, value_name = "URL", value_parser = parse_secret)]
    pub(crate) webhook: Option<Secret>,
    /// Most connections at a time
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) max_connections: usize,
    /// Most requests of one token in a second; twice as many may come at once
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) max_rate: u32,
}

/// Takes an argument that no error message repeats.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a parser")]
fn parse_secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it; it is never shown again
    Create {
        /// Whose it is: a machine or a person
        name: TokenName,
        /// What it allows: reader reads, agent also changes as a session does, admin also ends what
        /// needs a person
        #[arg(long)]
        role: TokenRole,
    },
    /// List the tokens, without their texts
    List,
    /// Revoke a token: it is refused from now on
    Revoke {
        /// Whose it is
        name: TokenName,
    },
}

/// Parses an address, whose host may be a name of this machine.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected HOST:PORT, such as 127.0.0.1:7717";
    let mut found = text.to_socket_addrs().map_err(|_| expected.to_owned())?;
    found.next().ok_or_else(|| expected.to_owned())
}
