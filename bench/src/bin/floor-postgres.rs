//! The minimal work of a command that changes a session in a shared database: connect with TLS and
//! SCRAM, select the session with the item it holds, and update its state where it still is at the
//! revision that was read. With an item, that is given to the session first, or taken from it, as a
//! claim and a release do. The events are written by the triggers of the schema.

use std::fs;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use trueup_bench::BenchError;

const USAGE: &str = "usage: floor-postgres PORT DATABASE USER AUTHORITY SESSION [ITEM]";

fn main() -> Result<(), BenchError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, database, user, authority, session, rest @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(authority)?)?)?;
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut config = Config::new();
    config.user(user).password(user).dbname(database).ssl_mode(SslMode::Require);
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let stream = TcpStream::connect(("127.0.0.1", port.parse()?)).await?;
        stream.set_nodelay(true)?;
        let mut tls = MakeRustlsConnect::new(tls);
        let tls = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, "localhost")?;
        let (client, connection) = config.connect_raw(stream, tls).await?;
        tokio::spawn(connection);
        if let [item] = rest {
            move_item(&client, session, item).await?;
        }
        change_session(&client, session).await
    })
}

async fn move_item(client: &Client, session: &str, item: &str) -> Result<(), BenchError> {
    let select = "SELECT holder, claim_epoch, title, status, phase, revision, updated_at
        FROM trueup.work_items WHERE key = $1";
    let rows = client.query_typed(select, &[(&item, Type::TEXT)]).await?;
    let holder: Option<String> = rows.first().ok_or("there is no such item")?.get(0);
    let update = if holder.is_none() {
        "UPDATE trueup.work_items SET holder = $1, claim_epoch = claim_epoch + 1, status = 'running',
            last_actor = $1, last_reason = 'measure' WHERE key = $2 AND holder IS NULL RETURNING key"
    } else {
        "UPDATE trueup.work_items SET holder = NULL, last_actor = $1, last_reason = 'measure'
            WHERE key = $2 AND holder = $1 RETURNING key"
    };
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&session, Type::TEXT), (&item, Type::TEXT)];
    let rows = client.query_typed(update, &parameters).await?;
    rows.first().ok_or("the item was not moved")?;
    Ok(())
}

async fn change_session(client: &Client, session: &str) -> Result<(), BenchError> {
    let select = "SELECT s.revision, s.status, s.worktree, s.host, s.lease_expires_at,
            s.metadata::text, i.key, i.claim_epoch
        FROM trueup.claude_sessions s LEFT JOIN trueup.work_items i ON i.holder = s.session_id
        WHERE s.session_id = $1";
    let rows = client.query_typed(select, &[(&session, Type::TEXT)]).await?;
    let revision: i64 = rows.first().ok_or("there is no such session")?.get(0);
    let update = "UPDATE trueup.claude_sessions
        SET metadata = metadata || jsonb_build_object('measured', $2), revision = revision + 1,
            last_actor = $1, last_reason = 'measure'
        WHERE session_id = $1 AND revision = $2 RETURNING revision";
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&session, Type::TEXT), (&revision, Type::INT8)];
    let rows = client.query_typed(update, &parameters).await?;
    rows.first().ok_or("the session was not changed")?;
    Ok(())
}
