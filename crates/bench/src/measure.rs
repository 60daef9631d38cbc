//! Taking turns: server, control, control, server, so that whatever else the machine does falls on both.

use std::time::Duration;

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::database::Database;
use crate::load::{Load, Outcome, Wanted};
use crate::numbers::{Spread, float, whole};
use crate::product::Running;
use crate::progress::Progress;
use crate::scenario::{Scenario, Tidy};
use crate::usage::Cpu;

/// How long a path is used before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// The part of the server's throughput at which latencies are measured, of both.
const SHARE: f64 = 0.5;

/// What a path came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PathReport {
    pub(crate) name: &'static str,
    pub(crate) control: &'static str,
    pub(crate) connections: u32,
    pub(crate) target: Option<f64>,
    /// The server's throughput in terms of the control's, turn by turn.
    pub(crate) ratio: Spread,
    /// The control's CPU time in terms of the server's, databases included: what the ratio would be if nothing but
    /// CPU time counted, and the load took none.
    pub(crate) cpu_ratio: Spread,
    pub(crate) control_does_less: bool,
    pub(crate) server: Side,
    pub(crate) bare: Side,
}

/// One side of a path.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Side {
    pub(crate) per_second: Spread,
    /// CPU seconds of the process per 1,000 requests.
    pub(crate) cpu: Spread,
    /// The same of the database, if it is a process of its own.
    pub(crate) database_cpu: Option<Spread>,
    pub(crate) latency: Latency,
}

/// Milliseconds at a fixed rate, from when a request fell due to the end of its answer.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Latency {
    pub(crate) per_second: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl PathReport {
    /// `None` where there is no target.
    pub(crate) fn is_met(&self) -> Option<bool> {
        self.target.map(|target| self.ratio.median >= target)
    }

    /// A control that does less and takes longer says that the control is bad, and the ratio means nothing.
    pub(crate) fn is_sound(&self) -> bool {
        !self.control_does_less || self.ratio.median <= 1.0
    }
}

/// How a path is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) alternations: u32,
    pub(crate) turn: Duration,
}

/// One side while it is measured.
struct Contender<'a> {
    load: Load,
    process: &'a Running,
    database: &'a Database,
    tidy: Option<&'a Tidy>,
    turns: Vec<Turn>,
    latencies: Histogram<u64>,
}

struct Turn {
    per_second: f64,
    cpu: f64,
    database_cpu: Option<f64>,
}

impl Turn {
    fn whole_cpu(&self) -> f64 {
        self.cpu + self.database_cpu.unwrap_or_default()
    }
}

/// Measures a path.
pub(crate) async fn measure(
    scenario: &Scenario,
    server: &Running,
    controls: &Running,
    database: &Database,
    plan: Plan,
    progress: &Progress,
) -> Result<PathReport> {
    let wanted = if scenario.is_refused { Wanted::Refusal } else { Wanted::Success };
    let load = Load::new(server.address, scenario.connections, scenario.server.clone()).wanting(wanted);
    let mut server = Contender::new(load, server, database, scenario.tidy.as_ref())?;
    let load = Load::new(controls.address, scenario.connections, scenario.bare.clone());
    let mut bare = Contender::new(load, controls, database, None)?;
    progress.say(&format!("{}: warming up", scenario.name));
    for side in [&server, &bare] {
        side.load.flat_out(WARM_UP).await?;
        side.tidy().await?;
    }
    for alternation in 0..plan.alternations {
        progress.say(&format!("{}: flat out, {} of {}", scenario.name, alternation + 1, plan.alternations));
        for side in in_turn(alternation, &mut server, &mut bare) {
            side.flat_out(plan.turn).await?;
        }
        progress.step();
    }
    let rate = whole(Spread::of(server.turns.iter().map(|turn| turn.per_second)).median * SHARE);
    for alternation in 0..plan.alternations {
        progress.say(&format!("{}: {rate} per second, {} of {}", scenario.name, alternation + 1, plan.alternations));
        for side in in_turn(alternation, &mut server, &mut bare) {
            side.at_rate(rate, plan.turn).await?;
        }
        progress.step();
    }
    Ok(report(scenario, &server, &bare, rate))
}

/// Whoever went second goes first next.
fn in_turn<T>(alternation: u32, one: T, other: T) -> [T; 2] {
    if alternation.is_multiple_of(2) { [one, other] } else { [other, one] }
}

fn report(scenario: &Scenario, server: &Contender<'_>, bare: &Contender<'_>, rate: u64) -> PathReport {
    let pairs = || server.turns.iter().zip(&bare.turns);
    PathReport {
        name: scenario.name,
        control: scenario.control,
        connections: scenario.connections,
        target: scenario.target,
        ratio: Spread::of(pairs().map(|(server, bare)| server.per_second / bare.per_second)),
        cpu_ratio: Spread::of(pairs().map(|(server, bare)| bare.whole_cpu() / server.whole_cpu())),
        control_does_less: scenario.control_does_less,
        server: server.side(rate),
        bare: bare.side(rate),
    }
}

impl<'a> Contender<'a> {
    fn new(load: Load, process: &'a Running, database: &'a Database, tidy: Option<&'a Tidy>) -> Result<Self> {
        let latencies = Histogram::new(3).context("latencies cannot be kept")?;
        Ok(Self { load, process, database, tidy, turns: Vec::new(), latencies })
    }

    async fn tidy(&self) -> Result<()> {
        match self.tidy {
            Some(tidy) => tidy.run().await,
            None => Ok(()),
        }
    }

    async fn flat_out(&mut self, turn: Duration) -> Result<()> {
        let (cpu, database_cpu) = (Cpu::of(self.process.id())?, self.database.cpu()?);
        let Outcome { latencies, elapsed } = self.load.flat_out(turn).await?;
        let thousands = float(latencies.len()) / 1_000.0;
        let spent = Cpu::of(self.process.id())?.since(cpu);
        let of_database = self.database.cpu()?.zip(database_cpu).map(|(now, earlier)| now.since(earlier));
        self.turns.push(Turn {
            per_second: float(latencies.len()) / elapsed.as_secs_f64(),
            cpu: spent / thousands,
            database_cpu: of_database.map(|spent| spent / thousands),
        });
        self.tidy().await
    }

    async fn at_rate(&mut self, rate: u64, turn: Duration) -> Result<()> {
        let outcome = self.load.at_rate(rate, turn).await?;
        self.latencies.add(outcome.latencies).context("latencies do not add up")?;
        self.tidy().await
    }

    fn side(&self, rate: u64) -> Side {
        let spread = |of: fn(&Turn) -> f64| Spread::of(self.turns.iter().map(of));
        let has_database = self.turns.iter().any(|turn| turn.database_cpu.is_some());
        Side {
            per_second: spread(|turn| turn.per_second),
            cpu: spread(|turn| turn.cpu),
            database_cpu: has_database.then(|| spread(|turn| turn.database_cpu.unwrap_or_default())),
            latency: Latency::of(&self.latencies, rate),
        }
    }
}

impl Latency {
    pub(crate) fn of(latencies: &Histogram<u64>, per_second: u64) -> Self {
        let at = |quantile| milliseconds(latencies.value_at_quantile(quantile));
        Self { per_second, p50: at(0.5), p99: at(0.99), p999: at(0.999) }
    }
}

/// Of nanoseconds.
pub(crate) fn milliseconds(nanoseconds: u64) -> f64 {
    float(nanoseconds) / 1_000_000.0
}
