//! How many statements it takes to tell and to change an agent's MCP servers: the same for one server and for many.

use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use nora_agents::ports::{AgentStore, StoredAgent};
use nora_integrations::ports::IntegrationStore;
use nora_kernel::{ProviderId, Reach};
use nora_mcp_servers::ports::{McpStore, RedeployStore};
use nora_testkit::Samples;
use nora_testkit::samples::named;

use crate::fixture::PostgresFixture;

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

struct Counter;

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        // The listening connection tells other servers of earlier work, whenever it gets round to it.
        let counts = |query: String| !query.contains("NOTIFY");
        if matches!(event, InstrumentationEvent::StartQuery { query, .. } if counts(query.to_string())) {
            STATEMENTS.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn counted<F: Future>(work: F) -> (usize, F::Output) {
    let before = STATEMENTS.load(Ordering::SeqCst);
    let output = work.await;
    (STATEMENTS.load(Ordering::SeqCst) - before, output)
}

async fn with_servers(fixture: &PostgresFixture, samples: &Samples, count: usize) -> (StoredAgent, Vec<ProviderId>) {
    let store = fixture.here.as_ref();
    let agent = samples.agent();
    AgentStore::insert(store, &agent, &samples.line(), None).await.unwrap();
    let providers: Vec<ProviderId> = (0..count).map(|number| named(&format!("provider-{number:03}"))).collect();
    for provider in &providers {
        let mut new = samples.integration(&agent);
        new.integration.provider = provider.clone();
        IntegrationStore::insert(store, &new, &samples.line(), None).await.unwrap();
    }
    (agent, providers)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_servers_take_no_more_statements_than_one() {
    set_default_instrumentation(|| Some(Box::new(Counter))).unwrap();
    let fixture = PostgresFixture::start().await;
    let (store, samples) = (fixture.here.as_ref(), Samples::at(fixture.clock.clone()));
    for servers in [1, 60] {
        let (agent, providers) = with_servers(&fixture, &samples, servers).await;
        let (id, everything) = (agent.agent.id, Reach::Everything);
        let line = samples.line();
        let (selecting, selected) = counted(McpStore::select(store, &everything, id, &providers, &line)).await;
        assert_eq!(selected.unwrap().unwrap().selected, providers);
        // BEGIN and COMMIT around the lock, the change and the look at it.
        assert_eq!(selecting, 5, "{servers} servers");

        let (telling, told) = counted(McpStore::find(store, &everything, id)).await;
        assert_eq!((telling, told.unwrap().unwrap().integrations.len()), (1, servers));
        let (asking, asked) = counted(RedeployStore::request(store, &everything, id, &samples.line())).await;
        assert_eq!((asking, asked.unwrap()), (1, true));
    }
}
