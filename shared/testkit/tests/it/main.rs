//! Tests of the stand-ins, and of the store on both kinds of table.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

/// Runs each test on both kinds of table.
macro_rules! on_both_tables {
    ($($check:ident),+ $(,)?) => { $(
        mod $check {
            #[tokio::test]
            async fn in_memory() {
                super::$check(portpulse_testkit::memory_table::MemoryTable::new()).await;
            }

            #[tokio::test]
            async fn on_dynamodb() {
                let dynamo = portpulse_testkit::embedded::EmbeddedDynamo::start().await.unwrap();
                super::$check(dynamo.table()).await;
            }
        }
    )+ };
}

mod conformance;
mod definitions;
mod gate;
mod history;
mod http;
mod items;
mod malformed;
mod races;
mod runtime_api;
mod sizes;
mod sns;
mod store;
