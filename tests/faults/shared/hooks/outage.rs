//! A server that is away for long while a session goes on.

use support::network::faulty_proxy::{Fault, FaultyProxy};
use trueup_core::model::{FieldValue, StateField};
use trueup_core::outbox::{PendingChange, PendingWrite};

use super::super::scene::{Server, url_by};
use super::fixture::{RemoteSession, step_name};
use super::outlast::Pulls;

/// How often a session does something while its server is away.
const STEPS: usize = 40;

/// How many writes wait when the server comes back.
const WAITING: usize = 5_000;

#[test]
fn an_outage_is_told_once_and_every_step_in_it_arrives_once() {
    let Some(server) = Server::start() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(&server, url_by("agent", proxy.port));
    let (begin, end) = (|| network.set(Fault::BlackHole), |()| network.set(Fault::None));
    session.outlast("a black hole", Pulls::Fail, 0..STEPS, begin, end);
}

#[test]
fn thousands_of_writes_arrive_once_and_in_order_while_the_session_goes_on() {
    let Some(server) = Server::start() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(&server, url_by("agent", proxy.port));
    network.set(Fault::BlackHole);
    session.push(0).ok();
    let outbox = session.outbox();
    let first = outbox.list_waiting().unwrap().remove(0);
    let later = (1..WAITING).map(|number| {
        let task = FieldValue::Text(Some(step_name(number)));
        let changes = [(StateField::Task, task)].into();
        let write = PendingChange::State { changes, branch: None };
        PendingWrite { op_id: format!("op-{number}"), write, ..first.clone() }
    });
    let later: Vec<PendingWrite> = later.collect();
    outbox.put_all(&later.iter().collect::<Vec<_>>()).unwrap();
    network.set(Fault::None);
    for number in WAITING..WAITING + STEPS {
        session.push(number).ok();
    }
    session.check_arrived("thousands", 0..WAITING + STEPS);
}
