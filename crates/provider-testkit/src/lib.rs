#![doc = include_str!("../README.md")]
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test that cannot be set up fails by panicking")]

mod certificate;
mod context;
pub mod fuzz;
mod http;
mod service;
mod stream;
pub mod suite;

pub use certificate::{Authority, Identity};
pub use context::{Dialed, LoopbackContext};
pub use service::{Received, Reply, Service};

/// Holds providers to the suite: one test for each of its checks, over all of them.
///
/// `$providers` is an expression that makes the providers, as anything that iterates over `Arc<dyn Provider>`. It is
/// evaluated once for each check.
///
/// ```text
/// mod conformance {
///     nora_provider_testkit::conformance!(my_crate::all().unwrap());
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    ($providers:expr) => {
        $crate::conformance! { @each $providers =>
            schema_is_valid,
            schema_takes_the_example,
            variables_are_legal_and_unique,
            changing_requests_say_why_they_do_not,
            recorded_cases_end_as_they_say,
            a_success_is_recorded,
            a_valid_credential_is_verified,
            refusals_are_rejections,
            other_refusals_prove_nothing,
            too_many_requests_says_when,
            faults_are_unreachable,
            redirects_are_not_followed,
            other_content_proves_nothing,
            an_error_in_a_success_proves_nothing,
            a_slow_answer_is_a_timeout,
            a_huge_answer_is_refused,
            no_answer_is_unreachable,
            an_untrusted_certificate_is_refused,
            secrets_are_never_shown,
            webhooks_are_recorded,
            flipped_bits_are_refused,
            missing_signatures_are_refused,
            doubled_signatures_are_refused,
            oversized_signatures_are_refused,
            other_secrets_are_refused,
            stale_requests_are_refused,
        }
    };
    (@each $providers:expr => $($check:ident),+ $(,)?) => {
        $(
            #[test]
            fn $check() {
                $crate::suite::assert_holds(stringify!($check), $providers);
            }
        )+

        #[test]
        fn every_check_is_run() {
            let run = [$(stringify!($check)),+];
            assert!($crate::suite::names().eq(run), "the macro and the suite differ");
        }
    };
}
