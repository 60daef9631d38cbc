//! The keyring: made once, kept private, and never replaced by a wrong one.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use e2e::{Ended, Installation, Runtime, Store, on_both_stores};

on_both_stores!(
    a_wrong_keyring_is_refused,
    a_lost_keyring_is_not_replaced,
    an_exposed_keyring_is_refused,
    a_spoilt_keyring_is_refused
);

/// A refusal that says what to do and shows no key.
fn check(ended: &Ended, installation: &Installation, words: &[&str]) {
    let line = ended.refusal();
    for word in words {
        assert!(line.contains(word), "{word}: {line}");
    }
    let content = fs::read_to_string(installation.keyring()).unwrap_or_default();
    for secret in content.split_whitespace().filter(|word| word.len() == 44 && word.ends_with('=')) {
        assert!(!line.contains(secret), "{line}");
    }
}

async fn used(store: Store) -> (Installation, Runtime, String) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let runtime = Runtime::start().await;
    let agent = installation.api().register("Sealed", &runtime).await;
    installation.api().connect_acme(&agent, "default", "sealed").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "sealed")]).await;
    installation.api().wait_in_sync(&agent).await;
    assert_eq!(server.stop().await.code, Some(0));
    (installation, runtime, agent)
}

async fn a_wrong_keyring_is_refused(store: Store) {
    let (installation, mut runtime, agent) = used(store).await;
    let right = fs::read(installation.keyring()).unwrap();
    fs::remove_file(installation.keyring()).unwrap();
    installation.run(&["vault", "init"]).await.success();
    assert_ne!(fs::read(installation.keyring()).unwrap(), right);
    check(&installation.refuse().await, &installation, &["NORA_VAULT_KEYRING"]);

    fs::write(installation.keyring(), right).unwrap();
    runtime.restart().await;
    let _server = installation.start().await;
    installation.api().request_sync(&agent).await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "sealed")]).await;
}

async fn a_lost_keyring_is_not_replaced(store: Store) {
    let (installation, _runtime, _agent) = used(store).await;
    fs::remove_file(installation.keyring()).unwrap();
    let ended = installation.refuse().await;
    check(&ended, &installation, &["keyring"]);
    assert!(!installation.keyring().exists(), "a new keyring would look like the right one");
}

async fn an_exposed_keyring_is_refused(store: Store) {
    let (installation, _runtime, _agent) = used(store).await;
    fs::set_permissions(installation.keyring(), Permissions::from_mode(0o644)).unwrap();
    check(&installation.refuse().await, &installation, &["0644", "chmod 600"]);
    fs::set_permissions(installation.keyring(), Permissions::from_mode(0o600)).unwrap();
    installation.start().await;
}

async fn a_spoilt_keyring_is_refused(store: Store) {
    let (installation, _runtime, _agent) = used(store).await;
    let right = fs::read_to_string(installation.keyring()).unwrap();
    let secret = right.split_whitespace().find(|word| word.len() == 44 && word.ends_with('=')).unwrap();
    let spoilt = [
        String::new(),
        "a".repeat(62),
        "z".repeat(64),
        right.replace(secret, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        right.replace(secret, &format!("{secret} # prod")),
        right.replace(secret, "Y2hhbmdlLW1lLXRvLTMyLWNoYXJhY3RlcnMtcGxlYXM="),
        right.replacen(' ', "", 1),
    ];
    for content in spoilt {
        fs::write(installation.keyring(), &content).unwrap();
        check(&installation.refuse().await, &installation, &["NORA_VAULT_KEYRING"]);
    }
    let padded = format!("{right}\n\n");
    fs::write(installation.keyring(), padded).unwrap();
    installation.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_makes_its_own() {
    let installation = Installation::without_keyring(Store::Sqlite).await;
    let _server = installation.start().await;
    for (file, mode) in [("vault.keyring", 0o600), ("bootstrap-key", 0o600), ("", 0o700)] {
        let metadata = fs::metadata(installation.data_dir().join(file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
    }
    let database = fs::metadata(installation.database().file()).unwrap();
    assert_eq!(database.permissions().mode() & 0o077, 0, "the database is nobody else's to read");
    let log = installation.logs();
    assert!(log.contains("keyring"), "it says so: {log}");
    assert!(!log.contains(&installation.bootstrap_key()), "the key is in its file and not in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_postgres_a_missing_one_is_an_error() {
    let installation = Installation::without_keyring(Store::Postgres).await;
    check(&installation.refuse().await, &installation, &["nora vault init"]);
    assert!(!installation.keyring().exists());

    installation.run(&["vault", "init"]).await.success();
    let made = fs::read(installation.keyring()).unwrap();
    let again = installation.run(&["vault", "init"]).await;
    assert!(again.code.is_some_and(|code| code != 0), "{again:?}");
    assert_eq!(fs::read(installation.keyring()).unwrap(), made, "never over an old one");
    installation.start().await;
}
