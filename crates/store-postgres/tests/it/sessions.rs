//! How units of work run on their connections.

use std::sync::Arc;
use std::thread;

use nora_agents::ports::AgentStore;
use nora_kernel::{PageRequest, Reach, Unavailable};
use nora_store_postgres::PostgresStore;
use nora_testkit::Samples;
use nora_testkit::samples::workspace;
use nora_testkit_postgres::TestDatabase;
use tokio::runtime::Builder;

use crate::fixture::{Owner, open, open_with, options};

const NOTE_SETTINGS: &str = "
    CREATE TABLE noted (value text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO noted SELECT format('%s=%s', name, current_setting(name)) FROM unnest(ARRAY[
            'application_name', 'default_transaction_isolation', 'idle_in_transaction_session_timeout',
            'lock_timeout', 'statement_timeout', 'synchronous_commit']) AS name;
        RETURN NEW;
    END $$;
    CREATE TRIGGER note BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION note()";

const SLEEP: &str = "
    CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
    CREATE TRIGGER doze BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION doze()";

/// Holds an agent's insert up until somebody opens the gate.
const GATE: &str = "
    CREATE TABLE gate (opened boolean);
    CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM nextval('arrived');
        WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.001); END LOOP;
        RETURN NEW;
    END $$;
    CREATE SEQUENCE arrived;
    CREATE TRIGGER pass BEFORE INSERT ON agents FOR EACH ROW EXECUTE FUNCTION pass()";

const ARRIVED: &str = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS value FROM arrived";

const BUSY: &str = "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() \
                    AND application_name = 'nora' AND state <> 'idle'";

const SESSIONS: &str = "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() \
                        AND application_name = 'nora'";

async fn add_agent(store: &PostgresStore, samples: &Samples) -> Result<(), Unavailable> {
    use nora_agents::ports::InsertAgentError;
    match AgentStore::insert(store, &samples.agent(), &samples.line(), None).await {
        Ok(()) => Ok(()),
        Err(InsertAgentError::Unavailable(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_session_has_its_limits() {
    let database = TestDatabase::create().await;
    let mut owner = Owner::of(&database).await;
    owner.run(NOTE_SETTINGS).await;
    owner.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$").await;
    let store = open(database.url()).await;
    add_agent(&store, &Samples::new()).await.unwrap();
    let expected = [
        "application_name=nora",
        "default_transaction_isolation=read committed",
        "idle_in_transaction_session_timeout=10s",
        "lock_timeout=2s",
        "statement_timeout=5s",
        "synchronous_commit=on",
    ];
    assert_eq!(owner.texts("SELECT value FROM noted ORDER BY value").await, expected);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_may_be_tried_again() {
    let database = TestDatabase::create().await;
    let mut owner = Owner::of(&database).await;
    owner.run(SLEEP).await;
    let (store, samples) = (open(database.url()).await, Samples::new());
    let error = add_agent(&store, &samples).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(owner.number("SELECT count(*) AS value FROM agents").await, 0);
}

#[tokio::test]
async fn a_lock_that_does_not_come_may_be_tried_again() {
    let database = TestDatabase::create().await;
    let mut owner = Owner::of(&database).await;
    let (store, samples) = (open(database.url()).await, Samples::new());
    owner.run("BEGIN; LOCK TABLE agents").await;
    let error = add_agent(&store, &samples).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    owner.run("ROLLBACK").await;
    add_agent(&store, &samples).await.unwrap();
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_a_fault() {
    let database = TestDatabase::create_empty().await;
    let store = open(database.url()).await;
    let error = add_agent(&store, &Samples::new()).await.unwrap_err();
    assert!(!error.is_retryable(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_request_leaves_no_transaction_open_and_its_work_is_done() {
    let database = TestDatabase::create().await;
    let mut owner = Owner::of(&database).await;
    let (store, samples) = (open(database.url()).await, Samples::new());
    let agent = samples.agent();
    owner.run(GATE).await;
    let request = {
        let (store, agent, line) = (Arc::clone(&store), agent.clone(), samples.line());
        tokio::spawn(async move { AgentStore::insert(&*store, &agent, &line, None).await })
    };
    // A sequence counts across transactions that are not committed.
    owner.wait_for(ARRIVED, 1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    owner.run("INSERT INTO gate VALUES (true)").await;

    owner.wait_for("SELECT count(*) AS value FROM agents", 1).await;
    owner.wait_for(BUSY, 0).await;
    assert_eq!(store.find(&Reach::Everything, agent.agent.id).await.unwrap(), Some(agent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_found_again() {
    let database = TestDatabase::create().await;
    let mut owner = Owner::of(&database).await;
    let (store, samples) = (open(database.url()).await, Samples::new());
    add_agent(&store, &samples).await.unwrap();
    owner
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nora' \
               AND datname = current_database()",
        )
        .await;
    owner
        .wait_for(&format!("{SESSIONS} AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"), 0)
        .await;
    // The pool may not have noticed yet that a connection is gone; whoever gets it is told to try again.
    while let Err(error) = add_agent(&store, &samples).await {
        assert!(error.is_retryable(), "{error:?}");
    }
}

#[test]
fn connections_outlive_the_runtime_that_asked_for_them() {
    let main = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let samples = Arc::new(Samples::new());
    let (database, store) = main.block_on(async {
        let database = TestDatabase::create().await;
        let mut options = options(database.url());
        options.pool_size = 1;
        let store = open_with(options).await;
        (database, store)
    });
    let worker = {
        let (store, samples) = (Arc::clone(&store), Arc::clone(&samples));
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                store.list(&workspace(), PageRequest::default()).await.unwrap();
                add_agent(&store, &samples).await.unwrap();
            });
        })
    };
    worker.join().unwrap();
    main.block_on(async {
        let mut owner = Owner::of(&database).await;
        // One of the pool and the one that listens.
        assert_eq!(owner.number(SESSIONS).await, 2);
        assert_eq!(store.list(&workspace(), PageRequest::default()).await.unwrap().items.len(), 1);
        assert_eq!(owner.number(SESSIONS).await, 2);
        drop(store);
    });
}
