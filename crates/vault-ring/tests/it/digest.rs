//! Keyed digests.

use nora_kernel::{Digest as _, Entropy as _};
use nora_vault_ring::{Keyring, RingDigest, SystemEntropy};

use crate::support::{Place, later};

fn digest(place: &Place) -> RingDigest {
    RingDigest::new(&Keyring::load(&place.keyring()).unwrap())
}

#[test]
fn equal_bytes_have_equal_digests_for_one_purpose_and_one_keyring() {
    let (place, other) = (Place::with_keyring(), Place::with_keyring());
    let value = digest(&place).keyed("api-key", b"value");
    assert_eq!(value, digest(&place).keyed("api-key", b"value"));
    assert_ne!(value, digest(&place).keyed("api-key", b"another"));
    assert_ne!(value, digest(&place).keyed("cursor", b"value"));
    assert_ne!(value, digest(&other).keyed("api-key", b"value"));
}

#[test]
fn rotation_leaves_digests_as_they_are() {
    let place = Place::with_keyring();
    let before = digest(&place).keyed("api-key", b"value");
    let old = Keyring::load(&place.keyring()).unwrap().status()[0].id;
    let new = Keyring::add_key(&place.keyring(), &SystemEntropy::new(), later(1)).unwrap();
    Keyring::promote(&place.keyring(), new).unwrap();
    Keyring::retire(&place.keyring(), old, 0).unwrap();
    assert_eq!(digest(&place).keyed("api-key", b"value"), before);
}

#[test]
fn the_system_gives_different_bytes_each_time() {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    SystemEntropy::new().fill(&mut first).unwrap();
    SystemEntropy::new().fill(&mut second).unwrap();
    assert_ne!(first, second);
}
