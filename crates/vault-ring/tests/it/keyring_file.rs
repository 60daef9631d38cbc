//! The keyring's file: who may read it, what it may hold, and that none is ever overwritten.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use nora_vault_ring::{
    ChangeError, GenerateError, KekId, KeyState, Keyring, KeyringFault, LineFault, LoadError, SystemEntropy,
};

use crate::support::{Place, Script, now};

const DIGEST: &str = "digest 2026-11-23T09:30:00Z cFq3Jnpdvm9lIUW4vazFjdlAUlUgEh7FAQoZ3zTEyLw=";
const ID: &str = "498d56feb9d797f79c13264f52247041";
const OTHER_ID: &str = "72a530d132c467a2f487030c49810b9c";
const SECRET: &str = "JHLTJo6fPXoFpy7Rykh3U+i/N73l15hqACAV6Nrjlbk=";
const OTHER_SECRET: &str = "NWckR6p1MzVSF4/enJe2ykBSeAdms+mZIecUp5lI45I=";

fn key(id: &str, state: &str, secret: &str) -> String {
    format!("key {id} {state} 2026-11-23T09:30:00Z {secret}")
}

fn keyring(lines: &[&str]) -> String {
    ["nora-keyring 1"].iter().chain(lines).fold(String::new(), |content, line| content + line + "\n")
}

fn load(content: impl AsRef<[u8]>) -> Result<Keyring, LoadError> {
    let place = Place::empty();
    std::fs::write(place.keyring(), content).unwrap();
    std::fs::set_permissions(place.keyring(), Permissions::from_mode(0o600)).unwrap();
    Keyring::load(&place.keyring())
}

#[track_caller]
fn refuses(content: impl AsRef<[u8]>, expected: KeyringFault) {
    match load(content) {
        Err(LoadError::Invalid { source, .. }) => assert_eq!(source, expected),
        other => panic!("{other:?} instead of {expected:?}"),
    }
}

#[track_caller]
fn refuses_line(line: &str, fault: LineFault) {
    refuses(keyring(&[DIGEST, line]), KeyringFault::Line { line: 3, fault });
}

#[test]
fn what_is_generated_is_private_and_loads() {
    let place = Place::empty();
    let generated = Keyring::generate(&place.keyring(), &SystemEntropy::new(), now()).unwrap();
    let mode = std::fs::metadata(place.keyring()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let status = generated.status();
    assert_eq!(status, Keyring::load(&place.keyring()).unwrap().status());
    assert_eq!((status.len(), status[0].state, status[0].created_at), (1, KeyState::Active, now()));
    assert!(generated.opens(status[0].id));
    assert!(!generated.opens(KekId::from_bytes([0; 16])));
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}

#[test]
fn generate_never_overwrites() {
    let place = Place::with_keyring();
    let before = std::fs::read(place.keyring()).unwrap();
    let refused = Keyring::generate(&place.keyring(), &SystemEntropy::new(), now());
    assert!(matches!(refused, Err(GenerateError::Exists { .. })), "{refused:?}");
    assert_eq!(std::fs::read(place.keyring()).unwrap(), before);

    let empty = Place::empty();
    std::fs::write(empty.keyring(), "").unwrap();
    assert!(matches!(
        Keyring::generate(&empty.keyring(), &SystemEntropy::new(), now()),
        Err(GenerateError::Exists { .. })
    ));

    let dangling = Place::empty();
    symlink("nowhere", dangling.keyring()).unwrap();
    assert!(matches!(
        Keyring::generate(&dangling.keyring(), &SystemEntropy::new(), now()),
        Err(GenerateError::Exists { .. })
    ));
    assert!(place.leftovers().is_empty() && empty.leftovers().is_empty() && dangling.leftovers().is_empty());
}

#[test]
fn nothing_is_written_without_randomness_or_a_directory() {
    let place = Place::empty();
    let refused = Keyring::generate(&place.keyring(), &Script::new([]), now());
    assert!(matches!(refused, Err(GenerateError::Generator(_))));
    assert!(!place.keyring().exists());
    let nowhere = place.keyring().join("vault.keyring");
    let refused = Keyring::generate(&nowhere, &SystemEntropy::new(), now());
    assert!(matches!(refused, Err(GenerateError::Io { .. })));
}

#[test]
fn a_file_others_may_use_is_refused_with_the_remedy() {
    let place = Place::with_keyring();
    for mode in [0o640, 0o620, 0o604, 0o602, 0o644, 0o666, 0o610] {
        std::fs::set_permissions(place.keyring(), Permissions::from_mode(mode)).unwrap();
        let refused = Keyring::load(&place.keyring()).unwrap_err();
        assert!(matches!(refused, LoadError::Exposed { mode: found, .. } if found == mode), "{mode:o}");
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
        let refused = Keyring::add_key(&place.keyring(), &SystemEntropy::new(), now());
        assert!(matches!(refused, Err(ChangeError::Load(LoadError::Exposed { .. }))), "{mode:o}");
    }
    for mode in [0o600, 0o400] {
        std::fs::set_permissions(place.keyring(), Permissions::from_mode(mode)).unwrap();
        assert!(Keyring::load(&place.keyring()).is_ok(), "{mode:o}");
    }
}

#[test]
fn a_rewritten_file_is_private() {
    let place = Place::with_keyring();
    Keyring::add_key(&place.keyring(), &SystemEntropy::new(), now().after(Duration::from_secs(1))).unwrap();
    let mode = std::fs::metadata(place.keyring()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn what_is_not_there_or_no_file_is_said_to_be() {
    let place = Place::empty();
    assert!(matches!(Keyring::load(&place.keyring()), Err(LoadError::Missing { .. })));
    let refused = Keyring::promote(&place.keyring(), KekId::from_bytes([0; 16]));
    assert!(matches!(refused, Err(ChangeError::Load(LoadError::Missing { .. }))));
    std::fs::create_dir(place.keyring()).unwrap();
    assert!(matches!(Keyring::load(&place.keyring()), Err(LoadError::NotAFile { .. })));
}

#[test]
fn comments_empty_lines_and_line_ends_do_not_matter() {
    let content = keyring(&["", "# a comment", DIGEST, "  ", &key(ID, "active", SECRET)]).replace('\n', "\r\n");
    let status = load(content).unwrap().status();
    assert_eq!((status.len(), status[0].id.to_string()), (1, ID.to_owned()));
}

#[test]
fn what_is_no_keyring_is_refused() {
    refuses("", KeyringFault::Empty);
    refuses(" \n\n", KeyringFault::Empty);
    refuses([0xFF, 0xFE, 0], KeyringFault::NotText);
    refuses("undefined", KeyringFault::Header);
    refuses("null\n", KeyringFault::Header);
    refuses("nora-keyring 2\n", KeyringFault::Header);
    refuses(SECRET, KeyringFault::Header);
    refuses("#".repeat(64 * 1024 + 1), KeyringFault::TooLarge);
}

#[test]
fn a_keyring_needs_one_digest_key_and_one_active_key() {
    let active = key(ID, "active", SECRET);
    refuses(keyring(&[]), KeyringFault::NoDigestKey);
    refuses(keyring(&[&active]), KeyringFault::NoDigestKey);
    refuses(keyring(&[DIGEST]), KeyringFault::NoActiveKey);
    refuses(keyring(&[DIGEST, &key(ID, "decrypt_only", SECRET)]), KeyringFault::NoActiveKey);
    refuses(keyring(&[DIGEST, &key(ID, "retired", SECRET)]), KeyringFault::NoActiveKey);
    refuses(keyring(&[DIGEST, DIGEST, &active]), KeyringFault::SeveralDigestKeys);
    refuses(keyring(&[DIGEST, &active, &key(OTHER_ID, "active", OTHER_SECRET)]), KeyringFault::SeveralActiveKeys);
}

#[test]
fn no_id_and_no_secret_comes_twice() {
    let active = key(ID, "active", SECRET);
    for state in ["decrypt_only", "retired"] {
        let repeated = KeyringFault::RepeatedId(ID.parse().unwrap());
        refuses(keyring(&[DIGEST, &active, &key(ID, state, OTHER_SECRET)]), repeated);
        refuses(keyring(&[DIGEST, &active, &key(OTHER_ID, state, SECRET)]), KeyringFault::RepeatedSecret);
    }
    let digest = format!("digest 2026-11-23T09:30:00Z {SECRET}");
    refuses(keyring(&[&digest, &active]), KeyringFault::RepeatedSecret);
}

#[test]
fn a_line_is_exactly_its_words() {
    refuses_line("lock", LineFault::Kind);
    refuses_line(&format!("key {ID} active"), LineFault::Words);
    refuses_line(&format!("{} # prod", key(ID, "active", SECRET)), LineFault::Words);
    refuses_line("digest", LineFault::Words);
    refuses_line(&key("1", "active", SECRET), LineFault::Id);
    refuses_line(&key(&ID.to_ascii_uppercase(), "active", SECRET), LineFault::Id);
    refuses_line(&key(ID, "Active", SECRET), LineFault::State);
    refuses_line(&key(ID, "active", SECRET).replace("2026-11-23T09:30:00Z", "yesterday"), LineFault::Time);
}

#[test]
fn a_secret_is_32_random_bytes() {
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    for refused in ["undefined", "null", "", "****", &"a".repeat(64), &SECRET[..43], &SECRET.replace('+', "-")] {
        let fault = if refused.is_empty() { LineFault::Words } else { LineFault::Secret };
        refuses_line(&key(ID, "active", refused), fault);
    }
    for length in [16, 31, 33, 64] {
        let long: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(37) ^ 0x5C).collect();
        refuses_line(&key(ID, "active", &encode(&long)), LineFault::Secret);
    }
    let counted: Vec<u8> = (0..32).collect();
    let text = b"0123456789abcdef0123456789abcdef";
    for made_up in [&[0; 32], &[0x61; 32], counted.as_slice(), text, b"please-change-this-key-right-now"] {
        refuses_line(&key(ID, "active", &encode(made_up)), LineFault::MadeUp);
    }
}
