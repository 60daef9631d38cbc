//! The promises of every port, each case on a database of its own.

nora_testkit::store_contracts!(crate::fixture::PostgresFixture::start());
