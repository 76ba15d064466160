//! A URL that is changed while writes wait.

use support::network::faulty_proxy::{Fault, FaultyProxy};
use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

use super::super::scene::{Server, url_by};
use super::fixture::{RemoteSession, await_event, list_tasks, step_name};

#[test]
fn another_name_of_the_database_gets_what_waits_for_it() {
    let Some(server) = Server::shared() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let mut session = RemoteSession::start(server, url_by("agent", proxy.port));
    network.set(Fault::CutAfter(0));
    session.go_on("the first name", 0..3);
    session.url = server.url().replace("127.0.0.1", "localhost");
    // The session is not known under this name yet, and its write waits behind the others.
    let output = session.push(3);
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{output:?}");
    session.check_arrived("another name", 0..4);
    session.push(4).ok();
    session.check_arrived("another name", 0..5);
    session.prompt().assert_silent();
}

/// Sends what waits for the database of the URL.
#[track_caller]
fn pull_for(session: &RemoteSession<'_>, server: &Server, database: &str, steps: &[usize]) {
    let expected: Vec<String> = steps.iter().copied().map(step_name).collect();
    await_event(|| {
        session.command(&["pull"]).ok();
        let found = list_tasks(&server.postgres, database, &session.id);
        if found == expected { Ok(()) } else { Err(found) }
    });
}

#[test]
fn another_database_gets_nothing_that_waits_for_the_first() {
    let Some(server) = Server::start() else { return };
    server.postgres.run_sql("postgres", "CREATE DATABASE other");
    server.postgres.run_sql("other", &postgres_schema(PostgresFlavor::Postgres));
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let work = url_by("agent", proxy.port);
    let other = server.url().replace("/work?", "/other?");
    let mut session = RemoteSession::start(&server, &other);
    session.url.clone_from(&work);
    session.resume().ok();
    network.set(Fault::CutAfter(0));
    session.go_on("the first database", 0..3);

    session.url.clone_from(&other);
    let told = session.resume().ok().message();
    assert!(told.iter().any(|line| line.contains("waiting for another database")), "{told:?}");
    for number in 3..6 {
        session.push(number).ok();
    }
    pull_for(&session, &server, "other", &[3, 4, 5]);
    assert_eq!(session.list_tasks(), [""; 0], "they were for the other one");
    let backlog = session.outbox().count_backlog().unwrap();
    assert_eq!((backlog.waiting, backlog.elsewhere), (3, 3), "{backlog:?}");
    let listed = session.command(&["outbox", "list"]).ok().stdout;
    assert!((0..3).all(|number| listed.contains(&step_name(number))), "{listed}");
    let doctor = session.command(&["doctor"]);
    assert!(doctor.stdout.contains("3 writes are waiting for another database"), "{doctor:?}");

    session.url = work;
    network.set(Fault::None);
    session.resume().ok();
    session.push(6).ok();
    pull_for(&session, &server, "work", &[0, 1, 2, 6]);
    assert_eq!(list_tasks(&server.postgres, "other", &session.id), [3, 4, 5].map(step_name));
    session.check_nothing_set_aside("there and back");
    assert!(session.outbox().is_idle());
}
