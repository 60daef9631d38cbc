//! Running the server: start, workers, drain.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::Data;
use nora_http_api::{Api, HttpMetrics, WebhookMetrics};
use nora_provider_sdk::Provider;
use prometheus_client::registry::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::demo::Demo;
use crate::metrics::{self, DeliveryMetrics, RedeployMetrics, SyncMetrics, UnconfirmedMetrics};
use crate::settings::{DRAIN, Settings};
use crate::wiring::{self, Application};
use crate::workers::{
    Agents, DeliveryLoop, ReconcilerLoop, RedeployerLoop, Stopper, flush_usage, follow_revocations, measure_backlog,
    prune_answers, prune_audit, prune_events, show_unconfirmed,
};
use crate::{StartError, bootstrap};

/// How long load balancers are given to see that this server is not ready any more.
const NOTICE: Duration = Duration::from_secs(1);
/// What a drain keeps for closing down after the last work was waited for.
const CLOSING: Duration = Duration::from_secs(1);

/// The setting for the address of the metrics, as an operator knows it.
const METRICS_ADDRESS: &str = "--metrics-listen (NORA_METRICS_LISTEN)";

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, StartError>>) -> Result<T, StartError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| StartError::because("no runtime could be started", error))?.block_on(future)
}

/// `nora serve`.
pub(crate) fn serve(settings: Settings, providers: Vec<Arc<dyn Provider>>) -> Result<(), StartError> {
    block_on(run(settings, providers, false))
}

/// `nora demo`: `serve` with a runtime and an agent to try it on.
pub(crate) fn demo(settings: Settings, providers: Vec<Arc<dyn Provider>>) -> Result<(), StartError> {
    block_on(run(settings, providers, true))
}

/// `nora migrate`.
pub(crate) fn migrate(settings: Settings) -> Result<(), StartError> {
    block_on(async move {
        bootstrap::ensure_data_dir(&settings.data_dir)?;
        wiring::open_stores(&settings).await?;
        tracing::info!("the database has this binary's schema");
        Ok(())
    })
}

async fn run(settings: Settings, providers: Vec<Arc<dyn Provider>>, with_demo: bool) -> Result<(), StartError> {
    // First of all: whoever is ready must not die of a signal in the middle of a request.
    let mut signals = Signals::expect()?;
    let listener = bind(settings.listen, "--listen (NORA_LISTEN)")?;
    let metrics_listener = bind(settings.metrics_listen, METRICS_ADDRESS)?;
    let mut registry = Registry::default();
    let sync_metrics = (SyncMetrics::register(&mut registry), UnconfirmedMetrics::register(&mut registry));
    let redeploy_metrics = RedeployMetrics::register(&mut registry);
    let delivery_metrics = DeliveryMetrics::register(&mut registry);
    let http_metrics = HttpMetrics::register(&mut registry);
    let webhook_metrics = WebhookMetrics::register(&mut registry);
    bootstrap::ensure_data_dir(&settings.data_dir)?;

    let (application, appenders) = tokio::select! {
        built = Application::build(&settings, providers) => built?,
        // Nothing was promised to anybody yet.
        () = signals.wait() => return Ok(()),
    };
    bootstrap::ensure_first_key(&application.keys, &application.authenticator, &settings.data_dir).await?;
    bootstrap::warn_if_exposed(&settings);
    application.adopt_catalog().await?;

    let api = Api::new(application.ports(http_metrics, webhook_metrics));
    let metrics_server = metrics::listen(Data::new(registry), metrics_listener);
    let metrics_server = metrics_server
        .map_err(|error| StartError::because(format!("{METRICS_ADDRESS} cannot be listened on"), error))?;
    let api_server = listen(listener, &api)?;
    let handles = [api_server.handle(), metrics_server.handle()];

    let stopper = Stopper::new();
    let mut loops = start_loops(&application, sync_metrics, redeploy_metrics, &stopper);
    start_deliveries(&mut loops, &application, delivery_metrics, &stopper);
    start_pruning(&mut loops, &application, &settings, &stopper);
    // It goes on as long as a request is under way.
    let appenders = tokio::spawn(appenders.run());
    let servers = [tokio::spawn(api_server), tokio::spawn(metrics_server)];
    tracing::info!(address = %settings.listen, "listening");
    let demo = if with_demo { Some(Demo::start(&application, &settings).await?) } else { None };

    signals.wait().await;
    api.drain();
    if settings.is_exposed() {
        tokio::time::sleep(NOTICE).await;
    }
    stopper.stop(Instant::now() + DRAIN.saturating_sub(NOTICE + CLOSING));
    stop_servers(handles).await;
    while loops.join_next().await.is_some() {}
    for server in servers {
        // A server that ended in an error was heard of when it did.
        let _ = server.await;
    }
    drop(demo);
    appenders.abort();
    tracing::info!("drained");
    Ok(())
}

fn start_loops(
    application: &Application,
    (metrics, unconfirmed): (SyncMetrics, UnconfirmedMetrics),
    redeploy_metrics: RedeployMetrics,
    stopper: &Stopper,
) -> JoinSet<()> {
    let (store, clock) = (Arc::clone(&application.stores.sync), Arc::clone(&application.clock));
    let reconciler = ReconcilerLoop {
        reconciler: application.reconciler.clone(),
        store: Arc::clone(&application.stores.sync),
        clock: Arc::clone(&application.clock),
        metrics,
    };
    let redeployer = RedeployerLoop {
        redeployer: application.redeployer.clone(),
        store: Arc::clone(&application.stores.redeploys),
        clock: Arc::clone(&application.clock),
        metrics: redeploy_metrics,
    };
    let mut loops = JoinSet::new();
    loops.spawn(redeployer.run(stopper.listener()));
    loops.spawn(reconciler.run(stopper.listener()));
    loops.spawn(show_unconfirmed(store, clock, unconfirmed, stopper.listener()));
    loops.spawn(flush_usage(Arc::clone(&application.authenticator), stopper.listener()));
    loops.spawn(follow_revocations(
        Arc::clone(&application.stores.keys),
        Arc::clone(&application.authenticator),
        stopper.listener(),
    ));
    loops
}

fn start_deliveries(loops: &mut JoinSet<()>, application: &Application, metrics: DeliveryMetrics, stopper: &Stopper) {
    let (stores, clock) = (&application.stores, &application.clock);
    let deliveries = DeliveryLoop {
        deliverer: application.webhooks.deliverer.clone(),
        store: Arc::clone(&stores.deliveries),
        clock: Arc::clone(clock),
        metrics: metrics.clone(),
        agents: Arc::new(Agents::default()),
        crowd: application.webhooks.crowd.clone(),
    };
    loops.spawn(deliveries.run(stopper.listener()));
    loops.spawn(measure_backlog(Arc::clone(&stores.deliveries), metrics, Arc::clone(clock), stopper.listener()));
}

/// Deletes what is not kept any longer.
fn start_pruning(loops: &mut JoinSet<()>, application: &Application, settings: &Settings, stopper: &Stopper) {
    let (stores, clock) = (&application.stores, &application.clock);
    loops.spawn(prune_answers(Arc::clone(&stores.idempotency), Arc::clone(clock), stopper.listener()));
    let kept = settings.event_retention;
    loops.spawn(prune_events(Arc::clone(&stores.events), kept, Arc::clone(clock), stopper.listener()));
    if let Some(kept) = settings.audit_retention {
        loops.spawn(prune_audit(Arc::clone(&stores.audit), kept, Arc::clone(clock), stopper.listener()));
    }
}

fn bind(address: SocketAddr, name: &str) -> Result<TcpListener, StartError> {
    let refused = |error| StartError::because(format!("{name} cannot be listened on"), error);
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

fn listen(listener: TcpListener, api: &Arc<Api>) -> Result<Server, StartError> {
    let workers = std::thread::available_parallelism().map_or(2, NonZero::get);
    nora_http_api::server(api, listener, workers)
        .map_err(|error| StartError::because("--listen (NORA_LISTEN) cannot be listened on", error))
}

async fn stop_servers(handles: [ServerHandle; 2]) {
    for handle in handles {
        handle.stop(true).await;
    }
}

/// The signals that end a server. One that comes before it is waited for is kept.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn expect() -> Result<Self, StartError> {
        let failed = |error| StartError::because("signals cannot be waited for", error);
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(Self { terminate, interrupt })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM: draining"),
            _ = self.interrupt.recv() => tracing::info!("SIGINT: draining"),
        }
    }
}
