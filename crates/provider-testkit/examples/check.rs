//! Holds manifest files to the suite: `cargo run -p nora-provider-testkit --example check -- FILE ...`
#![expect(clippy::print_stdout, reason = "it reports to whoever writes a manifest")]

use std::process::ExitCode;

use nora_provider_sdk::Declarative;
use nora_provider_testkit::suite;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut is_good = true;
    for file in std::env::args().skip(1) {
        let problems = check(&file).await;
        is_good &= problems.is_empty();
        println!("{file}: {}", if problems.is_empty() { "good" } else { "refused" });
        for problem in problems {
            println!("  {problem}");
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn check(file: &str) -> Vec<String> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return vec![error.to_string()],
    };
    match Declarative::parse(file, &text) {
        Ok(provider) => {
            let failures = suite::failures(&provider).await;
            failures.into_iter().map(|(check, reason)| format!("{check}: {reason}")).collect()
        }
        Err(error) => vec![error.to_string()],
    }
}
