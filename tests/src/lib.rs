#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario fails by panicking")]
#![expect(clippy::missing_panics_doc, reason = "everything here panics when a scenario is wrong or fails")]

mod api;
mod browser;
mod command;
mod database;
mod environment;
mod installation;
mod ports;
mod providers;
mod python;
mod runtime;
mod schemas;
mod server;
mod stub;
mod wait;
mod witness;

pub use api::{Answer, Api};
pub use browser::{Page, browse};
pub use command::{Ended, run_to_end};
pub use database::{Database, Store};
pub use environment::{npm_home, reference_runtime, search_path};
pub use installation::Installation;
pub use ports::free_port;
pub use providers::{ACME, RIVAL};
pub use python::sign;
pub use runtime::{Runtime, faults};
pub use schemas::{Claim, objections};
pub use server::{Server, Started};
pub use stub::{Request, Stub, answer};
pub use wait::{PATIENCE, eventually, eventually_within};
pub use witness::{Seen, Witness};

/// One test per scenario and store. A scenario is an `async fn(Store)`.
#[macro_export]
macro_rules! on_both_stores {
    ($($scenario:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $scenario() {
                    super::$scenario($crate::Store::Sqlite).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $scenario() {
                    super::$scenario($crate::Store::Postgres).await;
                }
            )+
        }
    };
}
