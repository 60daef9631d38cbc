//! Time, identity, chance and digests that a test decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use nora_kernel::{BoxError, Clock, Digest, Entropy, IdSource, Timestamp};
use uuid::Uuid;

/// 2026-01-01T00:00:00Z, where clocks and ids of tests begin.
const START: i64 = 1_767_225_600_000_000;

/// A clock that stands still until it is moved. Its clones tell the same time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock at 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    /// Moves the clock on and returns the time it tells now.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let now = self.now().after(by);
        self.0.store(now.as_microseconds(), Ordering::SeqCst);
        now
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.load(Ordering::SeqCst))
    }
}

/// Version 7 ids in ascending order, the same in every run. Its clones continue one sequence.
#[derive(Debug, Clone, Default)]
pub struct SequentialIds(Arc<AtomicU64>);

impl SequentialIds {
    /// A sequence from the start.
    pub fn new() -> Self {
        Self::default()
    }
}

impl IdSource for SequentialIds {
    fn next(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        let mut tail = [0; 10];
        tail[2..].copy_from_slice(&number.to_be_bytes());
        let milliseconds = u64::try_from(START / 1000).unwrap();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &tail).into_uuid()
    }
}

/// "Randomness" that counts: the same bytes in every run, and no two buffers alike.
#[derive(Debug, Default)]
pub struct SequentialBytes(AtomicU64);

impl SequentialBytes {
    /// A sequence from the start.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Entropy for SequentialBytes {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), BoxError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        buffer.fill(0);
        buffer.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
        Ok(())
    }
}

/// A digest that is no cryptography: equal inputs have equal digests, and different ones different digests unless
/// somebody tries.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainDigest;

impl Digest for PlainDigest {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        spread(0, bytes)
    }

    fn keyed(&self, purpose: &'static str, bytes: &[u8]) -> [u8; 32] {
        let purpose = fnv(1, purpose.as_bytes());
        spread(purpose, bytes)
    }
}

fn spread(seed: u64, bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (lane, chunk) in (0_u64..).zip(digest.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&fnv(seed.wrapping_add(lane), bytes).to_be_bytes());
    }
    digest
}

/// FNV-1a from a seeded basis.
fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    let basis = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes.iter().fold(basis, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_are_version_7() {
        let ids = SequentialIds::new();
        let made: Vec<Uuid> = (0..300).map(|_| ids.next()).collect();
        assert!(made.is_sorted_by(|one, next| one < next));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn purposes_have_digests_of_their_own() {
        let digests = [PlainDigest.sha256(b"x"), PlainDigest.keyed("a", b"x"), PlainDigest.keyed("b", b"x")];
        assert_eq!(PlainDigest.keyed("a", b"x"), digests[1]);
        assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2]);
    }
}
