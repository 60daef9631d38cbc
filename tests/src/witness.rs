//! A witness between a server and a runtime: it passes everything on and remembers what was pushed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Request, Stub};

/// What a witness saw.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Each push that came: the agent and the generation, in the order they came in.
    pub pushes: Vec<(String, u64)>,
    /// The most pushes that were under way at once for one agent.
    pub most_at_once: usize,
    under_way: HashMap<String, usize>,
}

impl Seen {
    /// The generations pushed for an agent, in order.
    pub fn generations(&self, agent: &str) -> Vec<u64> {
        self.pushes.iter().filter(|(pushed, _)| pushed == agent).map(|(_, generation)| *generation).collect()
    }
}

/// Stands before a runtime.
pub struct Witness {
    stub: Stub,
    seen: Arc<Mutex<Seen>>,
}

impl Witness {
    /// Stands before the runtime at `url`; each push takes at least `delay`.
    pub async fn before(url: &str, delay: Duration) -> Self {
        let runtime = url.strip_prefix("http://").unwrap().to_owned();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noted = Arc::clone(&seen);
        let stub =
            Stub::start(move |request, stream| pass(request, stream, runtime.clone(), Arc::clone(&noted), delay));
        Self { stub: stub.await, seen }
    }

    /// Its base URL, in place of the runtime's.
    pub fn url(&self) -> String {
        self.stub.url()
    }

    /// What it saw so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

async fn pass(request: Request, mut stream: TcpStream, runtime: String, seen: Arc<Mutex<Seen>>, delay: Duration) {
    let push = pushed(&request);
    let _under_way = push.map(|(agent, generation)| UnderWay::begin(seen, agent, generation));
    tokio::time::sleep(delay).await;
    let Ok(mut upstream) = TcpStream::connect(runtime).await else { return };
    let mut bytes = once(&request.head).into_bytes();
    bytes.extend_from_slice(&request.body);
    let mut answer = Vec::new();
    if upstream.write_all(&bytes).await.is_ok() && upstream.read_to_end(&mut answer).await.is_ok() {
        // A server that was killed reads no answer.
        let _ = stream.write_all(&answer).await;
    }
}

fn pushed(request: &Request) -> Option<(String, u64)> {
    if request.path() != "/integrations/sync" {
        return None;
    }
    let push: Value = serde_json::from_slice(&request.body).ok()?;
    Some((push["agent_id"].as_str()?.to_owned(), push["generation"].as_u64()?))
}

/// The same head for a connection that is used once.
fn once(head: &str) -> String {
    let kept = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut lines: Vec<&str> = kept.collect();
    lines.push("connection: close\r\n\r\n");
    lines.join("\r\n")
}

/// A push that has not been answered yet.
struct UnderWay {
    seen: Arc<Mutex<Seen>>,
    agent: String,
}

impl UnderWay {
    fn begin(seen: Arc<Mutex<Seen>>, agent: String, generation: u64) -> Self {
        let mut noted = seen.lock().unwrap();
        noted.pushes.push((agent.clone(), generation));
        let now = noted.under_way.entry(agent.clone()).or_default();
        *now += 1;
        noted.most_at_once = (*now).max(noted.most_at_once);
        drop(noted);
        Self { seen, agent }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(now) = self.seen.lock().unwrap().under_way.get_mut(&self.agent) {
            *now -= 1;
        }
    }
}
