//! What the run is at: a bar on a terminal, lines elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{spinner} [{elapsed_precise}] {bar:30} {pos}/{len} {wide_msg}";

pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn start(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Says what is done now.
    pub(crate) fn say(&self, what: &str) {
        if std::io::stderr().is_terminal() {
            self.0.set_message(what.to_owned());
        } else {
            eprintln!("{what}");
        }
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
