//! No statement of a hot path reads a whole table, at 100,000 rows of everything.
//!
//! The server counts the scans of each table, so this holds for the plans that are really used: those for the first
//! values as well as the generic ones that a prepared statement settles on after some uses.

use std::time::Duration;

use nora_access::ports::{AuditStore, IdempotencyStore, KeyStore};
use nora_agents::ports::{AgentStore, KeyCustody as _};
use nora_integrations::ports::{Agreed, Completion, Failure, FailureClass, Held, IntegrationStore, SyncStore};
use nora_kernel::{AgentId, ApiKeyId, Clock as _, Cursor, IntegrationId, PageRequest, Reach, Timestamp};
use nora_mcp_servers::ports::{McpStore, RedeployStore};
use nora_store_postgres::PostgresStore;
use nora_testkit::Samples;
use nora_testkit::samples::{named, workspace};
use nora_testkit_postgres::TestDatabase;
use uuid::Uuid;

use crate::fixture::{Owner, open};

const LEASE: Duration = Duration::from_secs(15);

/// How often each statement runs. A prepared statement is planned for its values five times, then once for all.
pub(crate) const TIMES: u32 = 8;

/// The time of the samples' clock, in microseconds.
pub(crate) const NOW: i64 = 1_767_225_600_000_000;

fn seed() -> String {
    let id = |alias: &str| format!("('00000000-0000-7000-8000-' || lpad(to_hex({alias}), 12, '0'))::uuid");
    let (id, numbers) = (id("n"), "FROM generate_series(1, 100000) AS n");
    let workspace = "CASE WHEN n % 2 = 0 THEN 'alpha' ELSE 'beta' END";
    format!(
        "INSERT INTO agents (id, workspace, name, data_key, revision, created_at, updated_at) \
         SELECT {id}, {workspace}, 'An agent', 'key', 1, {NOW} - n, {NOW} {numbers}; \
         INSERT INTO sync_targets (id, agent_id, role, kind, url, secrets, secrets_version, desired, applied, attempt, \
         blocked, next_attempt_at, next_check_at, fence, variables, created_at) \
         SELECT {id}, {id}, 'live', 'nora', 'http://10.0.0.1/' || n, 'sealed', 1, 3, 3, 0, false, {NOW} - n, \
         {NOW} + n, 1, '[]', {NOW} {numbers}; \
         INSERT INTO integrations (id, agent_id, provider, label, config, secret_fields, secrets, secrets_version, \
         readable, generation, created_at, updated_at) \
         SELECT {id}, {id}, 'github', 'default', '{{}}', '[\"token\"]', 'sealed', 1, true, 2, {NOW}, {NOW} {numbers}; \
         INSERT INTO mcp_selections (agent_id, provider) SELECT {id}, 'github' {numbers}; \
         INSERT INTO deployments (target_id, digest, applied_at, servers) \
         SELECT {id}, decode(repeat('09', 32), 'hex'), {NOW}, '[\"github\"]' {numbers}; \
         INSERT INTO redeploys (agent_id, state, again, attempt, blocked, next_attempt_at, fence) \
         SELECT {id}, 'done', false, 0, false, {NOW} - n, 1 {numbers}; \
         INSERT INTO removals (integration_id, agent_id, provider, label, names, generation, removed_at) \
         SELECT gen_random_uuid(), {id}, 'rss', 'default', '[]', 3, {NOW} {numbers}; \
         INSERT INTO api_keys (id, public_id, name, scopes, workspace, hash, created_at) \
         SELECT {id}, lpad(n::text, 12, '0'), 'A key', 'admin', {workspace}, decode(repeat('07', 32), 'hex'), \
         {NOW} - n {numbers}; \
         INSERT INTO audit_log (id, at, workspace, actor_kind, actor_id, action, resource_kind, resource_id, outcome) \
         SELECT {id}, {NOW} - n, {workspace}, 'system', 'nora', 'agent.created', 'agent', 'x', 'success' {numbers}; \
         INSERT INTO idempotency (principal, route, key, body_digest, status, body, expires_at) \
         SELECT 'api_key:1', 'POST /api/agents', n::text, decode(repeat('03', 32), 'hex'), 201, '{{}}', {NOW} + n \
         {numbers}; \
         INSERT INTO channels (id, agent_id, kind, name, config, verification, enabled, paused, revision, created_at, \
         updated_at) \
         SELECT {id}, {id}, 'github', 'A channel', '{{}}', 'none', true, false, 1, {NOW}, {NOW} {numbers}; \
         ANALYZE"
    )
}

const ALL_BEHIND: &str = "UPDATE sync_targets SET desired = desired + 1; ANALYZE sync_targets; \
                          UPDATE redeploys SET state = 'pending'; ANALYZE redeploys";

/// Of the tables that grow.
const SCANS: &str = "SELECT relname || ': ' || seq_scan AS value FROM pg_stat_user_tables \
                     WHERE relname NOT IN ('meta', 'servers', '__diesel_schema_migrations') ORDER BY relname";

const SESSIONS: &str = "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() \
                        AND pid <> pg_backend_pid()";

pub(crate) fn id(number: u32) -> Uuid {
    Uuid::from_u128(0x7000_8000_0000_0000_0000 + u128::from(number))
}

/// Runs SQL in a session of its own and waits for its end: a session hands in its counts when it goes.
pub(crate) async fn run(database: &TestDatabase, owner: &mut Owner, sql: &str) {
    Owner::of(database).await.run(sql).await;
    owner.wait_for(SESSIONS, 0).await;
}

/// The tables that `work` read whole.
pub(crate) async fn scanned<F: Future<Output = ()>>(
    database: &TestDatabase,
    owner: &mut Owner,
    work: impl FnOnce(std::sync::Arc<PostgresStore>) -> F,
) -> Vec<String> {
    let before = owner.texts(SCANS).await;
    work(open(database.url()).await).await;
    owner.wait_for(SESSIONS, 0).await;
    let after = owner.texts(SCANS).await;
    before.iter().zip(&after).filter(|(before, after)| before != after).map(|(_, after)| after.clone()).collect()
}

async fn read(store: &PostgresStore, number: u32) {
    let (agent, reach) = (AgentId::from_uuid(id(number)), Reach::Everything);
    let integration = IntegrationId::from_uuid(id(number));
    let deep = Cursor { at: Timestamp::from_microseconds(NOW - 50_000), id: id(50_000) };
    assert!(store.find_by_public_id(&named(&format!("{number:012}"))).await.unwrap().is_some());
    assert!(KeyStore::find(store, &reach, ApiKeyId::from_uuid(id(number))).await.unwrap().is_some());
    for after in [None, Some(deep)] {
        let page = PageRequest { after, ..PageRequest::default() };
        let keys = KeyStore::list(store, &workspace(), page).await.unwrap();
        let lines = AuditStore::list(store, &workspace(), page).await.unwrap();
        let agents = AgentStore::list(store, &workspace(), page).await.unwrap();
        assert_eq!([keys.items.len(), lines.items.len(), agents.items.len()], [50; 3]);
    }
    let (key, now) = (named(&number.to_string()), Timestamp::from_microseconds(NOW));
    let answer = IdempotencyStore::find(store, "api_key:1", "POST /api/agents", &key, now).await.unwrap();
    assert!(answer.is_some());
    assert!(AgentStore::find(store, &reach, agent).await.unwrap().is_some());
    assert!(store.agent_key(&reach, agent).await.unwrap().is_some());
    let integrations = IntegrationStore::list(store, &reach, agent).await.unwrap();
    assert_eq!(integrations.unwrap().len(), 1);
    let found = IntegrationStore::find(store, &reach, agent, integration).await.unwrap();
    assert!(found.is_some());
    assert_eq!(store.state(&reach, agent).await.unwrap().unwrap().removals.len(), 1);
    assert_eq!(store.agent_keys(Some(agent), 500).await.unwrap().len(), 500);
    assert!(store.next_due().await.unwrap().is_some());
    assert_eq!(McpStore::find(store, &reach, agent).await.unwrap().unwrap().selected.len(), 1);
    assert!(store.next_redeploy_due().await.unwrap().is_none());
}

async fn write(store: &PostgresStore, samples: &Samples, number: u32) {
    let (agent, line) = (samples.agent(), samples.line());
    let answer = samples.answer(&format!("new {number}"));
    AgentStore::insert(store, &agent, &line, Some(&answer)).await.unwrap();
    let new = samples.integration(&agent);
    let answer = samples.answer(&format!("newer {number}"));
    IntegrationStore::insert(store, &new, &samples.line(), Some(&answer)).await.unwrap();
    let update = samples.integration_update(&new);
    IntegrationStore::update(store, &update, &samples.line()).await.unwrap();
    let (owner, integration) = (agent.agent.id, new.integration.id);
    store.find_to_open(&Reach::Everything, owner, integration, &samples.line()).await.unwrap().unwrap();
    let github = [named("github")];
    store.select(&Reach::Everything, owner, &github, &samples.line()).await.unwrap().unwrap();
    assert!(RedeployStore::request(store, &Reach::Everything, owner, &samples.line()).await.unwrap());
    store.mark_unreadable(integration, 2, &samples.line()).await.unwrap();
    store.remove(&Reach::Everything, owner, integration, &[], &samples.line()).await.unwrap();
    assert!(store.request_sync(&Reach::Everything, owner, &samples.line()).await.unwrap());
    let until = samples.clock.now().after(LEASE);
    assert!(store.delete(&Reach::Everything, owner, until, &samples.line()).await.unwrap());

    let key = ApiKeyId::from_uuid(id(number));
    store.record_usage(&[(key, samples.clock.now())]).await.unwrap();
    assert!(store.revoke(&Reach::Everything, key, &samples.line()).await.unwrap());
    let expired = Timestamp::from_microseconds(NOW + i64::from(number) * 100);
    assert_eq!(IdempotencyStore::prune(store, expired, 100).await.unwrap(), 100);
    assert_eq!(AuditStore::prune(store, Timestamp::from_microseconds(NOW - 50_000), 100).await.unwrap(), 100);
}

/// One of each way in which a worker's lease ends.
async fn reconcile(store: &PostgresStore, samples: &Samples) {
    let now = samples.clock.now();
    let claims = SyncStore::claim(store, 64, LEASE, now).await.unwrap();
    let [one, other, third, fourth, fifth, rest @ ..] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!(SyncStore::renew(store, one, now.after(LEASE)).await.unwrap(), Held::Yes);
    let snapshot = SyncStore::snapshot(store, one, &samples.line()).await.unwrap().unwrap();
    let next_check_at = now.after(Duration::from_hours(1));
    let completion = Completion { generation: snapshot.generation, variables: Vec::new(), at: now, next_check_at };
    assert_eq!(SyncStore::complete(store, one, &completion, &samples.line()).await.unwrap(), Held::Yes);
    let checks = [other.clone(), fifth.clone()];
    assert!(store.targets(&checks).await.unwrap().iter().all(Option::is_some));
    let agreed = checks.map(|claim| Agreed { claim, next_check_at });
    assert_eq!(store.checked(&agreed).await.unwrap(), [Held::Yes; 2]);
    let failure = Failure { class: FailureClass::Timeout, at: now, next_attempt_at: Some(next_check_at) };
    assert_eq!(SyncStore::fail(store, third, &failure, Some(1)).await.unwrap(), Held::Yes);
    assert_eq!(store.raise(fourth, 9, next_check_at, &samples.line()).await.unwrap(), Held::Yes);
    SyncStore::release(store, rest).await.unwrap();
    store.next_due().await.unwrap();
}

/// One of each way in which a worker's lease on a redeploy ends.
async fn redeploy(store: &PostgresStore, samples: &Samples) {
    let now = samples.clock.now();
    let claims = RedeployStore::claim(store, 64, LEASE, now).await.unwrap();
    let [one, other, rest @ ..] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!(RedeployStore::renew(store, one, now.after(LEASE)).await.unwrap(), Held::Yes);
    let snapshot = RedeployStore::snapshot(store, one, &samples.line()).await.unwrap().unwrap();
    let (target, servers) = (snapshot.target.id, vec![named("github")]);
    assert_eq!(store.handing(one, target, &servers).await.unwrap(), Held::Yes);
    let completion = nora_mcp_servers::ports::Completion { target, digest: [9; 32], servers, at: now };
    assert_eq!(RedeployStore::complete(store, one, &completion).await.unwrap(), Held::Yes);
    let failure = Failure { class: FailureClass::Timeout, at: now, next_attempt_at: Some(now.after(LEASE)) };
    assert_eq!(RedeployStore::fail(store, other, &failure, None).await.unwrap(), Held::Yes);
    RedeployStore::release(store, rest).await.unwrap();
}

/// Confirms that the runtimes of deleted agents are empty.
async fn purge(store: &PostgresStore, samples: &Samples) {
    let now = samples.clock.now();
    for claim in SyncStore::claim(store, u16::try_from(TIMES).unwrap(), LEASE, now).await.unwrap() {
        let completion = Completion { generation: 100, variables: Vec::new(), at: now, next_check_at: now };
        assert_eq!(SyncStore::complete(store, &claim, &completion, &samples.line()).await.unwrap(), Held::Yes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_is_read_whole() {
    let (database, samples) = (TestDatabase::create().await, Samples::new());
    let mut owner = Owner::of(&database).await;
    run(&database, &mut owner, &seed()).await;

    let reading = scanned(&database, &mut owner, async |store| {
        for number in 1..=TIMES {
            read(&store, number * 1000).await;
        }
    });
    assert_eq!(reading.await, [""; 0]);

    let writing = scanned(&database, &mut owner, async |store| {
        for number in 1..=TIMES {
            write(&store, &samples, number).await;
        }
        purge(&store, &samples).await;
        // Everybody is in step: there is nothing to claim.
        for _ in 0..TIMES {
            assert_eq!(SyncStore::claim(&*store, 64, LEASE, samples.clock.now()).await.unwrap(), []);
            assert_eq!(RedeployStore::claim(&*store, 64, LEASE, samples.clock.now()).await.unwrap(), []);
        }
    });
    assert_eq!(writing.await, [""; 0]);

    run(&database, &mut owner, ALL_BEHIND).await;
    let catching_up = scanned(&database, &mut owner, async |store| {
        for _ in 0..TIMES {
            reconcile(&store, &samples).await;
            redeploy(&store, &samples).await;
        }
    });
    assert_eq!(catching_up.await, [""; 0]);
}
