use std::collections::BTreeSet;

use serde_json::json;
use trueup_core::model::Timestamp;

use super::*;
use crate::webhooks::delivery::MAX_AGE_SECONDS;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

fn need(id: &str) -> ObservedNeed {
    ObservedNeed {
        id: id.to_owned(),
        since: at(0),
        line: format!("line of {id}"),
        returned_at: None,
        need: json!({ "id": id }),
    }
}

fn needs(count: usize) -> Vec<ObservedNeed> {
    (0..count).map(|number| need(&format!("n{number}"))).collect()
}

fn queue() -> WebhookQueue {
    WebhookQueue::new("lineage".to_owned())
}

fn sent(step: NextStep) -> Delivery {
    match step {
        NextStep::Send(delivery) => delivery,
        other => panic!("{other:?}"),
    }
}

/// Sends everything that may be sent; returns the messages.
fn send_all(queue: &mut WebhookQueue, now: Timestamp) -> Vec<serde_json::Value> {
    let mut messages = Vec::new();
    while let NextStep::Send(delivery) = queue.next_step(now) {
        queue.record_success(&delivery.id, now);
        messages.push(serde_json::from_str(&delivery.body).unwrap());
    }
    messages
}

fn events(messages: &[serde_json::Value]) -> Vec<&str> {
    messages.iter().map(|message| message["event"].as_str().unwrap()).collect()
}

#[test]
fn each_change_is_told_once() {
    let mut queue = queue();
    assert!(queue.observe(vec![need("a"), need("b")], at(1)));
    assert!(!queue.observe(vec![need("a"), need("b")], at(2)));
    assert_eq!(events(&send_all(&mut queue, at(3))), ["raised", "raised"]);
    assert!(queue.observe(vec![need("b")], at(4)));
    let messages = send_all(&mut queue, at(5));
    assert_eq!(events(&messages), ["settled"]);
    assert_eq!(messages[0]["need"]["id"], "a");
    assert_eq!(queue.next_step(at(6)), NextStep::Nothing);
}

#[test]
fn two_hubs_name_a_change_alike_and_what_comes_back_otherwise() {
    let (mut one, mut other) = (queue(), queue());
    one.observe(vec![need("a")], at(1));
    other.observe(vec![need("a")], at(9));
    assert_eq!(sent(one.next_step(at(9))).id, sent(other.next_step(at(9))).id);
    let mut ids = BTreeSet::new();
    for second in 10..16 {
        ids.insert(sent(one.next_step(at(second))).id);
        send_all(&mut one, at(second));
        let present = if second % 2 == 0 { vec![] } else { vec![need("a")] };
        one.observe(present, at(second));
    }
    assert_eq!(ids.len(), 6, "{ids:?}");
}

#[test]
fn what_follows_about_the_same_waits_and_the_rest_does_not() {
    let mut queue = queue();
    queue.observe(vec![need("a")], at(1));
    let refused = sent(queue.next_step(at(1)));
    queue.record_failure(&refused.id, at(1));
    queue.observe(vec![need("b")], at(2));
    // `a` is settled as well, which is not told before it was raised.
    let next = sent(queue.next_step(at(3)));
    assert_eq!(next.needs, ["b"]);
    queue.record_success(&next.id, at(3));
    assert_eq!(sent(queue.next_step(at(5))).id, refused.id);
    assert_eq!(events(&send_all(&mut queue, at(5))), ["raised", "settled"]);
}

#[test]
fn a_receiver_that_is_down_is_asked_ever_more_rarely_and_then_gets_everything() {
    let mut queue = queue();
    queue.observe(needs(3), at(0));
    let (mut now, mut attempts) = (0, 0);
    while now < 6 * 3_600 {
        match queue.next_step(at(now)) {
            NextStep::Send(delivery) => {
                assert_eq!(queue.record_failure(&delivery.id, at(now)), None);
                attempts += 1;
            }
            NextStep::Wait(millis) => now += i64::try_from(millis).unwrap() / 1_000 + 1,
            NextStep::Nothing => panic!("they still wait"),
        }
    }
    assert!((12..40).contains(&attempts), "{attempts}");
    let later = at(now + 3_601);
    assert_eq!(send_all(&mut queue, later).len(), 3);
}

#[test]
fn a_message_is_given_up_after_three_days() {
    let mut queue = queue();
    queue.observe(vec![need("a")], at(0));
    let old = i64::try_from(MAX_AGE_SECONDS).unwrap();
    let delivery = sent(queue.next_step(at(0)));
    assert_eq!(queue.record_failure(&delivery.id, at(old)), None);
    let dead = queue.record_failure(&delivery.id, at(old + 1)).unwrap();
    assert_eq!((dead.id, dead.failures), (delivery.id, 2));
    assert_eq!(queue.next_step(at(old + 9_999)), NextStep::Nothing);
}

#[test]
fn a_burst_is_one_message_that_says_how_many() {
    let mut queue = queue();
    queue.observe(needs(50), at(0));
    assert_eq!(send_all(&mut queue, at(1)).len(), 20);
    queue.observe(needs(45), at(30));
    assert!(send_all(&mut queue, at(31)).is_empty());
    assert!(queue.observe(needs(45), at(61)));
    let messages = send_all(&mut queue, at(62));
    assert_eq!(events(&messages), ["burst"]);
    assert_eq!((&messages[0]["raised"], &messages[0]["settled"]), (&json!(30), &json!(5)));
    assert_eq!(messages[0]["needs"].as_array().unwrap().len(), 35);
    queue.observe(needs(46), at(63));
    assert_eq!(events(&send_all(&mut queue, at(64))), ["raised"]);
}

#[test]
fn the_queue_is_bounded_and_says_how_many_did_not_fit() {
    let mut queue = queue();
    let mut count = 0;
    // So slowly that none is folded for its speed.
    for minute in 0..110 {
        count += 10;
        queue.observe(needs(count), at(minute * 61));
    }
    assert_eq!(queue.len(), MAX_WAITING);
    let end = at(110 * 61);
    assert_eq!(send_all(&mut queue, end).len(), MAX_WAITING);
    queue.observe(needs(count), at(111 * 61));
    let messages = send_all(&mut queue, at(111 * 61));
    assert_eq!(messages[0]["raised"], 100);
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up_for_longer_than_an_hour() {
    let mut queue = queue();
    queue.observe(vec![need("a")], at(1_000_000));
    assert!(matches!(queue.next_step(at(0)), NextStep::Wait(millis) if millis <= 3_600_000));
    queue.observe(needs(30), at(0));
    queue.make_all_due(at(0));
    assert!(!send_all(&mut queue, at(0)).is_empty());
}
