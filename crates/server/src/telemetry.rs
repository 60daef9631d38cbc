//! Logs.

use std::io::IsTerminal as _;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry};

use crate::settings::LogFormat;

/// Starts logging to standard error.
///
/// Whatever the filter says, only our own targets log below `info`: some libraries log frames and parameters there,
/// and those hold secrets.
pub(crate) fn start(filter: &str, format: LogFormat) {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse_lossy(filter);
    let capped = filter_fn(is_ours_or_coarse);
    let colours = std::io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    // A second start in one process (tests) keeps the first subscriber.
    let _ = Registry::default().with(layer.with_filter(capped).with_filter(filter)).try_init();
}

fn is_ours_or_coarse(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("nora") || *metadata.level() <= tracing::Level::INFO
}
