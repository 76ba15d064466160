//! The live stream: every event once, in order, whatever happens to clients, hubs and database.

use std::thread;

use serde_json::Value as Json;
use support::home::Home;

use super::http_client::RawRequest;
use super::hub_process::{HubProcess, make_token, run_hub};
use super::live_clients::{EventClient, SocketClient, StreamClient, events, next};

/// Lists the numbers of the events behind a cursor, as the database has them.
fn numbers_after(home: &Home, cursor: i64) -> Vec<i64> {
    let query = "SELECT json_group_array(seq) FROM
        (SELECT seq FROM events WHERE seq > ?1 ORDER BY seq) AS found";
    let list: String = home.query_value(query, [cursor]);
    serde_json::from_str(&list).unwrap()
}

/// Adds items in one statement, each with a title.
fn add_items(home: &Home, prefix: &str, count: usize, title: &str) {
    let numbers: Vec<usize> = (0..count).collect();
    let numbers = serde_json::to_string(&numbers).unwrap();
    let added = home.execute_sql(
        "INSERT INTO work_items (key, title) SELECT ?1 || value, ?2 FROM json_each(?3)",
        [prefix, title, &numbers],
    );
    assert_eq!(added, count);
}

/// A client that notes what it gets.
struct Reader<C> {
    client: C,
    cursor: i64,
    seen: Vec<i64>,
}

impl<C: EventClient> Reader<C> {
    /// Takes a client that was opened without a cursor, or with this one.
    fn new(mut client: C) -> Self {
        let first = client.message();
        assert!(events(&first).is_empty(), "the first tells where the stream begins: {first}");
        Self { client, cursor: next(&first), seen: Vec::new() }
    }

    /// Goes on with another connection.
    fn resume(&mut self, client: C) {
        let resumed = Self::new(client);
        assert_eq!(resumed.cursor, self.cursor);
        self.client = resumed.client;
    }

    fn read_message(&mut self) {
        let message = self.client.message();
        let numbers = events(&message).iter().map(|event| event["seq"].as_i64().unwrap());
        self.seen.extend(numbers);
        self.cursor = next(&message);
    }

    /// Reads up to a cursor.
    fn read_to(&mut self, cursor: i64) {
        while self.cursor < cursor {
            self.read_message();
        }
    }
}

#[test]
fn every_event_comes_once_and_in_order_across_reconnects_while_several_write() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hub = HubProcess::start(&home);
    let open_socket = |since: &str| SocketClient::open(hub.address, &token, &format!("/ws{since}"));
    let open_stream =
        |headers: &[(&str, &str)]| StreamClient::open(hub.address, &token, "/stream", headers);
    let mut steady = Reader::new(open_socket(""));
    let mut moving = Reader::new(open_socket(""));
    let mut browser = Reader::new(open_stream(&[]));
    assert!(browser.client.head.to_lowercase().contains("content-type: text/event-stream"));
    let begin = steady.cursor;
    assert_eq!((moving.cursor, browser.cursor), (begin, begin));
    thread::scope(|scope| {
        let writers = [0, 1, 2].map(|writer| {
            let home = &home;
            scope.spawn(move || {
                for number in 0..30 {
                    home.add_item(&format!("W{writer}-{number}"));
                }
            })
        });
        // While they write.
        for _ in 0..10 {
            moving.read_message();
            moving.take_over(open_socket);
            browser.read_message();
            let cursor = browser.cursor.to_string();
            browser.resume(open_stream(&[("last-event-id", &cursor)]));
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
    let expected = numbers_after(&home, begin);
    assert!(expected.len() >= 90, "{}", expected.len());
    let last = *expected.last().unwrap();
    steady.read_to(last);
    moving.read_to(last);
    browser.read_to(last);
    assert_eq!(steady.seen, expected);
    assert_eq!(moving.seen, expected);
    assert_eq!(browser.seen, expected);
}

impl Reader<SocketClient> {
    fn take_over(&mut self, open: impl Fn(&str) -> SocketClient) {
        self.resume(open(&format!("?since={}", self.cursor)));
    }
}

#[test]
fn a_hub_that_was_killed_is_gone_on_with_where_it_was() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let mut hub = HubProcess::start(&home);
    let mut reader = Reader::new(SocketClient::open(hub.address, &token, "/ws?since=0"));
    for round in 0..3 {
        add_items(&home, &format!("A{round}-"), 20, "before");
        reader.read_message();
        // Killed, without a word to anybody.
        drop(hub);
        add_items(&home, &format!("B{round}-"), 20, "while it is away");
        hub = HubProcess::start(&home);
        let address = hub.address;
        reader.take_over(|since| SocketClient::open(address, &token, &format!("/ws{since}")));
    }
    let expected = numbers_after(&home, 0);
    reader.read_to(*expected.last().unwrap());
    assert_eq!(reader.seen, expected);
}

#[test]
fn events_that_are_older_than_the_memory_are_read_from_the_database() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    add_items(&home, "OLD-", 1_500, "long before the hub");
    home.add_item("WANTED");
    let hub = HubProcess::start(&home);
    let expected = numbers_after(&home, 0);
    let last = *expected.last().unwrap();
    let mut everything = Reader::new(SocketClient::open(hub.address, &token, "/ws?since=0"));
    everything.read_to(last);
    assert_eq!(everything.seen, expected);
    let path = "/stream?since=0&item=WANTED";
    let mut one = Reader::new(StreamClient::open(hub.address, &token, path, &[]));
    home.add_item("OTHER");
    home.execute_sql("UPDATE work_items SET title = 'new' WHERE key = 'WANTED'", []);
    one.read_to(*numbers_after(&home, 0).last().unwrap());
    let of_item: String = home.query_value(
        "SELECT json_group_array(seq) FROM (SELECT seq FROM events WHERE key = 'WANTED'
         ORDER BY seq) AS found",
        [],
    );
    assert_eq!(one.seen, serde_json::from_str::<Vec<i64>>(&of_item).unwrap());
    assert!(one.seen.len() >= 2);
}

#[test]
fn two_hubs_over_one_database_tell_the_same() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hubs = [HubProcess::start(&home), HubProcess::start(&home)];
    let open = |number: usize, since: &str| {
        SocketClient::open(hubs[number % 2].address, &token, &format!("/ws{since}"))
    };
    let mut moving = Reader::new(open(0, ""));
    let mut steady = Reader::new(open(1, ""));
    let begin = moving.cursor;
    for number in 1..=6 {
        add_items(&home, &format!("N{number}-"), 3, "title");
        moving.read_message();
        // The other hub may not have read yet what this cursor is behind.
        moving.take_over(|since| open(number, since));
    }
    let expected = numbers_after(&home, begin);
    let last = *expected.last().unwrap();
    moving.read_to(last);
    steady.read_to(last);
    assert_eq!(moving.seen, expected);
    assert_eq!(steady.seen, expected);
}

#[test]
fn a_claim_by_a_command_is_told() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    home.start_session().ok();
    let hub = HubProcess::start(&home);
    let mut by_socket = SocketClient::open(hub.address, &token, "/ws?entity=item");
    let mut by_stream = StreamClient::open(hub.address, &token, "/stream?item=SD-1", &[]);
    home.prepare_run("trueup").args(["claim", "SD-1", "--create"]).wait().ok();
    let claimed = |event: &Json| event["key"] == "SD-1" && event["kind"] == "claimed";
    let event = by_socket.event(claimed);
    assert_eq!(event, by_stream.event(claimed));
    let fields: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "seq", "at", "actor", "via", "entity", "key", "kind", "before", "after", "epoch", "reason",
        "op_id",
    ];
    expected.sort_unstable();
    let mut found = fields.clone();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_client_that_does_not_read_is_dropped_and_the_others_get_everything() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hub = HubProcess::start(&home);
    let mut slow = Reader::new(SocketClient::open(hub.address, &token, "/ws"));
    let slow_stream = StreamClient::open(hub.address, &token, "/stream", &[]);
    let mut quick = Reader::new(SocketClient::open(hub.address, &token, "/ws"));
    let begin = quick.cursor;
    let long = "x".repeat(100_000);
    // More than the system keeps for a connection.
    for part in 0..20 {
        add_items(&home, &format!("P{part}-"), 20, &long);
        quick.read_to(*numbers_after(&home, begin).last().unwrap());
    }
    let expected = numbers_after(&home, begin);
    assert_eq!(quick.seen, expected);
    while count_metric(&hub, &token, "trueup_hub_slow_clients_total") < 2 {
        thread::yield_now();
    }
    // What it gets late has no gap either, and it goes on where that ends.
    loop {
        match slow.client.receive() {
            super::live_clients::Received::Message(message) => {
                let numbers = events(&message).iter().map(|event| event["seq"].as_i64().unwrap());
                slow.seen.extend(numbers);
                slow.cursor = next(&message);
            }
            super::live_clients::Received::End(code) => {
                assert!(code.is_none() || code == Some(1013), "{code:?}");
                break;
            }
        }
    }
    assert!(slow.seen.len() < expected.len(), "it was dropped");
    slow.take_over(|since| SocketClient::open(hub.address, &token, &format!("/ws{since}")));
    slow.read_to(*expected.last().unwrap());
    assert_eq!(slow.seen, expected);
    drop(slow_stream);
}

fn count_metric(hub: &HubProcess, token: &str, name: &str) -> i64 {
    let text = String::from_utf8(hub.get("/metrics", token).body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{text}")).trim().parse().unwrap()
}

#[test]
fn a_revoked_token_ends_its_streams_and_no_others() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let other = make_token(&home, "desk", "reader");
    let hub = HubProcess::start(&home);
    let mut by_socket = SocketClient::open(hub.address, &token, "/ws");
    let mut by_stream = StreamClient::open(hub.address, &token, "/stream", &[]);
    let mut kept = Reader::new(SocketClient::open(hub.address, &other, "/ws"));
    run_hub(&home, &["token", "revoke", "laptop"]).ok();
    assert_eq!(by_socket.end(), Some(1008));
    assert_eq!(by_stream.end(), None);
    home.add_item("LATER");
    kept.read_to(*numbers_after(&home, kept.cursor).last().unwrap());
}

#[test]
fn what_makes_no_sense_is_refused_before_the_stream_begins() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hub = HubProcess::start(&home);
    for (query, status, code) in [
        ("since=", 400, "bad_cursor"),
        ("since=x", 400, "bad_cursor"),
        ("since=-1", 400, "bad_cursor"),
        ("since=1.5", 400, "bad_cursor"),
        ("since=99999999999999999999", 400, "bad_cursor"),
        ("since=1%27--", 400, "bad_cursor"),
        ("since=9000000000000000000", 400, "cursor_ahead"),
        ("since=0&since=1", 400, "bad_parameter"),
        ("sinse=0", 400, "bad_parameter"),
        ("item=../x", 400, "bad_parameter"),
        ("session=", 400, "bad_parameter"),
    ] {
        let answer = hub.get(&format!("/stream?{query}"), &token);
        assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{query}");
        let refused = SocketClient::try_open(hub.address, &token, &format!("/ws?{query}"));
        assert_eq!(refused.err(), Some((status, code.to_owned())), "{query}");
    }
    let last = RawRequest::new("GET", "/stream?since=0").bearer(&token);
    let answer = hub.send(&last.header("last-event-id", "x"));
    assert_eq!((answer.status, answer.error_code().as_str()), (400, "bad_cursor"));
    let plain = hub.get("/ws", &token);
    assert_eq!((plain.status, plain.error_code().as_str()), (400, "not_a_web_socket"));
    let nobody = SocketClient::try_open(hub.address, "tuh_0", "/ws");
    assert_eq!(nobody.err(), Some((401, "unauthorized".to_owned())));
}

#[test]
fn a_browser_is_known_by_its_cookie() {
    let home = Home::new();
    let token = make_token(&home, "lead", "admin");
    let hub = HubProcess::start(&home);
    let cookie = format!("trueup_hub={token}");
    let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let request = RawRequest::new("GET", "/stream");
    assert_eq!(hub.send(&request).status, 401);
    let mut client = StreamClient::open_with(hub.address, request, &headers);
    assert!(events(&client.message()).is_empty());
}

#[test]
fn silence_is_broken_and_a_hub_that_stops_takes_leave() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hub = HubProcess::start(&home);
    let mut by_socket = SocketClient::open(hub.address, &token, "/ws");
    let mut by_stream = StreamClient::open(hub.address, &token, "/stream", &[]);
    assert_eq!(count_metric(&hub, &token, "trueup_hub_live_clients"), 2);
    let first = by_socket.message();
    assert_eq!(by_stream.message(), first);
    // The next ones come although nothing happens.
    assert_eq!(by_socket.message(), first);
    assert_eq!(by_stream.message(), first);
    hub.terminate();
    assert_eq!(by_socket.end(), Some(1001));
    assert_eq!(by_stream.end(), None);
    let (is_well, printed) = hub.wait();
    assert!(is_well && printed.contains("stopped"), "{printed}");
}

#[test]
fn a_client_that_talks_too_much_is_closed() {
    use tokio_tungstenite::tungstenite::Message;

    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hub = HubProcess::start(&home);
    let mut chatty = SocketClient::open(hub.address, &token, "/ws");
    let mut closed = None;
    for _ in 0..2_000 {
        // The hub may have closed already.
        if chatty.socket.send(Message::text("hello")).is_err() {
            break;
        }
    }
    if closed.is_none() {
        closed = Some(chatty.end());
    }
    assert!(matches!(closed, Some(None | Some(1008))), "{closed:?}");
    let mut loud = SocketClient::open(hub.address, &token, "/ws");
    let _ = loud.socket.send(Message::text("x".repeat(100_000)));
    loud.end();
    while count_metric(&hub, &token, "trueup_hub_live_clients") > 0 {
        thread::yield_now();
    }
    assert_eq!(hub.get("/readyz", &token).status, 200);
}

#[test]
fn a_database_that_is_away_for_a_while_is_gone_on_with() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hub = HubProcess::start(&home);
    let mut reader = Reader::new(SocketClient::open(hub.address, &token, "/ws"));
    let begin = reader.cursor;
    home.add_item("BEFORE");
    reader.read_to(*numbers_after(&home, begin).last().unwrap());
    if home.shared_url().is_some() {
        // Each connection is cut.
        let cut: i64 = home.query_value(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            [],
        );
        assert!(cut > 0);
    } else {
        let (here, aside) =
            (home.trueup_home().join("trueup.db"), home.trueup_home().join("aside.db"));
        std::fs::rename(&here, &aside).unwrap();
        // The token is looked at again meanwhile, and is no reason to end the stream.
        reader.read_message();
        assert!(!here.exists(), "no empty database is made in its place");
        std::fs::rename(&aside, &here).unwrap();
        let writer = home.open_database();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        writer.execute("INSERT INTO work_items (key) VALUES ('LOCKED')", []).unwrap();
        let answer = hub.get("/readyz", &token);
        assert_eq!(answer.status, 200, "a writer does not keep readers out");
        writer.execute_batch("COMMIT").unwrap();
    }
    home.add_item("AFTER");
    let expected = numbers_after(&home, begin);
    reader.read_to(*expected.last().unwrap());
    assert_eq!(reader.seen, expected);
}
