//! What every provider must do.

mod catalog;
mod secrets;
mod subject;
mod webhooks;
mod wire;

use std::pin::Pin;
use std::sync::Arc;

use nora_provider_sdk::Provider;

/// What a check found: nothing, or what is wrong.
pub type Finding = Result<(), String>;

type Run = for<'a> fn(&'a dyn Provider) -> Pin<Box<dyn Future<Output = Finding> + Send + 'a>>;

/// One check of the suite.
struct Check {
    name: &'static str,
    run: Run,
}

macro_rules! checks {
    ($($module:ident::$name:ident),+ $(,)?) => {
        &[$(Check { name: stringify!($name), run: |provider| Box::pin($module::$name(provider)) }),+]
    };
}

const CHECKS: &[Check] = checks![
    catalog::schema_is_valid,
    catalog::schema_takes_the_example,
    catalog::variables_are_legal_and_unique,
    wire::changing_requests_say_why_they_do_not,
    catalog::recorded_cases_end_as_they_say,
    catalog::a_success_is_recorded,
    wire::a_valid_credential_is_verified,
    wire::refusals_are_rejections,
    wire::other_refusals_prove_nothing,
    wire::too_many_requests_says_when,
    wire::faults_are_unreachable,
    wire::redirects_are_not_followed,
    wire::other_content_proves_nothing,
    wire::an_error_in_a_success_proves_nothing,
    wire::a_slow_answer_is_a_timeout,
    wire::a_huge_answer_is_refused,
    wire::no_answer_is_unreachable,
    wire::an_untrusted_certificate_is_refused,
    secrets::secrets_are_never_shown,
    webhooks::webhooks_are_recorded,
    webhooks::flipped_bits_are_refused,
    webhooks::missing_signatures_are_refused,
    webhooks::doubled_signatures_are_refused,
    webhooks::oversized_signatures_are_refused,
    webhooks::other_secrets_are_refused,
    webhooks::stale_requests_are_refused,
];

/// The names of the checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}

/// Runs every check on one provider, and returns those that failed with what is wrong.
pub async fn failures(provider: &dyn Provider) -> Vec<(&'static str, String)> {
    let mut failures = Vec::new();
    for check in CHECKS {
        if let Err(reason) = (check.run)(provider).await {
            failures.push((check.name, reason));
        }
    }
    failures
}

/// Runs one check on every provider, side by side.
///
/// # Panics
///
/// The check fails on any of them, or there is none to check.
pub fn assert_holds(name: &str, providers: impl IntoIterator<Item = Arc<dyn Provider>>) {
    let check = CHECKS.iter().find(|check| check.name == name).expect("the check is one of the suite");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let found = runtime.block_on(async {
        let mut running = tokio::task::JoinSet::new();
        for provider in providers {
            let run = check.run;
            running.spawn(async move {
                let finding = run(provider.as_ref()).await;
                (provider.manifest().id().to_string(), finding)
            });
        }
        running.join_all().await
    });
    assert!(!found.is_empty(), "there is no provider to check");
    let failed = found.iter().filter_map(|(id, finding)| Some(format!("{id}: {}", finding.as_ref().err()?)));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{name}\n{}", failed.join("\n"));
}

/// Every request that is not a GET or HEAD, with the provider and the reason why it changes nothing.
pub fn changing_requests(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Vec<String> {
    let mut lines = Vec::new();
    for provider in providers {
        let id = provider.manifest().id().clone();
        for request in provider.manifest().requests() {
            if let Some(reason) = &request.read_only_because {
                lines.push(format!("{id}: {} {} ({reason})", request.method.as_str(), request.url));
            }
        }
    }
    lines
}
