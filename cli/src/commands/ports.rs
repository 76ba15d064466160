//! `trueup ports`

use serde_json::{Value, json};
use trueup_core::liveness;
use trueup_core::model::{PortOwner, PortReservation, ReservationId};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{PortStore as _, ReleasePortRequest, StoreError};
use trueup_core::tcp_ports::{
    JudgedReservation, OccupiedSlot, PortPairRequest, ReserveAnswer, TcpProbe, list_reservations,
    reserve_ports, sweep_stale_reservations,
};

use crate::args::PortsCommand;
use crate::caller::Caller;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;

pub(super) fn cmd_ports(
    context: &CommandContext,
    command: &PortsCommand,
) -> Result<Output, CommandError> {
    match command {
        PortsCommand::Reserve { id } => cmd_reserve(context, id),
        PortsCommand::Release { id } => cmd_release(context, id),
        PortsCommand::List => cmd_list(context),
        PortsCommand::Sweep => cmd_sweep(context),
    }
}

fn cmd_reserve(context: &CommandContext, id: &ReservationId) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    // That this was done before changes nothing: asking again gives the same. Only an id that
    // was used for something else stops it.
    context.find_replay(
        &mut store,
        "port",
        Some(id.as_str()),
        &["reserved", "changed"],
    )?;
    let actor = context.resolve_actor(&mut store)?;
    let request = PortPairRequest {
        id: id.clone(),
        owner: resolve_owner(context, &mut store)?,
        provenance: context.provenance(&actor, "ports reserve"),
    };
    match reserve_ports(&mut store, &request, &context.run, &mut TcpProbe)? {
        ReserveAnswer::Given(given) => {
            let reservation = &given.reservation;
            let (backend, frontend) = (
                reservation.slot.backend_port(),
                reservation.slot.frontend_port(),
            );
            let text = if given.was_reserved {
                format!(
                    "{id} already has {backend} and {frontend}, since {}",
                    reservation.allocated_at
                )
            } else {
                format!("reserved {backend} (backend) and {frontend} (frontend) for {id}")
            };
            let passed_over = given.occupied.iter().map(|by| {
                format!(
                    "skipped {}: port {} is {}",
                    by.slot.backend_port(),
                    by.port,
                    by.reason
                )
            });
            let cleared = given
                .cleared
                .iter()
                .map(|judged| format!("removed a stale reservation: {}", describe_holder(judged)));
            Ok(Output {
                warnings: passed_over.chain(cleared).collect(),
                ..Output::new(vec![text], reservation_view(reservation))
            })
        }
        ReserveAnswer::Full { holders, occupied } => {
            Err(build_pool_full_error(&holders, &occupied))
        }
    }
}

/// Names whom the ports belong to: the session when there is one that is registered, and the
/// process that called, which lives on when this one ends.
fn resolve_owner(
    context: &CommandContext,
    store: &mut SqliteStore,
) -> Result<PortOwner, CommandError> {
    let session = match context.resolve_caller(store)? {
        Caller::Session(id) => Some(id),
        // Ports are for scripts too.
        Caller::Unregistered(_) | Caller::Person => None,
    };
    #[cfg(unix)]
    let process = Some(liveness::identify_process(
        std::os::unix::process::parent_id(),
    ));
    #[cfg(not(unix))]
    let process = None;
    Ok(PortOwner { session, process })
}

fn build_pool_full_error(holders: &[JudgedReservation], occupied: &[OccupiedSlot]) -> CommandError {
    let held = holders
        .iter()
        .map(|judged| format!("  {}", describe_holder(judged)));
    let bound = occupied.iter().map(|by| {
        format!(
            "  {}: port {} is {}",
            by.slot.backend_port(),
            by.port,
            by.reason
        )
    });
    let lines: Vec<String> = held.chain(bound).collect();
    let data = json!({
        "reservations": holders.iter().map(judged_view).collect::<Vec<_>>(),
        "occupied": occupied
            .iter()
            .map(|by| json!({"backend": by.slot.backend_port(), "port": by.port, "reason": by.reason}))
            .collect::<Vec<_>>(),
    });
    let oldest = holders.iter().map(|judged| &judged.reservation);
    let case = match oldest.min_by_key(|row| row.allocated_at) {
        Some(row) => ErrorCase::PoolFull {
            oldest: (&row.id).into(),
        },
        None => ErrorCase::PoolOccupied,
    };
    CommandError::new(case, "the pool is full:")
        .with_details(lines)
        .with_data(data)
}

fn cmd_release(context: &CommandContext, id: &ReservationId) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    context.find_replay(&mut store, "port", Some(id.as_str()), &["released"])?;
    let actor = context.resolve_actor(&mut store)?;
    let request = ReleasePortRequest {
        id: id.clone(),
        host: context.run.host.clone(),
        as_read: None,
        provenance: context.provenance(&actor, "ports release"),
    };
    match store.release_port(&request) {
        Ok(row) => {
            let text = format!(
                "released {} and {}, reserved for {id} since {}",
                row.slot.backend_port(),
                row.slot.frontend_port(),
                row.allocated_at
            );
            Ok(Output::new(vec![text], reservation_view(&row)))
        }
        Err(StoreError::Conflict(message)) => {
            Err(CommandError::new(ErrorCase::NotReserved, message))
        }
        Err(error) => Err(error.into()),
    }
}

fn cmd_list(context: &CommandContext) -> Result<Output, CommandError> {
    let mut store = context.open_for_reading()?;
    let reservations = list_reservations(&mut store, &context.run)?;
    let mut text: Vec<String> = reservations
        .iter()
        .map(|judged| {
            let reservation = &judged.reservation;
            let stale = if judged.is_stale() { ", stale" } else { "" };
            format!(
                "{} {} {:<24} {} on {}, {}{stale}",
                reservation.slot.backend_port(),
                reservation.slot.frontend_port(),
                reservation.id.as_str(),
                reservation.allocated_at,
                reservation.host,
                judged.owner.evidence
            )
        })
        .collect();
    if text.is_empty() {
        text.push("no reserved ports".to_owned());
    }
    let rows: Vec<_> = reservations.iter().map(judged_view).collect();
    let output = Output::new(text, json!({"reservations": rows}));
    Ok(if reservations.is_empty() {
        output
    } else {
        output.with_columns(&format!("{:<4} {:<4} {:<24} SINCE", "BACK", "FRNT", "FOR"))
    })
}

fn cmd_sweep(context: &CommandContext) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let actor = context.resolve_actor(&mut store)?;
    let cleared = sweep_stale_reservations(&mut store, &actor, &context.run)?;
    let mut text: Vec<String> = cleared
        .iter()
        .map(|judged| format!("removed {}", describe_holder(judged)))
        .collect();
    if text.is_empty() {
        text.push("no stale reservations".to_owned());
    }
    let rows: Vec<_> = cleared.iter().map(judged_view).collect();
    Ok(Output::new(text, json!({"released": rows})))
}

/// Says which port is whose, since when, and how alive that one looks.
fn describe_holder(judged: &JudgedReservation) -> String {
    let reservation = &judged.reservation;
    format!(
        "{} for {} since {} ({})",
        reservation.slot.backend_port(),
        reservation.id,
        reservation.allocated_at,
        judged.owner.evidence
    )
}

fn reservation_view(reservation: &PortReservation) -> Value {
    json!({
        "id": reservation.id,
        "backend": reservation.slot.backend_port(),
        "frontend": reservation.slot.frontend_port(),
        "allocated_at": reservation.allocated_at,
    })
}

fn judged_view(judged: &JudgedReservation) -> Value {
    let reservation = &judged.reservation;
    let mut object = reservation_view(reservation);
    object["host"] = json!(reservation.host);
    object["owner"] = json!({
        "session_id": reservation.owner.session,
        "pid": reservation.owner.process.as_ref().map(|process| process.pid),
        "alive": judged.owner.state.as_str(),
        "witness": judged.owner.evidence,
    });
    object["stale"] = json!(judged.is_stale());
    object
}
