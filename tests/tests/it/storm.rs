//! Webhooks arrive while the server is killed and the database restarted, again and again. Whatever was acknowledged
//! is delivered; the clients' own log of acknowledgements is the truth.

mod cluster;
mod recorder;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e2e::{Api, Installation, Store, eventually, eventually_within, sign};
use reqwest::Method;
use serde_json::json;

use cluster::Cluster;
use recorder::Recorder;

const SECRET: &str = "storm-secret-of-more-than-24-bytes";
/// How long the last deliveries may take.
const LATEST: Duration = Duration::from_mins(4);

/// How bad the weather is.
struct Weather {
    agents: usize,
    channels_per_agent: usize,
    per_channel: u64,
    kills: u64,
    restarts: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_postgres() {
    let mut cluster = Cluster::start().await;
    let installation = Installation::new(Store::Postgres).await.with("NORA_DATABASE_URL", &cluster.url());
    let weather = Weather { agents: 4, channels_per_agent: 10, per_channel: 500, kills: 50, restarts: 5 };
    weathered(installation, weather, Some(&mut cluster)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    let installation = Installation::new(Store::Sqlite).await;
    let weather = Weather { agents: 2, channels_per_agent: 5, per_channel: 200, kills: 10, restarts: 0 };
    weathered(installation, weather, None).await;
}

async fn weathered(installation: Installation, weather: Weather, mut cluster: Option<&mut Cluster>) {
    let installation = installation.with("NORA_WEBHOOK_RATE", "0").with("RUST_LOG", "warn");
    let mut server = installation.start().await;
    let (api, recorder) = (installation.api(), Recorder::start().await);
    let channels = open_channels(&api, &recorder, &weather).await;
    let total = weather.per_channel * u64::try_from(channels.len()).unwrap();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = channels
        .iter()
        .map(|channel| {
            let bodies = (0..weather.per_channel).map(|number| format!(r#"{{"n":{number}}}"#)).collect();
            let client = Client {
                api: Api::new(installation.url(), ""),
                path: format!("/api/webhooks/{channel}"),
                bodies,
                acknowledged: Arc::clone(&acknowledged),
            };
            tokio::spawn(client.run())
        })
        .collect();

    // The kills and restarts are spread over the acknowledgements, so that both go on to the end.
    for kill in 1..=weather.kills {
        let mark = total * kill / (weather.kills + 1);
        let what = "more acknowledgements";
        eventually(what, async || (acknowledged.load(Ordering::SeqCst) >= mark).then_some(())).await;
        server.kill().await;
        let every = weather.kills.checked_div(weather.restarts).unwrap_or(u64::MAX);
        if let Some(cluster) = cluster.as_mut().filter(|_| kill.is_multiple_of(every)) {
            cluster.restart().await;
        }
        server = installation.start().await;
    }
    let mut repeated = 0;
    for client in clients {
        repeated += client.await.unwrap();
    }
    assert_eq!(acknowledged.load(Ordering::SeqCst), total);
    let seen = eventually_within(LATEST, "every event delivered", async || {
        let seen = recorder.seen();
        (seen.len() == channels.len() && seen.values().all(|lane| lane.distinct() == weather.per_channel))
            .then_some(seen)
    })
    .await;
    report(&weather, total, repeated, &seen);
    for (channel, lane) in &seen {
        assert!(lane.ids_by_number().values().all(|ids| ids.len() == 1), "{channel}: one event had two ids");
        let first = lane.first_arrivals();
        assert!(first.is_sorted(), "{channel}: a later event came before an earlier one");
    }
    server.stop().await;
}

async fn open_channels(api: &Api, recorder: &Recorder, weather: &Weather) -> Vec<String> {
    let mut channels = Vec::new();
    for agent in 0..weather.agents {
        let agent = api.register_at(&format!("Storm {agent}"), &recorder.url(), "storm-runtime-token").await;
        for _ in 0..weather.channels_per_agent {
            let config = json!({ "signing_secret": SECRET, "delivery_id_header": "X-Delivery" });
            let body = json!({ "type": "webhook", "config": config });
            let record = api.post(&format!("/api/agents/{agent}/channels"), body).await.json(201);
            channels.push(record["id"].as_str().unwrap().to_owned());
        }
    }
    channels
}

/// What arrived by one channel, in the order of its arrival: event ids with the numbers in their bodies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lane(Vec<(String, u64)>);

impl Lane {
    fn distinct(&self) -> u64 {
        u64::try_from(self.0.iter().map(|(_, number)| number).collect::<BTreeSet<_>>().len()).unwrap()
    }

    fn ids_by_number(&self) -> BTreeMap<u64, BTreeSet<&str>> {
        let mut ids: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for (id, number) in &self.0 {
            ids.entry(*number).or_default().insert(id);
        }
        ids
    }

    fn first_arrivals(&self) -> Vec<u64> {
        let mut seen = BTreeSet::new();
        self.0.iter().map(|(_, number)| *number).filter(|number| seen.insert(*number)).collect()
    }
}

#[expect(clippy::print_stdout, reason = "whoever runs this wants to see what it was")]
fn report(weather: &Weather, total: u64, repeated: u64, seen: &BTreeMap<String, Lane>) {
    let deliveries: usize = seen.values().map(|lane| lane.0.len()).sum();
    println!(
        "{total} webhooks acknowledged ({repeated} posts were repeated), {} kills, {} database restarts: {} delivered, \
         0 lost, {} delivered again under the same id",
        weather.kills,
        weather.restarts,
        seen.values().map(Lane::distinct).sum::<u64>(),
        deliveries - usize::try_from(total).unwrap(),
    );
}

/// Posts to one channel, one body after the other, each until it is acknowledged.
struct Client {
    api: Api,
    path: String,
    bodies: Vec<String>,
    acknowledged: Arc<AtomicU64>,
}

impl Client {
    /// Says how many posts were repeated.
    async fn run(self) -> u64 {
        let signatures = sign(self.bodies.iter().map(|body| (SECRET, body.as_str())));
        let mut repeated = 0;
        for (number, (body, signature)) in self.bodies.iter().zip(&signatures).enumerate() {
            let delivery = number.to_string();
            let headers = [("X-Webhook-Signature", signature.as_str()), ("X-Delivery", delivery.as_str())];
            while !self.post(&headers, body).await {
                repeated += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        repeated
    }

    async fn post(&self, headers: &[(&str, &str)], body: &str) -> bool {
        let answer = self.api.send_bytes(Method::POST, &self.path, headers, body.as_bytes().to_vec()).await;
        match answer {
            Ok(answer) if answer.status == 503 => false,
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{}", answer.body);
                true
            }
            Err(_) => false,
        }
    }
}
