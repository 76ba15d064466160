//! Two machines that change the state of one session, one of them without a network.

use support::network::faulty_proxy::{Fault, FaultSwitch, FaultyProxy};

use super::super::scene::{Server, url_by};
use super::fixture::{RemoteSession, step_name};

/// A session of two machines, one of which is reached by a network that may fail.
struct TwoMachines {
    away: RemoteSession<'static>,
    present: RemoteSession<'static>,
    network: FaultSwitch,
}

impl TwoMachines {
    fn start() -> Option<Self> {
        let server = Server::shared()?;
        let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
        let away = RemoteSession::start(server, url_by("agent", proxy.port));
        away.push(0).ok();
        away.pull();
        away.await_quiet();
        let present = away.resume_elsewhere(server.url());
        assert_eq!(present.home.read_cache()["currentTask"], step_name(0));
        Some(Self { away, present, network })
    }
}

#[test]
fn what_an_offline_machine_wrote_too_late_is_kept_in_its_journal_and_told_once() {
    let Some(TwoMachines { away, present, network }) = TwoMachines::start() else { return };
    network.set(Fault::CutAfter(0));
    away.go_on("away", 1..3);
    present.command(&["set", "--task", &step_name(3)]).ok();
    network.set(Fault::None);
    away.pull();
    assert_eq!(away.list_tasks(), [0, 3].map(step_name));
    let journal = away.home.read_lines("journal.jsonl");
    let lost: Vec<_> = journal.iter().map(|entry| &entry["fields"]["Task"]).collect();
    assert_eq!(lost, [&step_name(1), &step_name(2)]);

    let output = away.prompt().ok();
    let told = output.message();
    assert_eq!(told.iter().filter(|line| line.contains("lost to a newer")).count(), 2, "{told:?}");
    assert!(output.context().contains(&step_name(3)), "{output:?}");
    assert_eq!(away.home.read_cache()["currentTask"], step_name(3));
    away.pull();
    away.prompt().assert_silent();
    present.pull();
    present.prompt().assert_silent();

    // Whoever goes on where the other one stopped is late no more.
    away.push(4).ok();
    away.pull();
    present.pull();
    assert_eq!(present.home.read_cache()["currentTask"], step_name(4));
    present.push(5).ok();
    present.pull();
    assert_eq!(away.list_tasks(), [0, 3, 4, 5].map(step_name));
    assert_eq!(away.home.read_lines("journal.jsonl").len(), 2);
    present.check_nothing_set_aside("present");
}

/// What hooks of both write is done as it arrives: each in its order, and nothing of it twice.
#[test]
fn what_hooks_of_two_machines_wrote_arrives_once_and_both_see_the_last() {
    let Some(TwoMachines { away, present, network }) = TwoMachines::start() else { return };
    network.set(Fault::CutAfter(0));
    away.go_on("away", 1..3);
    present.push(3).ok();
    present.pull();
    network.set(Fault::None);
    away.pull();
    present.push(4).ok();
    present.pull();
    assert_eq!(away.list_tasks(), [0, 3, 1, 2, 4].map(step_name));
    for (name, machine) in [("away", &away), ("present", &present)] {
        machine.pull();
        machine.prompt().ok();
        assert_eq!(machine.home.read_cache()["currentTask"], step_name(4), "{name}");
        machine.check_nothing_set_aside(name);
    }
}
