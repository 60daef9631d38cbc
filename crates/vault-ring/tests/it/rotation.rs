//! Add, promote, rewrap, retire.

use std::fs::File;

use nora_kernel::{AgentId, OpenError, SealError, Sealed, Vault as _, WrappedKey};
use nora_vault_ring::{ChangeError, KekId, KeyState, Keyring, RingVault, SystemEntropy};
use uuid::Uuid;

use crate::support::{PLAINTEXT, Place, agent, context, later, open, workspace};

fn states(place: &Place) -> Vec<(KekId, KeyState)> {
    let keyring = Keyring::load(&place.keyring()).unwrap();
    keyring.status().into_iter().map(|key| (key.id, key.state)).collect()
}

fn add_key(place: &Place, seconds: u64) -> KekId {
    Keyring::add_key(&place.keyring(), &SystemEntropy::new(), later(seconds)).unwrap()
}

async fn seal(vault: &RingVault) -> (WrappedKey, Sealed) {
    let key = vault.new_agent_key(&workspace(), agent()).await.unwrap();
    let sealed = vault.seal(&key, &context(), PLAINTEXT).await.unwrap();
    (key, sealed)
}

#[tokio::test]
async fn a_rotation_loses_nothing() {
    let place = Place::with_keyring();
    let old = states(&place)[0].0;
    let (key, Sealed(sealed)) = seal(&place.vault()).await;

    let new = add_key(&place, 1);
    assert_eq!(states(&place), [(old, KeyState::Active), (new, KeyState::DecryptOnly)]);
    assert_eq!(place.vault().rewrap(&workspace(), agent(), &key).unwrap(), None);
    assert_eq!(RingVault::kek_id(&seal(&place.vault()).await.0), Some(old));

    Keyring::promote(&place.keyring(), new).unwrap();
    assert_eq!(states(&place), [(old, KeyState::DecryptOnly), (new, KeyState::Active)]);
    let vault = place.vault();
    assert_eq!(open(&vault, &key, &context(), &sealed).await.unwrap(), PLAINTEXT);
    assert_eq!(RingVault::kek_id(&seal(&vault).await.0), Some(new));

    let rewrapped = vault.rewrap(&workspace(), agent(), &key).unwrap().unwrap();
    assert_eq!((RingVault::kek_id(&key), RingVault::kek_id(&rewrapped)), (Some(old), Some(new)));
    assert_eq!(vault.rewrap(&workspace(), agent(), &rewrapped).unwrap(), None);

    Keyring::retire(&place.keyring(), old, 0).unwrap();
    assert_eq!(states(&place), [(old, KeyState::Retired), (new, KeyState::Active)]);
    let vault = place.vault();
    assert_eq!(open(&vault, &rewrapped, &context(), &sealed).await.unwrap(), PLAINTEXT);
    assert!(matches!(open(&vault, &key, &context(), &sealed).await, Err(OpenError::Unreadable)));
    assert!(matches!(vault.rewrap(&workspace(), agent(), &key), Err(SealError::Key)));
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}

#[tokio::test]
async fn a_process_that_loaded_the_waiting_key_opens_what_another_sealed_with_it() {
    let place = Place::with_keyring();
    let new = add_key(&place, 1);
    let slow = place.vault();
    Keyring::promote(&place.keyring(), new).unwrap();
    let (key, Sealed(sealed)) = seal(&place.vault()).await;
    assert_eq!(open(&slow, &key, &context(), &sealed).await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn only_the_agents_own_key_is_rewrapped() {
    let place = Place::with_keyring();
    let (key, _) = seal(&place.vault()).await;
    let new = add_key(&place, 1);
    Keyring::promote(&place.keyring(), new).unwrap();
    let stranger = AgentId::from_uuid(Uuid::from_u128(1));
    assert!(matches!(place.vault().rewrap(&workspace(), stranger, &key), Err(SealError::Key)));
}

#[test]
fn a_key_in_use_is_not_retired() {
    let place = Place::with_keyring();
    let new = add_key(&place, 1);
    let refused = Keyring::retire(&place.keyring(), new, 3);
    assert!(matches!(refused, Err(ChangeError::InUse { id, uses: 3 }) if id == new));
    assert_eq!(states(&place)[1], (new, KeyState::DecryptOnly));
}

#[test]
fn states_change_in_one_direction() {
    let place = Place::with_keyring();
    let path = place.keyring();
    let (first, second) = (states(&place)[0].0, add_key(&place, 1));
    let unknown = KekId::from_bytes([7; 16]);

    assert!(matches!(Keyring::promote(&path, first), Err(ChangeError::Active(id)) if id == first));
    assert!(matches!(Keyring::retire(&path, first, 0), Err(ChangeError::Active(id)) if id == first));
    assert!(matches!(Keyring::promote(&path, unknown), Err(ChangeError::UnknownKey(id)) if id == unknown));
    assert!(matches!(Keyring::retire(&path, unknown, 0), Err(ChangeError::UnknownKey(id)) if id == unknown));
    Keyring::retire(&path, second, 0).unwrap();
    assert!(matches!(Keyring::promote(&path, second), Err(ChangeError::Retired(id)) if id == second));
    assert!(matches!(Keyring::retire(&path, second, 0), Err(ChangeError::Retired(id)) if id == second));
    assert_eq!(states(&place), [(first, KeyState::Active), (second, KeyState::Retired)]);
}

#[test]
fn one_process_at_a_time_changes_the_file() {
    let place = Place::with_keyring();
    let before = std::fs::read(place.keyring()).unwrap();
    let other_process = File::open(place.keyring()).unwrap();
    other_process.lock().unwrap();
    let refused = Keyring::add_key(&place.keyring(), &SystemEntropy::new(), later(1));
    assert!(matches!(refused, Err(ChangeError::Busy { .. })));
    assert_eq!(std::fs::read(place.keyring()).unwrap(), before);
    drop(other_process);
    add_key(&place, 1);
}

#[test]
fn writers_that_meet_lose_no_key() {
    let place = Place::with_keyring();
    let added: Vec<KekId> = std::thread::scope(|scope| {
        let writers: Vec<_> = (1..=8)
            .map(|seconds| {
                let path = place.keyring();
                scope.spawn(move || {
                    loop {
                        match Keyring::add_key(&path, &SystemEntropy::new(), later(seconds)) {
                            Ok(id) => break id,
                            Err(ChangeError::Busy { .. }) => std::thread::yield_now(),
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let kept: Vec<KekId> = states(&place).into_iter().skip(1).map(|(id, _)| id).collect();
    assert_eq!(kept, added);
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}

#[test]
fn a_link_is_read_and_not_replaced() {
    let place = Place::with_keyring();
    let elsewhere = Place::empty();
    std::os::unix::fs::symlink(place.keyring(), elsewhere.keyring()).unwrap();
    assert_eq!(states(&elsewhere), states(&place));
    let refused = Keyring::add_key(&elsewhere.keyring(), &SystemEntropy::new(), later(1));
    assert!(matches!(refused, Err(ChangeError::SymbolicLink { .. })));
    assert!(elsewhere.keyring().is_symlink());
}
