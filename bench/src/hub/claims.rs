//! Many connections that claim: items of their own, and all of them the same.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use super::followers::share_ms;
use super::running_hub::RunningHub;
use crate::binaries::Binaries;
use crate::{BenchError, print_progress};

/// Connections at once.
pub(super) const CONNECTIONS: usize = 64;

/// The claims of each connection.
const ROUNDS: usize = 100;
const QUICK_ROUNDS: usize = 10;

/// Who claims what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contention {
    /// Each connection claims items of its own.
    None,
    /// All connections claim the same item in each round.
    All,
}

/// What claims came to.
#[derive(Debug)]
pub(super) struct ClaimTimes {
    pub(super) contention: Contention,
    /// Answers a second.
    pub(super) rate: f64,
    pub(super) median_ms: f64,
    pub(super) p99_ms: f64,
    /// Claims that were granted, refused because somebody else was quicker, and anything else.
    pub(super) granted: usize,
    pub(super) refused: usize,
    pub(super) failed: usize,
    /// Grants that the database does not have, or has and nobody was told.
    pub(super) lost: usize,
}

/// A claim of an item by a session.
type Claim = (String, String);

/// One answer.
struct Answered {
    claim: Claim,
    status: u16,
    micros: u64,
}

/// Measures both.
pub(super) fn measure_claims(
    binaries: &Binaries,
    is_quick: bool,
) -> Result<Vec<ClaimTimes>, BenchError> {
    let rounds = if is_quick { QUICK_ROUNDS } else { ROUNDS };
    [Contention::None, Contention::All]
        .map(|contention| measure(binaries, contention, rounds))
        .into_iter()
        .collect()
}

fn measure(
    binaries: &Binaries,
    contention: Contention,
    rounds: usize,
) -> Result<ClaimTimes, BenchError> {
    print_progress(&format!("{CONNECTIONS} connections claim, contention: {contention:?}"));
    let hub = RunningHub::start(binaries)?;
    let claims: Vec<Vec<Claim>> = (0..CONNECTIONS)
        .map(|connection| {
            (0..rounds).map(|round| name_claim(contention, connection, round)).collect()
        })
        .collect();
    let mut database = hub.open_database()?;
    add_rows(&mut database, &claims)?;
    let began = Instant::now();
    let answers = run_connections(hub.address, &hub.token, claims)?;
    let took = began.elapsed();
    let told: BTreeSet<Claim> =
        answers.iter().filter(|it| it.status == 200).map(|it| it.claim.clone()).collect();
    let held = list_held(&database)?;
    let mut times: Vec<u64> = answers.iter().map(|answered| answered.micros).collect();
    times.sort_unstable();
    let count = |status: u16| answers.iter().filter(|it| it.status == status).count();
    Ok(ClaimTimes {
        contention,
        rate: per_second(answers.len(), took),
        median_ms: share_ms(&times, 50),
        p99_ms: share_ms(&times, 99),
        granted: count(200),
        refused: count(409),
        failed: answers.len() - count(200) - count(409),
        lost: told.symmetric_difference(&held).count() + (count(200) - told.len()),
    })
}

#[expect(clippy::cast_precision_loss, reason = "nobody claims 2^52 times in one run")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Names the item and the session of a claim. A session claims once.
fn name_claim(contention: Contention, connection: usize, round: usize) -> Claim {
    let item = match contention {
        Contention::None => format!("ITEM-{round}-{connection}"),
        Contention::All => format!("ITEM-{round}"),
    };
    (item, format!("session-{round}-{connection}"))
}

fn add_rows(database: &mut Connection, claims: &[Vec<Claim>]) -> Result<(), BenchError> {
    let rows = database.transaction()?;
    let items: BTreeSet<&String> = claims.iter().flatten().map(|(item, _)| item).collect();
    for item in items {
        rows.execute("INSERT INTO work_items (key) VALUES (?1)", [item])?;
    }
    for (_, session) in claims.iter().flatten() {
        rows.execute("INSERT INTO claude_sessions (session_id) VALUES (?1)", [session])?;
    }
    Ok(rows.commit()?)
}

fn list_held(database: &Connection) -> Result<BTreeSet<Claim>, BenchError> {
    let mut select =
        database.prepare("SELECT key, holder FROM work_items WHERE holder IS NOT NULL")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn run_connections(
    address: SocketAddr,
    token: &str,
    claims: Vec<Vec<Claim>>,
) -> Result<Vec<Answered>, BenchError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connections: Vec<_> = claims
            .into_iter()
            .map(|claims| tokio::spawn(run_connection(address, token.to_owned(), claims)))
            .collect();
        let mut answers = Vec::new();
        for connection in connections {
            answers.extend(connection.await?.map_err(|error| error.to_string())?);
        }
        Ok(answers)
    })
}

/// Claims one after the other over one connection.
async fn run_connection(
    address: SocketAddr,
    token: String,
    claims: Vec<Claim>,
) -> std::io::Result<Vec<Answered>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut answers = Vec::new();
    for claim in claims {
        let body = request_body(&claim).to_string();
        let request = format!(
            "POST /rpc/claim HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let began = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let status = read_answer(&mut stream).await?;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        answers.push(Answered { claim, status, micros });
    }
    Ok(answers)
}

/// The arguments of the operation: a claim that is granted while nobody has claimed the item.
fn request_body((item, session): &Claim) -> Json {
    json!({ "request": {
        "grant": {
            "session": session,
            "item": item,
            "expected_holder": null,
            "expected_epoch": 0,
            "holder_seen_at": null,
            "outcome": "claimed",
        },
        "new_item": null,
        "quiet_seconds": null,
        "lease_seconds": 900,
        "provenance": { "actor": session, "reason": "bench", "op_id": format!("{item}/{session}") },
    }})
}

/// Reads an answer to its end; returns its status.
async fn read_answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<u16> {
    let broken = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or_else(broken)?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(|_| broken())?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(status)
}
