//! No statement about webhooks reads a whole table, at 100,000 rows of everything. See `plans`.

use std::time::Duration;

use nora_agents::ports::AgentStore;
use nora_kernel::{AgentId, ChannelId, Clock as _, Cursor, EventId, PageRequest, Reach, Timestamp};
use nora_store_postgres::PostgresStore;
use nora_testkit::Samples;
use nora_testkit::samples::workspace;
use nora_testkit_postgres::TestDatabase;
use nora_webhooks::ports::{
    Appended, ChannelStore, ChannelUpdate, DeliveryEnd, DeliveryFailure, DeliveryFailureClass, DeliveryStore,
    EventFilter, EventStore, Held, Inbox as _, NewEvent, ReplayRange,
};
use nora_webhooks::{EventState, StoredChannel};

use crate::fixture::Owner;
use crate::plans::{NOW, TIMES, id, run, scanned};

const LEASE: Duration = Duration::from_secs(15);

/// A channel for each agent. The first hundred have a thousand events and lanes each: one in a hundred waits, one in a
/// hundred is dead.
fn seed() -> String {
    let id = |alias: &str| format!("('00000000-0000-7000-8000-' || lpad(to_hex({alias}), 12, '0'))::uuid");
    let (id, channel, numbers) = (id("n"), id("(n % 100 + 1)"), "FROM generate_series(1, 100000) AS n");
    let state = "CASE n / 100 % 100 WHEN 0 THEN 'pending' WHEN 1 THEN 'dead' ELSE 'delivered' END";
    format!(
        "INSERT INTO agents (id, workspace, name, data_key, revision, created_at, updated_at) \
         SELECT {id}, 'alpha', 'An agent', 'key', 1, {NOW} - n, {NOW} {numbers}; \
         INSERT INTO sync_targets (id, agent_id, role, kind, url, secrets, secrets_version, desired, applied, attempt, \
         blocked, next_attempt_at, next_check_at, fence, variables, created_at) \
         SELECT {id}, {id}, 'live', 'nora', 'http://10.0.0.1/' || n, 'sealed', 1, 3, 3, 0, false, {NOW} - n, \
         {NOW} + n, 1, '[]', {NOW} {numbers}; \
         INSERT INTO channels (id, agent_id, kind, name, config, verification, enabled, paused, revision, created_at, \
         updated_at) \
         SELECT {id}, {id}, 'github', 'A channel', '{{}}', 'secret', true, false, 1, {NOW}, {NOW} {numbers}; \
         INSERT INTO channel_secrets (id, channel_id, role, secret, created_at) \
         SELECT {id}, {id}, 'signing', 'sealed', {NOW} {numbers}; \
         INSERT INTO events (id, channel_id, received_at, verdict, handler, dedupe_key, ordering_key, state, queued, \
         replayed, attempts) \
         SELECT {id}, {channel}, {NOW} - n, 'verified', 1, decode(lpad(to_hex(n), 64, '0'), 'hex'), 'lane ' || n, \
         {state}, CASE WHEN {state} = 'pending' THEN 1 ELSE 0 END, false, 1 {numbers}; \
         INSERT INTO event_bodies (event_id, query, headers, body) SELECT {id}, '', '', '{{}}' {numbers}; \
         INSERT INTO lanes (id, channel_id, ordering_key, agent_id, paused, due_at, added) OVERRIDING SYSTEM VALUE \
         SELECT n, {channel}, 'lane ' || n, {channel}, false, CASE WHEN {state} = 'pending' THEN {NOW} - n END, n \
         {numbers}; \
         INSERT INTO deliveries (lane_id, sequence, event_id, replay) SELECT n, n, {id}, false {numbers} \
         WHERE {state} = 'pending'; \
         SELECT setval('receipts', 100000), setval('lanes_id_seq', 100000); \
         ANALYZE"
    )
}

const ALL_BEHIND: &str = "
    INSERT INTO deliveries SELECT lanes.id, lanes.id, events.id, false FROM lanes
    JOIN events USING (channel_id, ordering_key) WHERE events.state <> 'pending';
    UPDATE events SET state = 'pending', queued = 1 WHERE state <> 'pending';
    UPDATE lanes SET due_at = added WHERE due_at IS NULL;
    ANALYZE";

async fn read(store: &PostgresStore, samples: &Samples, number: u32) {
    let (agent, channel, reach) = (AgentId::from_uuid(id(number)), ChannelId::from_uuid(id(number)), Reach::Everything);
    assert!(store.owner(&reach, agent).await.unwrap().is_some());
    assert!(store.locate(channel).await.unwrap().is_some());
    assert!(store.load_to_open(channel, &samples.line()).await.unwrap().is_some());
    assert!(ChannelStore::find(store, &reach, agent, channel).await.unwrap().is_some());
    let channels = ChannelStore::list(store, &reach, agent).await.unwrap().unwrap();
    assert_eq!(channels.len(), 1);
    let event = EventId::from_uuid(id(50_500 + number - 1));
    let found = EventStore::find(store, &reach, agent, channel, event).await.unwrap();
    assert!(found.is_some(), "{number}");
    let deep = Cursor { at: Timestamp::from_microseconds(NOW - 50_000), id: id(50_000) };
    for state in [None, Some(EventState::Delivered), Some(EventState::Dead), Some(EventState::Pending)] {
        for after in [None, Some(deep)] {
            let (page, filter) = (PageRequest { after, ..PageRequest::default() }, EventFilter { state });
            let events = EventStore::list(store, &reach, agent, channel, filter, page).await;
            assert!(!events.unwrap().unwrap().items.is_empty());
        }
    }
    DeliveryStore::next_due(store).await.unwrap().unwrap();
    assert!(store.backlog().await.unwrap().dead > 0);
}

/// A channel from its making to what is left of it.
async fn live(store: &PostgresStore, samples: &Samples, number: u32) {
    let agent = AgentStore::find(store, &Reach::Everything, AgentId::from_uuid(id(number))).await;
    let stored = samples.unkeyed_channel(&agent.unwrap().unwrap());
    let (agent, channel) = (stored.channel.agent, stored.channel.id);
    let answer = samples.answer(&format!("channel {number}"));
    ChannelStore::insert(store, &stored, &samples.line(), Some(&answer)).await.unwrap();
    store.enrol(channel, &samples.channel_secret(), samples.clock.now(), &samples.line()).await.unwrap();
    let stored = StoredChannel { revision: 2, ..stored };
    receive(store, samples, &stored).await;
    let update = ChannelUpdate { paused: true, ..samples.channel_update(&stored) };
    ChannelStore::update(store, &update, &samples.line(), None).await.unwrap();
    let reach = Reach::Everything;
    let removed = ChannelStore::remove(store, &reach, agent, channel, &samples.line()).await;
    assert!(removed.unwrap());
}

/// A batch with new events in two lanes, and two that are known.
async fn receive(store: &PostgresStore, samples: &Samples, stored: &StoredChannel) -> Vec<NewEvent> {
    let mut batch: Vec<NewEvent> =
        (0..10).map(|number| samples.event_in(stored, if number % 2 == 0 { "" } else { "new" })).collect();
    assert_eq!(store.append(&batch).await.unwrap(), [Appended::Kept; 10]);
    let twin = NewEvent { dedupe_key: batch.first().unwrap().dedupe_key, ..samples.event(stored) };
    batch.push(twin);
    assert_eq!(store.append(&batch).await.unwrap().last(), Some(&Appended::Duplicate));
    batch
}

async fn deliver(store: &PostgresStore, samples: &Samples) {
    let now = samples.clock.now();
    let busy = [AgentId::from_uuid(id(1))];
    let claims = DeliveryStore::claim(store, 64, 4, &busy, LEASE, now).await.unwrap();
    let [one, other, third, rest @ ..] = claims.as_slice() else { panic!("{claims:?}") };
    let renewed = DeliveryStore::renew(store, one, now.after(LEASE)).await.unwrap();
    assert_eq!(renewed, Held::Yes);
    assert!(store.fetch(one).await.unwrap().is_some());
    let failure = |next_attempt_at| DeliveryFailure { class: DeliveryFailureClass::Timeout, next_attempt_at };
    let ends = [
        (one, DeliveryEnd::Delivered),
        (other, DeliveryEnd::Failed(failure(None))),
        (third, DeliveryEnd::Failed(failure(Some(now.after(LEASE))))),
    ];
    for (claim, end) in ends {
        assert_eq!(store.end(claim, end, None, now).await.unwrap(), Held::Yes);
    }
    DeliveryStore::release(store, rest).await.unwrap();
    DeliveryStore::next_due(store).await.unwrap();
}

async fn replay_and_prune(store: &PostgresStore, samples: &Samples, number: u32) {
    let (agent, channel, reach) = (AgentId::from_uuid(id(number)), ChannelId::from_uuid(id(number)), Reach::Everything);
    let event = EventId::from_uuid(id(50_500 + number - 1));
    assert!(store.replay(&reach, agent, channel, event, &samples.line()).await.unwrap());
    let range = ReplayRange { state: Some(EventState::Dead), ..ReplayRange::default() };
    let replayed = store.replay_range(&reach, agent, channel, range, 5, &samples.line()).await.unwrap();
    assert_eq!(replayed, Some(5));
    let pruned = EventStore::prune(store, Timestamp::from_microseconds(NOW - 60_000), 100).await;
    assert_eq!(pruned.unwrap(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_of_webhooks_is_read_whole() {
    let (database, samples) = (TestDatabase::create().await, Samples::new());
    let mut owner = Owner::of(&database).await;
    run(&database, &mut owner, &seed()).await;

    let reading = scanned(&database, &mut owner, async |store| {
        for number in 1..=TIMES {
            read(&store, &samples, number).await;
        }
    });
    assert_eq!(reading.await, [""; 0]);

    let living = scanned(&database, &mut owner, async |store| {
        assert_eq!(store.locate(ChannelId::from_uuid(id(1))).await.unwrap().unwrap().1, workspace());
        for number in 1..=TIMES {
            live(&store, &samples, number * 1000).await;
            replay_and_prune(&store, &samples, number).await;
            deliver(&store, &samples).await;
        }
        // What is left of the removed channels.
        for _ in 0..=TIMES {
            EventStore::prune(&*store, Timestamp::from_microseconds(0), 100).await.unwrap();
        }
    });
    assert_eq!(living.await, [""; 0]);

    run(&database, &mut owner, ALL_BEHIND).await;
    let catching_up = scanned(&database, &mut owner, async |store| {
        for _ in 0..TIMES {
            deliver(&store, &samples).await;
        }
    });
    assert_eq!(catching_up.await, [""; 0]);
}
