//! The report as Markdown.

use std::fmt::Write as _;

use super::{FanOut, Machine, Report, StoreReport};
use crate::measure::{PathReport, Side};
use crate::numbers::{Spread, float};

pub(super) fn text(report: &Report) -> String {
    let mut text = machine(&report.machine);
    for store in &report.stores {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "\n## {}\n", store.store);
        if !store.paths.is_empty() {
            text += &ratios(&store.paths);
            text += &costs(&store.paths);
        }
        text += &beside(store);
    }
    text
}

fn machine(machine: &Machine) -> String {
    let Machine { cores, processor, kernel, load_before, sync_ms } = machine;
    format!(
        "{cores} cores of {processor}, Linux {kernel}, load {load_before} before the run; \
         4 KiB durable in {:.2} ms ({:.2} to {:.2})\n",
        sync_ms.median, sync_ms.least, sync_ms.most
    )
}

fn ratios(paths: &[PathReport]) -> String {
    let mut text =
        "| path | connections | server /s | control | control /s | ratio | target | CPU ratio |\n".to_owned();
    text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for path in paths {
        let PathReport { name, connections, server, control, bare, ratio, target, cpu_ratio, .. } = path;
        let verdict = match (target, path.is_met()) {
            (Some(target), Some(true)) => format!("{target} met"),
            (Some(target), _) => format!("{target} missed"),
            (None, _) => "none".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {name} | {connections} | {:.0} | {control} | {:.0} | {} | {verdict} | {} |",
            server.per_second.median,
            bare.per_second.median,
            shown(ratio),
            shown(cpu_ratio)
        );
    }
    text
}

fn costs(paths: &[PathReport]) -> String {
    let mut text =
        "\n| path | side | at /s | p50 ms | p99 ms | p99.9 ms | CPU s per 1,000 | of the database |\n".to_owned();
    text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for path in paths {
        for (side, Side { cpu, database_cpu, latency, .. }) in [("server", &path.server), ("control", &path.bare)] {
            let of_database = database_cpu.map_or_else(|| "in it".to_owned(), |cpu| format!("{:.3}", cpu.median));
            let _ = writeln!(
                text,
                "| {} | {side} | {} | {:.2} | {:.2} | {:.2} | {:.3} | {of_database} |",
                path.name, latency.per_second, latency.p50, latency.p99, latency.p999, cpu.median
            );
        }
    }
    text
}

fn beside(store: &StoreReport) -> String {
    let mut text = "\n| what | figure |\n| --- | --- |\n".to_owned();
    let _ = writeln!(text, "| resident at rest | {:.1} MiB |", mebibytes(store.at_rest));
    let _ = writeln!(text, "| resident under load, at most | {:.1} MiB |", mebibytes(store.under_load));
    if let Some(start) = &store.start_ms {
        let _ = writeln!(text, "| start to ready | {:.0} ms ({:.0} to {:.0}) |", start.median, start.least, start.most);
    }
    if let Some(sync) = &store.sync {
        let _ = writeln!(
            text,
            "| connect answered to runtime has it | p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms |",
            sync.p50, sync.p99, sync.p999
        );
    }
    if let Some(FanOut { agents, seconds, per_second, runtimes_alone, at_start, most }) = &store.fan_out {
        let _ = writeln!(
            text,
            "| {agents} agents behind | {seconds:.1} s, {per_second:.0} /s; the runtimes alone {runtimes_alone:.0} /s; \
             resident {:.1} MiB, at most {:.1} MiB |",
            mebibytes(*at_start),
            mebibytes(*most)
        );
    }
    text
}

fn shown(spread: &Spread) -> String {
    format!("{:.2} ({:.2} to {:.2})", spread.median, spread.least, spread.most)
}

fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / f64::from(1 << 20)
}
