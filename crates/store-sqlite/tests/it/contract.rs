//! The promises of every port, each checked on a database of its own.

nora_testkit::store_contracts!(crate::fixture::Database::start());
