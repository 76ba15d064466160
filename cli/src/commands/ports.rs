//! `trueup ports`

use serde_json::{Value, json};
use trueup_core::liveness;
use trueup_core::model::{PortOwner, Reservation, ReservationId};
use trueup_core::ports::{Judged, Occupied, Reserved, TcpProbe, Wish, list, reserve, sweep};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{PortRelease, PortStore as _, StoreError};

use crate::args::PortsCommand;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::report::Answer;
use crate::speaker::Speaker;

pub(super) fn run(desk: &Desk, command: &PortsCommand) -> Result<Answer, Failure> {
    match command {
        PortsCommand::Reserve { id } => reserve_for(desk, id),
        PortsCommand::Release { id } => release(desk, id),
        PortsCommand::List => show(desk),
        PortsCommand::Sweep => clear(desk),
    }
}

fn reserve_for(desk: &Desk, id: &ReservationId) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    // That this was done before changes nothing: asking again gives the same. Only an id that
    // was used for something else stops it.
    desk.carried_out(
        &mut store,
        "port",
        Some(id.as_str()),
        &["reserved", "changed"],
    )?;
    let by = desk.actor(&mut store)?;
    let wish = Wish {
        id: id.clone(),
        owner: owner(desk, &mut store)?,
        provenance: desk.provenance(&by, "ports reserve"),
    };
    match reserve(&mut store, &wish, &desk.site, &mut TcpProbe)? {
        Reserved::Given(given) => {
            let row = &given.reservation;
            let (backend, frontend) = (row.slot.backend(), row.slot.frontend());
            let text = if given.kept {
                format!(
                    "{id} already has {backend} and {frontend}, since {}",
                    row.allocated_at
                )
            } else {
                format!("reserved {backend} (backend) and {frontend} (frontend) for {id}")
            };
            let passed = given.occupied.iter().map(|by| {
                format!(
                    "skipped {}: port {} is {}",
                    by.slot.backend(),
                    by.port,
                    by.reason
                )
            });
            let cleared = given
                .cleared
                .iter()
                .map(|judged| format!("removed a stale reservation: {}", holder(judged)));
            Ok(Answer {
                warnings: passed.chain(cleared).collect(),
                ..Answer::new(vec![text], brief(row))
            })
        }
        Reserved::Full { holders, occupied } => Err(full(&holders, &occupied)),
    }
}

/// Names whom the ports belong to: the session when there is one that is registered, and the
/// process that called, which lives on when this one ends.
fn owner(desk: &Desk, store: &mut SqliteStore) -> Result<PortOwner, Failure> {
    let session = match desk.speaker(store)? {
        Speaker::Session(id) => Some(id),
        // Ports are for scripts too.
        Speaker::Unregistered(_) | Speaker::Person => None,
    };
    #[cfg(unix)]
    let process = Some(liveness::identify(std::os::unix::process::parent_id()));
    #[cfg(not(unix))]
    let process = None;
    Ok(PortOwner { session, process })
}

fn full(holders: &[Judged], occupied: &[Occupied]) -> Failure {
    let held = holders.iter().map(|judged| format!("  {}", holder(judged)));
    let bound = occupied
        .iter()
        .map(|by| format!("  {}: port {} is {}", by.slot.backend(), by.port, by.reason));
    let lines: Vec<String> = held.chain(bound).collect();
    let data = json!({
        "reservations": holders.iter().map(object).collect::<Vec<_>>(),
        "occupied": occupied
            .iter()
            .map(|by| json!({"backend": by.slot.backend(), "port": by.port, "reason": by.reason}))
            .collect::<Vec<_>>(),
    });
    let oldest = holders.iter().map(|judged| &judged.reservation);
    let case = match oldest.min_by_key(|row| row.allocated_at) {
        Some(row) => ErrorCase::PoolFull {
            oldest: (&row.id).into(),
        },
        None => ErrorCase::PoolOccupied,
    };
    Failure::new(case, "the pool is full:")
        .details(lines)
        .data(data)
}

fn release(desk: &Desk, id: &ReservationId) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    desk.carried_out(&mut store, "port", Some(id.as_str()), &["released"])?;
    let by = desk.actor(&mut store)?;
    let request = PortRelease {
        id: id.clone(),
        host: desk.site.host.clone(),
        as_read: None,
        provenance: desk.provenance(&by, "ports release"),
    };
    match store.release_port(&request) {
        Ok(row) => {
            let text = format!(
                "released {} and {}, reserved for {id} since {}",
                row.slot.backend(),
                row.slot.frontend(),
                row.allocated_at
            );
            Ok(Answer::new(vec![text], brief(&row)))
        }
        Err(StoreError::Conflict(message)) => Err(Failure::new(ErrorCase::NotReserved, message)),
        Err(error) => Err(error.into()),
    }
}

fn show(desk: &Desk) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let all = list(&mut store, &desk.site)?;
    let mut text: Vec<String> = all
        .iter()
        .map(|judged| {
            let row = &judged.reservation;
            let stale = if judged.is_stale() { ", stale" } else { "" };
            format!(
                "{} {} {:<24} {} on {}, {}{stale}",
                row.slot.backend(),
                row.slot.frontend(),
                row.id.as_str(),
                row.allocated_at,
                row.host,
                judged.owner.witness
            )
        })
        .collect();
    if text.is_empty() {
        text.push("no reserved ports".to_owned());
    }
    let rows: Vec<_> = all.iter().map(object).collect();
    let answer = Answer::new(text, json!({"reservations": rows}));
    Ok(if all.is_empty() {
        answer
    } else {
        answer.columns(&format!("{:<4} {:<4} {:<24} SINCE", "BACK", "FRNT", "FOR"))
    })
}

fn clear(desk: &Desk) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let by = desk.actor(&mut store)?;
    let cleared = sweep(&mut store, &by, &desk.site)?;
    let mut text: Vec<String> = cleared
        .iter()
        .map(|judged| format!("removed {}", holder(judged)))
        .collect();
    if text.is_empty() {
        text.push("no stale reservations".to_owned());
    }
    let rows: Vec<_> = cleared.iter().map(object).collect();
    Ok(Answer::new(text, json!({"released": rows})))
}

/// Says which port is whose, since when, and how alive that one looks.
fn holder(judged: &Judged) -> String {
    let row = &judged.reservation;
    format!(
        "{} for {} since {} ({})",
        row.slot.backend(),
        row.id,
        row.allocated_at,
        judged.owner.witness
    )
}

fn brief(row: &Reservation) -> Value {
    json!({
        "id": row.id,
        "backend": row.slot.backend(),
        "frontend": row.slot.frontend(),
        "allocated_at": row.allocated_at,
    })
}

fn object(judged: &Judged) -> Value {
    let row = &judged.reservation;
    let mut object = brief(row);
    object["host"] = json!(row.host);
    object["owner"] = json!({
        "session_id": row.owner.session,
        "pid": row.owner.process.as_ref().map(|process| process.pid),
        "alive": judged.owner.alive.as_str(),
        "witness": judged.owner.witness,
    });
    object["stale"] = json!(judged.is_stale());
    object
}
