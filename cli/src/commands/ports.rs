//! `trueup ports`: reserving, releasing and listing pairs of ports, and freeing stale ones.

use crate::command_context::Caller;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PortCase};
use crate::output::Output;
use crate::page::{Cell, Column, Table, Tone};
use clap::Subcommand;
use serde_json::{Value, json};
use trueup_core::liveness;
use trueup_core::model::{EventKind, PortOwner, PortReservation, ReservationId};
use trueup_core::store::{ReleasePortRequest, Store, StoreError};
use trueup_core::tcp_ports::{
    JudgedReservation, OccupiedSlot, PortPairRequest, ReserveAnswer, TcpProbe, list_reservations,
    reserve_ports, sweep_stale_reservations,
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PortsCommand {
    /// Reserve the lowest free pair of ports; repeating it returns the same pair
    ///
    /// Both ports can be bound when this returns; pairs with a port in use are skipped.
    ///
    /// Example: trueup ports reserve 3af4a34d
    #[command(verbatim_doc_comment)]
    Reserve {
        /// Workflow id
        id: ReservationId,
    },
    /// Release a pair of ports
    ///
    /// Example: trueup ports release 3af4a34d
    #[command(verbatim_doc_comment)]
    Release {
        /// Workflow id
        id: ReservationId,
    },
    /// List reserved ports
    ///
    /// Example: trueup ports list
    #[command(verbatim_doc_comment)]
    List,
    /// Remove reservations older than 24 h whose owner is gone
    ///
    /// Example: trueup ports sweep
    #[command(verbatim_doc_comment)]
    Sweep,
}

pub(super) fn cmd_ports(context: &CommandContext, command: &PortsCommand) -> CommandResult {
    match command {
        PortsCommand::Reserve { id } => cmd_reserve(context, id),
        PortsCommand::Release { id } => cmd_release(context, id),
        PortsCommand::List => cmd_list(context),
        PortsCommand::Sweep => cmd_sweep(context),
    }
}

fn cmd_reserve(context: &CommandContext, id: &ReservationId) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    // Reserving again returns the same pair, so a repetition needs no special case. This only
    // refuses an id of another change.
    context.find_replay(
        store,
        "port",
        Some(id.as_str()),
        &[EventKind::Reserved, EventKind::Changed],
    )?;
    let actor = context.resolve_actor(store)?;
    let request = PortPairRequest {
        id: id.clone(),
        owner: resolve_owner(context, store)?,
        provenance: context.provenance(&actor, "ports reserve"),
    };
    match reserve_ports(store, &request, &context.run, &mut TcpProbe)? {
        ReserveAnswer::Given(given) => {
            let reservation = &given.reservation;
            let (backend, frontend) =
                (reservation.slot.backend_port(), reservation.slot.frontend_port());
            let text = if given.was_reserved {
                format!(
                    "{id} already has {backend} and {frontend}, since {}",
                    reservation.allocated_at
                )
            } else {
                format!("reserved {backend} (backend) and {frontend} (frontend) for {id}")
            };
            let passed_over = given.occupied.iter().map(|by| {
                format!("skipped {}: port {} is {}", by.slot.backend_port(), by.port, by.reason)
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

/// Resolves the owner: the session, if it is registered, and the parent process, which outlives
/// this one.
fn resolve_owner(context: &CommandContext, store: &mut dyn Store) -> CommandResult<PortOwner> {
    let session = match context.resolve_caller(store)? {
        Caller::Session(id) => Some(id),
        // Scripts may reserve ports without a session.
        Caller::Unregistered(_) | Caller::Person => None,
    };
    #[cfg(unix)]
    let process = Some(liveness::identify_process(std::os::unix::process::parent_id()));
    #[cfg(not(unix))]
    let process = None;
    Ok(PortOwner { session, process })
}

fn build_pool_full_error(holders: &[JudgedReservation], occupied: &[OccupiedSlot]) -> CommandError {
    let held = holders.iter().map(|judged| format!("  {}", describe_holder(judged)));
    let bound = occupied
        .iter()
        .map(|by| format!("  {}: port {} is {}", by.slot.backend_port(), by.port, by.reason));
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
        Some(row) => PortCase::PoolFull { oldest: (&row.id).into() },
        None => PortCase::PoolOccupied,
    };
    CommandError::new(case, "the pool is full:").with_details(lines).with_data(data)
}

fn cmd_release(context: &CommandContext, id: &ReservationId) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    context.find_replay(store, "port", Some(id.as_str()), &[EventKind::Released])?;
    let actor = context.resolve_actor(store)?;
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
            Err(CommandError::new(PortCase::NotReserved, message))
        }
        Err(error) => Err(error.into()),
    }
}

fn cmd_list(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let reservations = list_reservations(store, &context.run)?;
    let views: Vec<_> = reservations.iter().map(judged_view).collect();
    Ok(Output::table(
        reservation_table(context, &reservations),
        "no reserved ports",
        json!({"reservations": views}),
    ))
}

fn reservation_table(context: &CommandContext, reservations: &[JudgedReservation]) -> Table<7> {
    let columns = [
        Column::number("BACKEND"),
        Column::number("FRONTEND"),
        Column::word("FOR"),
        Column::word("SINCE"),
        Column::word("HOST"),
        Column::word("STATE"),
        Column::text("OWNER"),
    ];
    let row = |judged: &JudgedReservation| {
        let reservation = &judged.reservation;
        let (tone, state) =
            if judged.is_stale() { (Tone::Warning, "stale") } else { (Tone::Good, "in use") };
        [
            reservation.slot.backend_port().to_string().into(),
            reservation.slot.frontend_port().to_string().into(),
            reservation.id.as_str().into(),
            Cell::faint(context.times.render(reservation.allocated_at)),
            reservation.host.as_str().into(),
            Cell::toned(tone, state),
            Cell::faint(judged.owner.evidence.as_str()),
        ]
    };
    Table::new(columns, reservations.iter().map(row))
}

fn cmd_sweep(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let actor = context.resolve_actor(store)?;
    let cleared = sweep_stale_reservations(store, &actor, &context.run)?;
    let mut text: Vec<String> =
        cleared.iter().map(|judged| format!("removed {}", describe_holder(judged))).collect();
    if text.is_empty() {
        text.push("no stale reservations".to_owned());
    }
    let rows: Vec<_> = cleared.iter().map(judged_view).collect();
    Ok(Output::new(text, json!({"released": rows})))
}

/// Describes a reservation: port, owner, time and liveness.
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
