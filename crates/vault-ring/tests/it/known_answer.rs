//! The bytes themselves, against another implementation (Python's `cryptography`) that knows only the crate's page.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use nora_kernel::{Digest as _, Entropy, Vault as _};
use nora_vault_ring::{Keyring, RingDigest, RingVault};

use crate::support::{Place, Script, agent, context, open, workspace};

const KEYRING: &str = "nora-keyring 1
digest 2026-11-23T09:30:00Z cFq3Jnpdvm9lIUW4vazFjdlAUlUgEh7FAQoZ3zTEyLw=
key 498d56feb9d797f79c13264f52247041 active 2026-11-23T09:30:00Z JHLTJo6fPXoFpy7Rykh3U+i/N73l15hqACAV6Nrjlbk=
";
const DATA_KEY_ID: &str = "72a530d132c467a2f487030c49810b9c";
const DATA_KEY: &str = "35672447aa75333552178fde9c97b6ca4052780766b3e99921e714a79948e392";
const WRAPPED_SALT: &str = "4be61bf9a91a4f3d64fdb5bca0d2c627c949bfe6468966ba1290202983a4be33";
const WRAPPED: &str = "\
    0101498d56feb9d797f79c13264f522470414be61bf9a91a4f3d64fdb5bca0d2c627c949bfe6468966ba1290202983a4be33\
    825af1c4d6527e65a340eb138721fb6da3266804eacc3c80817c87d71d9973b42223daf124ed3b0a72d7e8cce9b45bc3ee46\
    0f3889f25768aa97b1742dd1a6a090f2f9de00d03fa313005dc4f0c48d67a08dfc7b709c1f6eef840b849e65fece";
const SEALED_SALT: &str = "c995581970cc92ced0ba18b8778d438aef68eb3d9f8151798bd84130702a843d";
const SEALED: &str = "\
    010172a530d132c467a2f487030c49810b9cc995581970cc92ced0ba18b8778d438aef68eb3d9f8151798bd84130702a843d\
    472549e383125c19ddb463a0ec013aa643978bca67e8f9f36ddaf346b54a64924966b276c683ba25c7f313efacc28a5d961d\
    f3366c5c5e2a04679448581ac129422abc6c3a1f5176b60d991f87bf2683f240";
const PLAINTEXT: &[u8] = b"{\"personal_access_token\":\"canary\"}";
const CHECK: &str = "\
    0101498d56feb9d797f79c13264f52247041af1520dedf73e859af2ef9817556a752428d7369c7af26509456b662a2b12108\
    f34e95bf519f76c1dfb9228704bdb4154feb3f9bd4fd845289f7246ca260df0a4054d31bafe90be7e4851fd1c78e6fc17f54\
    96ec2bbe26fa786813aeb2b99f57aae73d31a3e8997165a199420d9a0d7e";
const KEYED: &str = "d16807b97f233d2b82ea542aa1177d57ed7823579dc4f7aa21f5a2d5cda4a45b";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn keyring() -> Keyring {
    let place = Place::empty();
    std::fs::write(place.keyring(), KEYRING).unwrap();
    std::fs::set_permissions(place.keyring(), std::fs::Permissions::from_mode(0o600)).unwrap();
    Keyring::load(&place.keyring()).unwrap()
}

fn vault(draws: &[&str]) -> RingVault {
    let entropy: Arc<dyn Entropy> = Arc::new(Script::new(draws.iter().copied().map(bytes)));
    RingVault::new(Arc::new(keyring()), entropy)
}

#[tokio::test]
async fn the_same_draws_seal_the_same_bytes() {
    let vault = vault(&[DATA_KEY_ID, DATA_KEY, WRAPPED_SALT, SEALED_SALT]);
    let key = vault.new_agent_key(&workspace(), agent()).await.unwrap();
    assert_eq!(hex::encode(&key.0), WRAPPED);
    let sealed = vault.seal(&key, &context(), PLAINTEXT).await.unwrap();
    assert_eq!(hex::encode(&sealed.0), SEALED);
}

#[tokio::test]
async fn what_another_implementation_sealed_opens() {
    let key = nora_kernel::WrappedKey(bytes(WRAPPED));
    assert_eq!(open(&vault(&[]), &key, &context(), &bytes(SEALED)).await.unwrap(), PLAINTEXT);
    assert_eq!(vault(&[]).verify_check(&bytes(CHECK)), Ok(()));
}

#[test]
fn keyed_digests_are_the_documented_derivation() {
    let digest = RingDigest::new(&keyring());
    assert_eq!(hex::encode(digest.keyed("api-key/v1", b"nora_secret")), KEYED);
    assert_eq!(hex::encode(digest.sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
