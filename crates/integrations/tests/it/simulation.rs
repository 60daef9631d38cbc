//! The reconciler under a scheduler that a seed decides: workers that crash, lose their leases and wake up late, a
//! store whose answers get lost, a network that delays, drops and repeats, runtimes that refuse, restart and forget,
//! and people who never stop changing their minds.
//!
//! No real time and no thread: a future that waits is polled when the schedule says so, and a run is its seed. A seed
//! that fails is printed with its story, and belongs among the regressions from then on.

mod chance;
mod laws;
mod leases;
mod mutants;
mod network;
mod paced;
mod people;
mod schedule;
mod world;

use std::collections::BTreeMap;

use self::world::{Kind, ends, play};

/// Seeds that once found something, and those that were hard to get right.
const REGRESSIONS: [u64; 7] = [730, 2481, 4696, 6475, 8088, 9705, 33_365];

/// How many schedules each test plays: sixteen tests, so that they share the processors and none takes long.
const SCHEDULES: u64 = 6_250;

fn all(part: u64, kind: Kind) {
    for seed in part * SCHEDULES..(part + 1) * SCHEDULES {
        if let Err(broken) = play(seed, kind, false) {
            let story = play(seed, kind, true).unwrap_err();
            panic!("seed {seed}, {kind:?}: {broken}\n{story}");
        }
    }
}

macro_rules! parts {
    ($kind:ident, $($name:ident: $part:literal),+) => {$(
        #[test]
        fn $name() {
            all($part, Kind::$kind);
        }
    )+};
}

mod runtimes_that_know_generations {
    use super::{Kind, all};

    parts!(Fenced, one: 0, two: 1, three: 2, four: 3, five: 4, six: 5, seven: 6, eight: 7, nine: 8, ten: 9);
}

mod runtimes_that_know_none {
    use super::{Kind, all};

    parts!(Unfenced, one: 10, two: 11, three: 12, four: 13, five: 14, six: 15);
}

/// A simulation in which nothing happens proves nothing.
#[test]
fn every_end_of_a_step_is_met_often() {
    let mut met = BTreeMap::new();
    for seed in 0..1000 {
        let kind = if seed % 2 == 0 { Kind::Fenced } else { Kind::Unfenced };
        for (end, times) in ends(seed, kind) {
            *met.entry(end).or_insert(0) += times;
        }
    }
    for end in ["Synced", "Checked", "Raised", "Failed", "Abandoned", "LeaseLost", "unrecorded"] {
        let times = met.get(end).copied().unwrap_or_default();
        assert!(times >= 10, "{end} was met {times} times: {met:?}");
    }
}

#[test]
fn seeds_that_once_failed() {
    for seed in REGRESSIONS {
        for kind in [Kind::Fenced, Kind::Unfenced] {
            play(seed, kind, true).unwrap();
        }
    }
}
