//! A wrong keyring stops the start.

use nora_vault_ring::{Keyring, RewrapCheckError, RingVault, SystemEntropy, WrongKeyring};

use crate::support::{Place, later};

fn active(place: &Place) -> nora_vault_ring::KekId {
    Keyring::load(&place.keyring()).unwrap().status().first().unwrap().id
}

#[test]
fn the_right_keyring_is_recognised_after_a_restart() {
    let place = Place::with_keyring();
    let check = place.vault().seal_check().unwrap();
    assert_eq!(place.vault().verify_check(&check), Ok(()));
}

#[test]
fn a_missing_key_is_named() {
    let place = Place::with_keyring();
    let check = place.vault().seal_check().unwrap();
    let refused = Place::with_keyring().vault().verify_check(&check);
    assert_eq!(refused, Err(WrongKeyring::MissingKey(active(&place))));
    let message = refused.unwrap_err().to_string();
    assert!(message.contains(&format!("lacks key id {}", active(&place))), "{message}");
}

#[test]
fn another_digest_key_is_noticed() {
    let (place, other) = (Place::with_keyring(), Place::with_keyring());
    let check = place.vault().seal_check().unwrap();
    let line = |place: &Place| {
        let content = std::fs::read_to_string(place.keyring()).unwrap();
        content.lines().find(|line| line.starts_with("digest")).unwrap().to_owned()
    };
    let content = std::fs::read_to_string(place.keyring()).unwrap();
    std::fs::write(place.keyring(), content.replace(&line(&place), &line(&other))).unwrap();
    assert_eq!(place.vault().verify_check(&check), Err(WrongKeyring::OtherDigestKey));
}

#[test]
fn a_damaged_check_value_is_told_from_a_wrong_keyring() {
    let place = Place::with_keyring();
    let check = place.vault().seal_check().unwrap();
    assert_eq!(place.vault().verify_check(&[]), Err(WrongKeyring::Damaged));
    assert_eq!(place.vault().verify_check(&check[..97]), Err(WrongKeyring::Damaged));
    let mut changed = check;
    changed[100] ^= 1;
    assert_eq!(place.vault().verify_check(&changed), Err(WrongKeyring::OtherKey(active(&place))));
}

#[test]
fn the_check_value_follows_a_rotation() {
    let place = Place::with_keyring();
    let old = active(&place);
    let check = place.vault().seal_check().unwrap();
    assert_eq!(place.vault().rewrap_check(&check).unwrap(), None);

    let new = Keyring::add_key(&place.keyring(), &SystemEntropy::new(), later(1)).unwrap();
    Keyring::promote(&place.keyring(), new).unwrap();
    let vault: RingVault = place.vault();
    let rewrapped = vault.rewrap_check(&check).unwrap().unwrap();
    Keyring::retire(&place.keyring(), old, 0).unwrap();

    let vault_after = place.vault();
    assert_eq!(vault_after.verify_check(&rewrapped), Ok(()));
    assert_eq!(vault_after.verify_check(&check), Err(WrongKeyring::MissingKey(old)));
    let refused = vault_after.rewrap_check(&check);
    assert!(matches!(refused, Err(RewrapCheckError::WrongKeyring(WrongKeyring::MissingKey(id))) if id == old));
}
