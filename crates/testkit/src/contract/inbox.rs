//! What every `Inbox` promises.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use nora_kernel::EventId;
use nora_webhooks::ports::{Appended, Inbox, NewEvent};
use nora_webhooks::{Event, EventState, Headers, StoredEvent, Verdict};

use crate::Fixture;
use crate::samples::ordering_key;
use crate::scene::Scene;

fn count(appended: &[Appended], wanted: Appended) -> usize {
    appended.iter().filter(|appended| **appended == wanted).count()
}

fn as_received(new: &NewEvent) -> StoredEvent {
    StoredEvent {
        event: Event {
            id: new.id,
            channel: new.channel,
            received_at: new.received_at,
            delivery_id: new.delivery_id.clone(),
            event_type: new.event_type.clone(),
            verdict: new.verdict,
            state: EventState::Pending,
            attempts: 0,
            last_error: None,
            replayed: false,
        },
        verified_by: new.verified_by,
        handler: new.handler,
        query: new.query.clone(),
        headers: new.headers.clone(),
        body: new.body.clone(),
    }
}

pub async fn every_field_survives(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let pair = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let odd = NewEvent {
        delivery_id: Some("é 'x'".to_owned()),
        event_type: Some(String::new()),
        handler: u16::MAX,
        query: "a=%00&b='".to_owned(),
        headers: Headers::from_iter([pair("x-twice", b"\xff"), pair("x-twice", b""), pair("x-nul", b"\0")]),
        body: (0..=255).collect(),
        ..scene.samples.event_in(&channel, "é")
    };
    let bare = NewEvent {
        verdict: Verdict::Unverified,
        verified_by: None,
        delivery_id: None,
        dedupe_key: None,
        event_type: None,
        headers: Headers::default(),
        body: Bytes::new(),
        ..scene.samples.event(&channel)
    };
    let large = NewEvent { body: Bytes::from(vec![b'x'; 3 << 20]), ..scene.samples.event(&channel) };
    let events = [odd, bare, large];
    assert_eq!(scene.append(&events).await, [Appended::Kept; 3]);
    for event in events {
        assert_eq!(scene.stored_event(&channel, event.id).await, Some(as_received(&event)));
    }
}

pub async fn no_event_holds_up_the_others(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (channel, removed) = (scene.add_channel().await, scene.add_channel().await);
    assert!(scene.remove_channel(&removed).await);
    let known = scene.add_event(&channel).await;
    let again = NewEvent { dedupe_key: known.dedupe_key, ..scene.samples.event(&channel) };
    let first = scene.samples.event(&channel);
    let twin = NewEvent { dedupe_key: first.dedupe_key, ..scene.samples.event_in(&channel, "another lane") };
    let (gone, last) = (scene.samples.event(&removed), scene.samples.event(&channel));
    let batch = [again.clone(), first.clone(), gone.clone(), twin.clone(), last.clone()];
    let expected = [Appended::Duplicate, Appended::Kept, Appended::ChannelGone, Appended::Duplicate, Appended::Kept];
    assert_eq!(scene.append(&batch).await, expected);
    for (event, kept) in [(&again, false), (&first, true), (&twin, false), (&last, true)] {
        assert_eq!(scene.stored_event(&channel, event.id).await.is_some(), kept);
    }
    assert_eq!(scene.deliver_all().await, [known.id, first.id, last.id]);
    assert_eq!(scene.append(&[]).await, []);
}

pub async fn a_text_with_a_nul_holds_up_nobody(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let text = || Some("a\0b".to_owned());
    let odd = NewEvent { delivery_id: text(), event_type: text(), ..scene.samples.event(&channel) };
    assert_eq!(scene.append(&[odd.clone(), scene.samples.event(&channel)]).await, [Appended::Kept; 2]);
    assert_eq!(scene.stored_event(&channel, odd.id).await.unwrap().body, odd.body);
}

pub async fn events_without_a_key_are_all_kept(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let same = || NewEvent { dedupe_key: None, ..scene.samples.event(&channel) };
    let batch = [same(), same(), same()];
    assert_eq!(scene.append(&batch).await, [Appended::Kept; 3]);
    assert_eq!(scene.receive(&same()).await, Appended::Kept);
    assert_eq!(scene.deliver_all().await.len(), 4);
}

pub async fn a_key_belongs_to_its_channel(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (channel, other) = (scene.add_channel().await, scene.add_channel().await);
    let event = scene.add_event(&channel).await;
    let same = NewEvent { dedupe_key: event.dedupe_key, ..scene.samples.event(&other) };
    assert_eq!(scene.receive(&same).await, Appended::Kept);
}

pub async fn of_the_same_event_many_times_one_is_kept(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let key = scene.samples.event(&channel).dedupe_key;
    let senders = (0..40).map(|number| {
        let inbox = if number % 2 == 0 { scene.inbox() } else { scene.elsewhere().inbox() };
        let same = || NewEvent { dedupe_key: key, ..scene.samples.event(&channel) };
        let batch = [same(), same(), same(), same(), same()];
        tokio::spawn(async move { inbox.append(&batch).await.unwrap() })
    });
    let appended: Vec<Appended> = join_all(senders).await.into_iter().flat_map(|sent| sent.unwrap()).collect();
    assert_eq!((count(&appended, Appended::Kept), count(&appended, Appended::Duplicate)), (1, 199));
    assert_eq!(scene.deliver_all().await.len(), 1);
}

pub async fn batches_in_any_order_do_not_wait_for_each_other(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (one, other) = (scene.add_channel().await, scene.add_channel().await);
    let events: Vec<NewEvent> = (0..20)
        .map(|number| scene.samples.event_in(if number % 2 == 0 { &one } else { &other }, &format!("{}", number % 5)))
        .collect();
    let senders = (0..12).map(|number| {
        let inbox = if number % 2 == 0 { scene.inbox() } else { scene.elsewhere().inbox() };
        let again = |event: &NewEvent| NewEvent {
            id: EventId::from_uuid(scene.samples.event(&one).id.as_uuid()),
            ..event.clone()
        };
        let mut batch: Vec<NewEvent> = events.iter().map(again).collect();
        batch.rotate_left(number);
        if number % 3 == 0 {
            batch.reverse();
        }
        tokio::spawn(async move { inbox.append(&batch).await.unwrap() })
    });
    let appended: Vec<Appended> = join_all(senders).await.into_iter().flat_map(|sent| sent.unwrap()).collect();
    assert_eq!((count(&appended, Appended::Kept), count(&appended, Appended::Duplicate)), (20, 220));
}

pub async fn a_batch_may_be_appended_again(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let keyless = NewEvent { dedupe_key: None, ..scene.samples.event(&channel) };
    let batch = [scene.samples.event(&channel), keyless];
    assert_eq!(scene.append(&batch).await, [Appended::Kept; 2]);
    let inbox = scene.elsewhere().inbox();
    assert_eq!(inbox.append(&batch).await.unwrap(), [Appended::Kept; 2]);
    assert_eq!(scene.deliver_all().await, [batch[0].id, batch[1].id]);
    assert_eq!(scene.append(&batch).await, [Appended::Kept; 2]);
    assert!(scene.no_delivery_is_due().await);
}

pub async fn a_batch_appended_twice_at_once_is_kept_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let batch: Vec<NewEvent> = (0..10).map(|_| scene.samples.event(&channel)).collect();
    let senders = (0..8).map(|number| {
        let inbox = if number % 2 == 0 { scene.inbox() } else { scene.elsewhere().inbox() };
        let batch = batch.clone();
        tokio::spawn(async move { inbox.append(&batch).await.unwrap() })
    });
    for sent in join_all(senders).await {
        assert_eq!(sent.unwrap(), [Appended::Kept; 10]);
    }
    assert_eq!(scene.deliver_all().await.len(), 10);
}

pub async fn an_absent_agents_channel_is_gone(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let channel = scene.add_channel_of(&agent).await;
    let unknown = scene.samples.channel(&agent);
    scene.delete(&agent).await;
    for channel in [channel, unknown] {
        assert_eq!(scene.receive(&scene.samples.event(&channel)).await, Appended::ChannelGone);
    }
}

pub async fn places_follow_the_batch_and_the_calls(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let mut expected = Vec::new();
    for round in 0..4 {
        // Neither what the clock of a server says nor an id decides.
        let at = scene.now().before(Duration::from_secs(round));
        let mut batch: Vec<NewEvent> =
            (0..5).map(|_| NewEvent { received_at: at, ..scene.samples.event(&channel) }).collect();
        batch.reverse();
        let inbox = if round % 2 == 0 { scene.inbox() } else { scene.elsewhere().inbox() };
        inbox.append(&batch).await.unwrap();
        expected.extend(batch.iter().map(|event| event.id));
    }
    assert_eq!(scene.deliver_all().await, expected);
}

/// Appends until the store answers, as whoever receives may.
async fn append_patiently(inbox: &dyn Inbox, batch: &[NewEvent]) -> Vec<Appended> {
    loop {
        match inbox.append(batch).await {
            Ok(appended) => return appended,
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
    }
}

/// Senders each wait for their answer before they send the next, on two servers, while events are delivered.
pub async fn nothing_is_placed_before_what_was_delivered(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let senders = (0..4).map(|sender| {
        let inbox = if sender % 2 == 0 { scene.inbox() } else { scene.elsewhere().inbox() };
        let (samples, channel) = (scene.samples.clone(), channel.clone());
        tokio::spawn(async move {
            let mut sent = Vec::new();
            for _ in 0..6 {
                let batch = [samples.event(&channel), samples.event(&channel)];
                assert_eq!(append_patiently(&*inbox, &batch).await, [Appended::Kept; 2]);
                sent.extend(batch.map(|event| event.id));
            }
            sent
        })
    });
    let senders: Vec<_> = senders.collect();
    let (mut delivered, mut places) = (Vec::new(), Vec::new());
    loop {
        let all_sent = senders.iter().all(tokio::task::JoinHandle::is_finished);
        let claims = scene.claim_deliveries(10).await;
        if all_sent && claims.is_empty() {
            break;
        }
        for claim in claims {
            scene.delivered(&claim).await;
            places.push(claim.sequence);
            delivered.push(claim.event);
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(delivered.len(), 48);
    assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
    let order: HashMap<EventId, usize> = delivered.iter().enumerate().map(|(index, event)| (*event, index)).collect();
    for sent in join_all(senders).await {
        let order: Vec<usize> = sent.unwrap().iter().map(|event| order[event]).collect();
        assert!(order.is_sorted(), "{order:?}");
    }
}

pub async fn lanes_have_names(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let names = ["", " ", "a", "A", "é", "e\u{301}"];
    let batch: Vec<NewEvent> = names
        .iter()
        .map(|name| NewEvent { ordering_key: ordering_key(name), ..scene.samples.event(&channel) })
        .collect();
    assert_eq!(scene.append(&batch).await, [Appended::Kept; 6]);
    assert_eq!(scene.claim_deliveries(10).await.len(), names.len(), "each is the first of its lane");
}

#[macro_export]
macro_rules! inbox_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => inbox:
            every_field_survives,
            no_event_holds_up_the_others,
            a_text_with_a_nul_holds_up_nobody,
            events_without_a_key_are_all_kept,
            a_key_belongs_to_its_channel,
            of_the_same_event_many_times_one_is_kept,
            batches_in_any_order_do_not_wait_for_each_other,
            a_batch_may_be_appended_again,
            a_batch_appended_twice_at_once_is_kept_once,
            an_absent_agents_channel_is_gone,
            places_follow_the_batch_and_the_calls,
            nothing_is_placed_before_what_was_delivered,
            lanes_have_names,
        }
    };
}
