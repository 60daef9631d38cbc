//! Nothing that is shown holds a key or a secret.

use std::error::Error;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_kernel::Vault as _;
use nora_vault_ring::{Keyring, RingDigest, RingVault, SystemEntropy};

use crate::support::{PLAINTEXT, Place, Sealing, agent, context, later, now, open, workspace};

/// An error with everything it was caused by, both ways of showing it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut shown = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        writeln!(shown, "{error} {error:?} {error:#?}").unwrap();
        next = error.source();
    }
    shown
}

/// The secrets of the keyring, in every form they could appear in.
fn canaries(place: &Place) -> Vec<String> {
    let content = std::fs::read_to_string(place.keyring()).unwrap();
    let secrets = content.lines().filter(|line| line.starts_with("key") || line.starts_with("digest"));
    secrets
        .flat_map(|line| {
            let encoded = line.split_ascii_whitespace().next_back().unwrap();
            let bytes = STANDARD.decode(encoded).unwrap();
            let listed = format!("{:?}", bytes.first_chunk::<8>().unwrap());
            [encoded.to_owned(), hex::encode(&bytes), listed.trim_matches(['[', ']']).to_owned()]
        })
        .collect()
}

#[tokio::test]
async fn neither_debug_nor_display_shows_a_key() {
    let place = Place::with_keyring();
    Keyring::add_key(&place.keyring(), &SystemEntropy::new(), later(1)).unwrap();
    let keyring = Keyring::load(&place.keyring()).unwrap();
    let vault = place.vault();
    let key = vault.new_agent_key(&workspace(), agent()).await.unwrap();
    let sealed = vault.seal(&key, &context(), PLAINTEXT).await.unwrap();
    let shown = format!(
        "{keyring:?} {keyring:#?} {vault:?} {vault:#?} {:?} {:?} {key:?} {sealed:?}",
        RingDigest::new(&keyring),
        keyring.status(),
    );
    assert!(shown.contains(&keyring.status()[0].id.to_string()), "ids are no secret: {shown}");
    for canary in canaries(&place) {
        assert!(!shown.contains(&canary), "{shown}");
    }
}

#[test]
fn no_refusal_of_a_keyring_repeats_its_content() {
    let place = Place::with_keyring();
    let content = std::fs::read_to_string(place.keyring()).unwrap();
    let canaries = canaries(&place);
    let spoiled = [
        content.replace("key ", "kye "),
        content.replace("active", "actve"),
        content.replace("digest ", "digest twice "),
        content.replace("nora-keyring", "nora-keychain"),
        content.replace('=', "!"),
        content.replace('=', ""),
        content.replace('=', "= again"),
        format!("{content}{}", content.lines().next_back().unwrap()),
        content.lines().next_back().unwrap().to_owned(),
    ];
    for spoiled in spoiled {
        std::fs::write(place.keyring(), spoiled).unwrap();
        let shown = chain(&Keyring::load(&place.keyring()).unwrap_err());
        let again = chain(&Keyring::generate(&place.keyring(), &SystemEntropy::new(), now()).unwrap_err());
        for canary in &canaries {
            assert!(!shown.contains(canary.trim_end_matches('=')), "{shown}");
            assert!(!again.contains(canary.trim_end_matches('=')), "{again}");
        }
    }
}

#[tokio::test]
async fn nothing_of_a_secret_is_left_in_what_is_stored_or_refused() {
    let sealing = Sealing::new().await;
    let holds = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"CANARY");
    assert!(holds(PLAINTEXT) && !holds(&sealing.sealed.0));
    let mut changed = sealing.sealed.0.clone();
    changed[90] ^= 1;
    let shown = chain(&open(&sealing.vault, &sealing.key, &context(), &changed).await.unwrap_err());
    assert!(!shown.contains("CANARY") && !shown.contains(&hex::encode(&changed[82..])), "{shown}");
}

#[test]
fn a_refused_check_value_shows_ids_only() {
    let place = Place::with_keyring();
    let check = place.vault().seal_check().unwrap();
    let vault: RingVault = Place::with_keyring().vault();
    let shown = chain(&vault.verify_check(&check).unwrap_err());
    for canary in canaries(&place) {
        assert!(!shown.contains(&canary), "{shown}");
    }
}
