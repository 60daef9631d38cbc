//! The stores in memory keep the promises of every port.

nora_testkit::store_contracts!(nora_testkit::InMemoryFixture::start());
