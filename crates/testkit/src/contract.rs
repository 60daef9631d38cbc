//! What every adapter of a store port promises: one case per sentence of the port's documentation.
//!
//! Each suite has a macro that expands to one named test per case; `store_contracts!` expands to all of them. The
//! expression each is given is awaited afresh for every case and gives a [`Fixture`](crate::Fixture).

#![expect(missing_docs, reason = "the name of a case is the sentence it checks")]

pub mod agent_change;
pub mod agent_store;
pub mod audit_store;
pub mod channel_change;
pub mod channel_secrets;
pub mod channel_store;
pub mod delivery_claims;
pub mod delivery_ends;
pub mod delivery_leases;
pub mod delivery_wakeups;
pub mod event_prune;
pub mod event_replay;
pub mod event_store;
pub mod idempotency_store;
pub mod inbox;
pub mod integration_change;
pub mod integration_store;
pub mod key_custody;
pub mod key_store;
pub mod mcp_store;
pub mod redeploy_store;
pub mod shape_store;
pub mod sync_claims;
pub mod sync_outcomes;
pub mod sync_owned;
pub mod sync_retirement;
pub mod sync_snapshots;
pub mod sync_state;
pub mod sync_unconfirmed;
pub mod sync_wakeups;

/// Expands to one test per case of a suite.
///
/// The crate that uses it needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! contract_cases {
    ($fixture:expr => $suite:ident: $($case:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let fixture = $fixture.await;
            $crate::contract::$suite::$case(&fixture).await;
        }
    )+};
}

/// Expands to one module per suite. Paths in the fixture are resolved inside those modules, so they begin with
/// `crate::`.
#[macro_export]
macro_rules! store_contracts {
    ($fixture:expr) => {
        mod agent_change {
            $crate::agent_change_contract!($fixture);
        }
        mod agent_store {
            $crate::agent_store_contract!($fixture);
        }
        mod audit_store {
            $crate::audit_store_contract!($fixture);
        }
        mod channel_change {
            $crate::channel_change_contract!($fixture);
        }
        mod channel_secrets {
            $crate::channel_secrets_contract!($fixture);
        }
        mod channel_store {
            $crate::channel_store_contract!($fixture);
        }
        mod delivery_claims {
            $crate::delivery_claims_contract!($fixture);
        }
        mod delivery_ends {
            $crate::delivery_ends_contract!($fixture);
        }
        mod delivery_leases {
            $crate::delivery_leases_contract!($fixture);
        }
        mod delivery_wakeups {
            $crate::delivery_wakeups_contract!($fixture);
        }
        mod event_prune {
            $crate::event_prune_contract!($fixture);
        }
        mod event_replay {
            $crate::event_replay_contract!($fixture);
        }
        mod event_store {
            $crate::event_store_contract!($fixture);
        }
        mod idempotency_store {
            $crate::idempotency_store_contract!($fixture);
        }
        mod inbox {
            $crate::inbox_contract!($fixture);
        }
        mod integration_change {
            $crate::integration_change_contract!($fixture);
        }
        mod integration_store {
            $crate::integration_store_contract!($fixture);
        }
        mod key_custody {
            $crate::key_custody_contract!($fixture);
        }
        mod key_store {
            $crate::key_store_contract!($fixture);
        }
        mod mcp_store {
            $crate::mcp_store_contract!($fixture);
        }
        mod redeploy_store {
            $crate::redeploy_store_contract!($fixture);
        }
        mod sync_unconfirmed {
            $crate::sync_unconfirmed_contract!($fixture);
        }
        mod shape_store {
            $crate::shape_store_contract!($fixture);
        }
        mod sync_claims {
            $crate::sync_claims_contract!($fixture);
        }
        mod sync_outcomes {
            $crate::sync_outcomes_contract!($fixture);
        }
        mod sync_owned {
            $crate::sync_owned_contract!($fixture);
        }
        mod sync_retirement {
            $crate::sync_retirement_contract!($fixture);
        }
        mod sync_snapshots {
            $crate::sync_snapshots_contract!($fixture);
        }
        mod sync_state {
            $crate::sync_state_contract!($fixture);
        }
        mod sync_wakeups {
            $crate::sync_wakeups_contract!($fixture);
        }
    };
}
