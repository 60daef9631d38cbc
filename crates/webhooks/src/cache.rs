//! Channels that were looked up a moment ago.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::lock::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};
use nora_kernel::{ChannelId, Timestamp};

use crate::OpenChannel;

/// How long a channel is taken to be as it was. A change made elsewhere counts here after that.
const FRESH: Duration = Duration::from_millis(500);
/// How many channels are kept ready, and how many ids are remembered to be nobody's.
const CAPACITY: usize = 10_000;
/// How many channels are loaded at once: those that share a turn wait for each other.
const TURNS: usize = 64;

/// What is known of a channel.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// It was so a moment ago.
    Fresh(Option<Arc<OpenChannel>>),
    /// It was so some time ago; its revision may still be the same.
    Stale(Arc<OpenChannel>),
    /// Nothing.
    Nothing,
}

/// Channels that are ready to receive, and ids that are nobody's. Both are bounded, and a flood of ids that are
/// nobody's pushes no channel out.
#[derive(Debug)]
pub struct ChannelCache {
    kept: Mutex<Kept>,
    turns: Vec<AsyncMutex<()>>,
    /// Counts what was forgotten, so that what was loaded before is not kept after.
    forgotten: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    channels: HashMap<ChannelId, (Arc<OpenChannel>, Timestamp)>,
    nobodys: HashMap<ChannelId, Timestamp>,
}

impl Default for ChannelCache {
    fn default() -> Self {
        let turns = (0..TURNS).map(|_| AsyncMutex::new(())).collect();
        Self { kept: Mutex::default(), turns, forgotten: AtomicU64::new(0) }
    }
}

impl ChannelCache {
    /// Drops a channel: it has changed.
    pub fn forget(&self, id: ChannelId) {
        let mut kept = self.lock();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        kept.channels.remove(&id);
        kept.nobodys.remove(&id);
    }

    pub(crate) fn known(&self, id: ChannelId, now: Timestamp) -> Known {
        let kept = self.lock();
        let is_fresh = |since: &Timestamp| now.since(*since) < FRESH;
        match kept.channels.get(&id) {
            Some((channel, since)) if is_fresh(since) => Known::Fresh(Some(Arc::clone(channel))),
            Some((channel, _)) => Known::Stale(Arc::clone(channel)),
            None if kept.nobodys.get(&id).is_some_and(is_fresh) => Known::Fresh(None),
            None => Known::Nothing,
        }
    }

    /// Waits until nobody else loads this channel.
    pub(crate) async fn turn(&self, id: ChannelId) -> Option<AsyncMutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let position = usize::try_from(hasher.finish() % 64).unwrap_or_default();
        Some(self.turns.get(position)?.lock().await)
    }

    /// What [`keep`](Self::keep) must be told when the loading of a channel begins.
    pub(crate) fn mark(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Keeps what was found, unless anything was forgotten since `mark`.
    pub(crate) fn keep(&self, id: ChannelId, found: Option<Arc<OpenChannel>>, mark: u64, now: Timestamp) {
        let mut kept = self.lock();
        if self.mark() != mark {
            return;
        }
        let Kept { channels, nobodys } = &mut *kept;
        let is_fresh = |since: &Timestamp| now.since(*since) < FRESH;
        if let Some(channel) = found {
            make_room(channels, |(_, since)| is_fresh(since));
            channels.insert(id, (channel, now));
        } else {
            channels.remove(&id);
            make_room(nobodys, is_fresh);
            nobodys.insert(id, now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what is stale if there is no room, and everything if that was not enough.
fn make_room<V>(map: &mut HashMap<ChannelId, V>, is_fresh: impl Fn(&V) -> bool) {
    if map.len() >= CAPACITY {
        map.retain(|_, value| is_fresh(value));
    }
    if map.len() >= CAPACITY {
        map.clear();
    }
}
