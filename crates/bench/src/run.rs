//! One run: for each store an installation, its paths, and what happens beside them.

mod alone;
mod fan_out;
mod latency;
mod starts;

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::cli::{RunArguments, Store};
use crate::database::Database;
use crate::measure::{Plan, measure};
use crate::product::{Installation, Running};
use crate::progress::Progress;
use crate::report::{Machine, Report, StoreReport};
use crate::runtime::Runtimes;
use crate::scenario::{NAMES, World};
use crate::seed::Seed;
use crate::usage::Memory;
use crate::world::PROVIDERS;

/// How long a server is left alone before its memory at rest is read.
const REST: Duration = Duration::from_secs(3);

/// Measures, prints and writes. Whether the bench itself is sound is the answer; no figure makes it fail.
pub(crate) fn run(arguments: &RunArguments) -> Result<bool> {
    // Half the machine makes the load; the other half is the server's.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).div_ceil(2);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(threads).enable_all().build().context("no runtime was started")?;
    let report = runtime.block_on(everything(arguments))?;
    report.print();
    report.write(arguments)?;
    Ok(report.is_sound())
}

async fn everything(arguments: &RunArguments) -> Result<Report> {
    let scratch = TempDir::with_prefix_in("bench-", &arguments.scratch).context("no folder can be made")?;
    let progress = Progress::start(0);
    let machine = Machine::look(scratch.path())?;
    let mut stores = Vec::new();
    for store in &arguments.stores {
        let bench = Bench { arguments, store: *store, folder: scratch.path(), progress: &progress };
        stores.push(bench.run().await.with_context(|| format!("the bench failed on {}", store.as_str()))?);
    }
    progress.end();
    Ok(Report { machine, stores })
}

/// One store's part of a run.
struct Bench<'a> {
    arguments: &'a RunArguments,
    store: Store,
    folder: &'a Path,
    progress: &'a Progress,
}

/// A server that can be asked.
struct Site {
    installation: Installation,
    database: Database,
    server: Running,
    key: String,
}

impl Bench<'_> {
    fn wants(&self, name: &str) -> bool {
        self.arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    async fn run(&self) -> Result<StoreReport> {
        let runtimes = Runtimes::start()?;
        let mut report = StoreReport::of(self.store);
        let mut site = self.site("paths").await?;
        if self.wants("start") {
            site = self.starts(site, &mut report).await?;
        }
        tokio::time::sleep(REST).await;
        report.at_rest = Memory::of(site.server.id())?.now;
        if NAMES.iter().chain(["sync-latency"].iter()).any(|name| self.wants(name)) {
            self.paths(&site, &runtimes, &mut report).await?;
        }
        report.under_load = Memory::of(site.server.id())?.most;
        site.server.stop()?;
        if self.wants("connect") {
            report.paths.push(self.connect_alone(&runtimes).await?);
        }
        if self.wants("fan-out") {
            report.fan_out = Some(self.fan_out(&runtimes).await?);
        }
        Ok(report)
    }

    async fn paths(&self, site: &Site, runtimes: &Runtimes, report: &mut StoreReport) -> Result<()> {
        let world = self.plant(site, &runtimes.url()).await?;
        if self.wants("sync-latency") {
            report.sync = Some(self.sync_latency(&world, runtimes).await?);
        }
        let controls = Running::controls(site.database.address())?;
        let plan = self.plan();
        for scenario in &world.scenarios(|name| self.wants(name)).await? {
            let measured = measure(scenario, &site.server, &controls, &site.database, plan, self.progress);
            report.paths.push(measured.await.with_context(|| format!("{} cannot be measured", scenario.name))?);
        }
        Ok(())
    }

    /// Agents that are connected to every provider, in runtimes at this URL.
    async fn plant(&self, site: &Site, runtime: &str) -> Result<World> {
        let agents = self.arguments.agents;
        let seed = Seed { server: site.server.address, key: &site.key, runtime };
        seed.plant(agents, PROVIDERS.len(), self.progress).await?;
        Ok(World { server: site.server.address, key: site.key.clone(), agents: u64::from(agents) })
    }

    fn plan(&self) -> Plan {
        Plan {
            alternations: self.arguments.alternations.max(1),
            turn: Duration::from_secs(self.arguments.seconds.max(1)),
        }
    }

    /// A new installation with a server that runs.
    async fn site(&self, name: &str) -> Result<Site> {
        let folder = self.folder.join(format!("{}-{name}", self.store.as_str()));
        let postgres = match self.store {
            Store::Sqlite => None,
            Store::Postgres => Some(self.postgres(name).await?),
        };
        let url = postgres.as_ref().map(|database| database.address().to_owned());
        let installation = Installation::create(&self.arguments.nora, folder, url)?;
        let server = installation.start().await?;
        let file = || Database::Sqlite { file: installation.file().display().to_string() };
        let database = postgres.unwrap_or_else(file);
        let key = installation.key()?;
        Ok(Site { installation, database, server, key })
    }

    async fn postgres(&self, name: &str) -> Result<Database> {
        let cluster = self.arguments.postgres_url.as_deref();
        let cluster = cluster.context("PostgreSQL is to be measured, and no --postgres-url says where it is")?;
        Database::create(cluster, &format!("bench_{}_{}", name.replace('-', "_"), std::process::id())).await
    }
}
