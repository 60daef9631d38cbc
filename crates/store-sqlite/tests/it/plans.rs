//! How the statements of every port find their rows.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::Text;
use nora_agents::ports::{AgentUpdate, StoredAgent, TargetUpdate};
use nora_integrations::ports::{Agreed, Completion, Failure, FailureClass, Role};
use nora_kernel::{Clock as _, PageRequest, Reach, Readiness as _, Unavailable, WrappedKey};
use nora_mcp_servers::ports::Completion as Completed;
use nora_testkit::samples::{named, workspace};
use nora_testkit::{Samples, Stores as _};
use nora_webhooks::ports::{
    ChannelUpdate, DeliveryEnd, DeliveryFailure, DeliveryFailureClass, EventFilter, ReplayRange, SecretsUpdate,
};
use nora_webhooks::{StoredChannel, Verdict};

use crate::fixture::Database;

static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Recorder;

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let statement = text.split(" -- binds: ").next().unwrap_or_default().trim().to_owned();
            STATEMENTS.lock().unwrap().insert(statement);
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(connection).unwrap();
    steps.into_iter().map(|step| step.detail).collect()
}

const TABLES: [&str; 17] = [
    "agents",
    "api_keys",
    "audit_log",
    "channel_secrets",
    "channels",
    "deliveries",
    "deployments",
    "event_bodies",
    "events",
    "idempotency",
    "integrations",
    "lanes",
    "mcp_selections",
    "meta",
    "redeploys",
    "removals",
    "sync_targets",
];

/// A step that looks at every row there is.
fn is_scan(step: &str) -> bool {
    let table = step.strip_prefix("SCAN ").filter(|rest| !rest.contains(" USING ")).unwrap_or_default();
    TABLES.contains(&table.split(' ').next().unwrap_or_default())
}

/// Calls every method that speaks to the database about keys, lines and answers.
async fn call_access(database: &Database, samples: &Samples) -> Result<(), Unavailable> {
    let keys = database.store.keys();
    let (line, now, reach) = (|| samples.line(), database.clock.now(), Reach::Workspace(workspace()));
    let (key, answer) = (samples.key(), samples.answer("one"));
    keys.insert_first(&key, &line()).await?;
    keys.insert(&samples.key(), &line()).await?;
    keys.find_by_public_id(&key.key.public_id).await?;
    keys.find(&reach, key.key.id).await?;
    keys.list(&workspace(), PageRequest::default()).await?;
    keys.record_usage(&[(key.key.id, now)]).await?;
    keys.revoke(&reach, key.key.id, &line()).await?;
    database.store.audit().list(&workspace(), PageRequest::default()).await?;
    database.store.idempotency().find(&answer.principal, &answer.route, &answer.key, now).await?;
    database.store.idempotency().prune(now, 10).await?;
    database.store.audit().prune(now.after(Duration::from_secs(1)), 1).await?;
    database.store.ready().await
}

/// Calls every method that speaks to the database about agents.
async fn call_agents(database: &Database, samples: &Samples, agent: &StoredAgent) -> Result<(), Unavailable> {
    let agents = database.store.agents();
    let (now, reach, id) = (database.clock.now(), Reach::Workspace(workspace()), agent.agent.id);
    agents.insert(agent, &samples.line(), Some(&samples.answer("one"))).await.unwrap();
    agents.find(&reach, id).await?;
    agents.list(&workspace(), PageRequest::default()).await?;
    let update = |revision, target| AgentUpdate { id, revision, name: named("New"), updated_at: now, target };
    let rekey = update(1, TargetUpdate::Rekey(agent.target.clone()));
    agents.update(&rekey, &samples.line()).await.unwrap();
    let away = TargetUpdate::Move { to: samples.target_elsewhere(agent), purge_until: now };
    agents.update(&update(2, away), &samples.line()).await.unwrap();
    agents.request_sync(&reach, id, &samples.line()).await?;

    let custody = database.store.custody();
    custody.set_check_value(b"check").await?;
    custody.replace_check_value(b"check").await?;
    custody.agent_keys(Some(id), 10).await?;
    custody.replace_agent_key(id, &agent.key, &WrappedKey(b"new".to_vec())).await?;
    Ok(())
}

/// Calls every method that speaks to the database about integrations.
async fn call_integrations(database: &Database, samples: &Samples, agent: &StoredAgent) -> Result<(), Unavailable> {
    let integrations = database.store.integrations();
    let (line, reach, id) = (|| samples.line(), Reach::Workspace(workspace()), agent.agent.id);
    let new = samples.integration(agent);
    integrations.agent_key(&reach, id).await?;
    integrations.insert(&new, &line(), None).await.unwrap();
    assert!(integrations.insert(&samples.integration(agent), &line(), None).await.is_err());
    integrations.list(&reach, id).await?;
    integrations.find(&reach, id, new.integration.id).await?;
    integrations.find_to_open(&reach, id, new.integration.id, &line()).await?;
    database.store.sync().mark_unreadable(new.integration.id, 1, &line()).await?;
    integrations.update(&samples.integration_update(&new), &line()).await.unwrap();
    integrations.remove(&reach, id, new.integration.id, &[named("A_NAME")], &line()).await?;
    Ok(())
}

/// Calls every method that speaks to the database about MCP servers.
async fn call_mcp(database: &Database, samples: &Samples, agent: &StoredAgent) -> Result<(), Unavailable> {
    let (mcp, redeploys) = (database.store.mcp(), database.store.redeploys());
    let (now, reach, id) = (database.clock.now(), Reach::Workspace(workspace()), agent.agent.id);
    let (line, lease, github) = (samples.line(), Duration::from_secs(15), [named("github")]);
    mcp.opening(&line).await?;
    database.store.integrations().insert(&samples.integration(agent), &samples.line(), None).await.unwrap();
    mcp.select(&reach, id, &github, &samples.line()).await?;
    let target = mcp.find(&reach, id).await?.unwrap().target.id;
    let completion = Completed { target, digest: [9; 32], servers: github.to_vec(), at: now };
    let failure = Failure { class: FailureClass::Timeout, at: now, next_attempt_at: Some(now) };
    for _ in 0..2 {
        redeploys.request(&reach, id, &samples.line()).await?;
        let claim = redeploys.claim(10, lease, now).await?.remove(0);
        redeploys.renew(&claim, now.after(lease)).await?;
        redeploys.request(&reach, id, &samples.line()).await?;
        redeploys.snapshot(&claim, &samples.line()).await?;
        redeploys.handing(&claim, target, &github).await?;
        redeploys.complete(&claim, &completion).await?;
        let claim = redeploys.claim(10, lease, now).await?.remove(0);
        redeploys.fail(&claim, &failure, Some(target)).await?;
        let claims = redeploys.claim(10, lease, now).await?;
        redeploys.release(&claims).await?;
        redeploys.next_redeploy_due().await?;
    }
    Ok(())
}

/// Calls every method that speaks to the database about syncs, up to the end of the agent.
async fn call_sync(database: &Database, samples: &Samples, agent: &StoredAgent) -> Result<(), Unavailable> {
    let sync = database.store.sync();
    let (now, reach, id) = (database.clock.now(), Reach::Workspace(workspace()), agent.agent.id);
    let (line, lease) = (samples.line(), Duration::from_secs(15));
    let claims = sync.claim(10, lease, now).await?;
    sync.renew(&claims[0], now).await?;
    sync.targets(&claims).await?;
    sync.snapshot(&claims[0], &samples.line()).await?;
    let failure = Failure { class: FailureClass::Timeout, at: now, next_attempt_at: Some(now) };
    sync.fail(&claims[0], &failure, None).await?;
    sync.release(&claims).await?;

    let completion = Completion { generation: 99, variables: Vec::new(), at: now, next_check_at: now };
    let claims = sync.claim(10, lease, now).await?;
    sync.raise(&claims[0], 7, now, &line).await?;
    let mut claims = sync.claim(10, lease, now).await?.into_iter().chain(claims);
    let lived_in = claims.rfind(|claim| claim.role == Role::Live).unwrap();
    sync.complete(&lived_in, &completion, &samples.line()).await?;
    sync.state(&reach, id).await?;
    sync.next_due().await?;
    let claims = sync.claim(10, lease, now).await?.into_iter();
    sync.checked(&claims.map(|claim| Agreed { claim, next_check_at: now }).collect::<Vec<_>>()).await?;
    database.store.agents().delete(&reach, id, now, &samples.line()).await?;
    let late = now.after(lease);
    for claim in sync.claim(10, lease, late).await? {
        sync.abandon(&claim, &samples.line()).await?;
    }
    Ok(())
}

/// Calls every method that speaks to the database about channels.
async fn call_channels(database: &Database, samples: &Samples, agent: &StoredAgent) -> Result<(), Unavailable> {
    let channels = database.store.channels();
    let (line, reach, id) = (|| samples.line(), Reach::Workspace(workspace()), agent.agent.id);
    let stored = samples.unkeyed_channel(agent);
    let channel = stored.channel.id;
    channels.owner(&reach, id).await?;
    channels.insert(&stored, &line(), Some(&samples.answer("channel"))).await.unwrap();
    channels.enrol(channel, &samples.channel_secret(), database.clock.now(), &line()).await?;
    channels.list(&reach, id).await?;
    channels.find(&reach, id, channel).await?;
    channels.locate(channel).await?;
    channels.load_to_open(channel, &line()).await?;
    for (revision, paused) in [(2, true), (3, false)] {
        let read = StoredChannel { revision, ..stored.clone() };
        let secrets = SecretsUpdate::Replace(vec![samples.channel_secret()]);
        let update = ChannelUpdate { paused, secrets, ..samples.channel_update(&read) };
        channels.update(&update, &line(), None).await.unwrap();
    }
    call_events(database, samples, &stored).await?;
    channels.remove(&reach, id, channel, &line()).await?;
    database.store.events().prune(database.clock.now(), 10).await?;
    Ok(())
}

/// Calls every method that speaks to the database about events and their deliveries.
async fn call_events(database: &Database, samples: &Samples, stored: &StoredChannel) -> Result<(), Unavailable> {
    let (events, deliveries) = (database.store.events(), database.store.deliveries());
    let (reach, agent, channel) = (Reach::Workspace(workspace()), stored.channel.agent, stored.channel.id);
    let (now, lease, page) = (database.clock.now(), Duration::from_secs(15), PageRequest::default());
    let batch = [samples.event(stored), samples.event_in(stored, "a"), samples.event_in(stored, "b")];
    database.store.inbox().append(&batch).await?;
    database.store.inbox().append(&batch).await?;
    let claims = deliveries.claim(10, 10, &[], lease, now).await?;
    deliveries.fetch(&claims[0]).await?;
    deliveries.renew(&claims[0], now.after(lease)).await?;
    let failure = |next_attempt_at| DeliveryFailure { class: DeliveryFailureClass::Timeout, next_attempt_at };
    deliveries.end(&claims[0], DeliveryEnd::Delivered, Some(Verdict::Recorded), now).await?;
    deliveries.end(&claims[1], DeliveryEnd::Failed(failure(None)), None, now).await?;
    deliveries.end(&claims[2], DeliveryEnd::Failed(failure(Some(now))), None, now).await?;
    deliveries.release(&deliveries.claim(10, 10, &[], lease, now).await?).await?;
    deliveries.next_due().await?;
    deliveries.backlog().await?;
    events.list(&reach, agent, channel, EventFilter::default(), page).await?;
    events.find(&reach, agent, channel, batch[0].id).await?;
    events.replay(&reach, agent, channel, batch[0].id, &samples.line()).await?;
    events.replay_range(&reach, agent, channel, ReplayRange::default(), 10, &samples.line()).await?;
    events.prune(now.after(lease), 1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_looks_at_every_row() {
    set_default_instrumentation(|| Some(Box::new(Recorder))).unwrap();
    let database = Database::start().await;
    let samples = Samples::at(database.clock.clone());
    let agent = samples.agent();
    call_access(&database, &samples).await.unwrap();
    call_agents(&database, &samples, &agent).await.unwrap();
    call_integrations(&database, &samples, &agent).await.unwrap();
    call_channels(&database, &samples, &agent).await.unwrap();
    call_mcp(&database, &samples, &agent).await.unwrap();
    call_sync(&database, &samples, &agent).await.unwrap();
    database.store.close().await;

    let connection = &mut SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    let statements = STATEMENTS.lock().unwrap().clone();
    let verbs = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "REPLACE"];
    let mut explained = 0;
    for statement in statements.iter().filter(|statement| verbs.iter().any(|verb| statement.starts_with(verb))) {
        let plan = plan(connection, statement);
        assert!(!plan.iter().any(|step| is_scan(step)), "{statement}\n{plan:#?}");
        // Only a claim of targets sorts: the few rows its three parts have found.
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorts || statement.starts_with("WITH due"), "{statement}\n{plan:#?}");
        explained += 1;
    }
    assert!(explained > 110, "only {explained} statements were seen");
}
