//! What is sealed opens in its context, whole and unchanged, or not at all.

use std::sync::Arc;

use nora_kernel::{AgentId, OpenError, SealContext, SealError, Sealed, Vault as _, WrappedKey};
use nora_vault_ring::{Keyring, RingVault};
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::{PLAINTEXT, Place, Script, Sealing, agent, context, open, workspace};

const HEADER_LENGTH: usize = 1 + 1 + 16 + 32 + 32;
const TAG_LENGTH: usize = 16;

#[tokio::test]
async fn what_was_sealed_opens_again() {
    let sealing = Sealing::new().await;
    assert_eq!(sealing.open().await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn every_length_survives() {
    let Sealing { vault, key, .. } = Sealing::new().await;
    for length in [0, 1, 15, 16, 17, 4096, 256 * 1024] {
        let plaintext = vec![0x5A; length];
        let sealed = vault.seal(&key, &context(), &plaintext).await.unwrap();
        assert_eq!(sealed.0.len(), HEADER_LENGTH + length + TAG_LENGTH);
        assert_eq!(open(&vault, &key, &context(), &sealed.0).await.unwrap(), plaintext);
    }
}

#[tokio::test]
async fn the_layout_is_the_documented_one() {
    let Sealing { vault, key, sealed } = Sealing::new().await;
    assert_eq!(sealed.0[..2], [1, 1]);
    assert_eq!(key.0[..2], [1, 1]);
    assert_eq!(key.0.len(), HEADER_LENGTH + 16 + 32 + TAG_LENGTH);
    let kek = RingVault::kek_id(&key).unwrap();
    assert_eq!(key.0[2..18], kek.to_bytes());
    assert_ne!(sealed.0[2..18], kek.to_bytes(), "a secret names the data key, not the keyring's");
    let again = vault.seal(&key, &context(), PLAINTEXT).await.unwrap();
    assert_eq!(sealed.0[2..18], again.0[2..18]);
}

#[tokio::test]
async fn sealing_twice_gives_two_results() {
    let Sealing { vault, key, sealed } = Sealing::new().await;
    let again = vault.seal(&key, &context(), PLAINTEXT).await.unwrap();
    for part in [18..50, 50..82, HEADER_LENGTH..sealed.0.len()] {
        assert_ne!(sealed.0[part.clone()], again.0[part.clone()], "{part:?}");
    }
    let other = vault.new_agent_key(&workspace(), agent()).await.unwrap();
    assert_ne!(key, other);
}

#[tokio::test]
async fn every_flipped_bit_is_refused() {
    let sealing = Sealing::new().await;
    for position in 0..sealing.sealed.0.len() * 8 {
        let mut changed = sealing.sealed.0.clone();
        changed[position / 8] ^= 1 << (position % 8);
        assert!(sealing.refuses(&changed).await, "bit {position} of the value");
    }
    for position in 0..sealing.key.0.len() * 8 {
        let mut changed = sealing.key.0.clone();
        changed[position / 8] ^= 1 << (position % 8);
        assert!(sealing.refuses_key(&changed).await, "bit {position} of the key");
    }
}

#[tokio::test]
async fn every_other_length_is_refused() {
    let sealing = Sealing::new().await;
    for length in 0..sealing.sealed.0.len() {
        assert!(sealing.refuses(&sealing.sealed.0[..length]).await, "{length} bytes of the value");
    }
    for length in 0..sealing.key.0.len() {
        assert!(sealing.refuses_key(&sealing.key.0[..length]).await, "{length} bytes of the key");
    }
    assert!(sealing.refuses(&[sealing.sealed.0.as_slice(), &[0]].concat()).await);
    assert!(sealing.refuses_key(&[sealing.key.0.as_slice(), &[0]].concat()).await);
}

#[tokio::test]
async fn what_was_never_sealed_is_no_value() {
    let sealing = Sealing::new().await;
    assert!(sealing.refuses(PLAINTEXT).await, "plaintext");
    assert!(sealing.refuses(&sealing.key.0).await, "a wrapped key in the place of a value");
    assert!(sealing.refuses_key(&sealing.sealed.0).await, "a value in the place of a wrapped key");
    for version in [0, 2, 255] {
        let mut changed = sealing.sealed.0.clone();
        changed[0] = version;
        assert!(sealing.refuses(&changed).await, "version {version}");
    }
}

#[tokio::test]
async fn every_part_of_the_context_is_bound() {
    let Sealing { vault, key, sealed } = Sealing::new().await;
    let stranger = AgentId::from_uuid(Uuid::from_u128(1));
    let moved = [
        SealContext { table: "channels", ..context() },
        SealContext { column: "config", ..context() },
        SealContext { table: "integrationss", column: "ecrets", ..context() },
        SealContext { workspace: "umbrella".parse().unwrap(), ..context() },
        SealContext { agent: stranger, ..context() },
        SealContext { row: Uuid::from_u128(1), ..context() },
        SealContext { version: 6, ..context() },
        SealContext { version: 8, ..context() },
    ];
    for elsewhere in moved {
        let opened = open(&vault, &key, &elsewhere, &sealed.0).await;
        assert!(matches!(opened, Err(OpenError::Unreadable)), "{elsewhere:?}");
    }
}

#[tokio::test]
async fn values_swapped_between_rows_do_not_open() {
    let Sealing { vault, key, sealed } = Sealing::new().await;
    let other = SealContext { row: Uuid::from_u128(1), ..context() };
    let others = vault.seal(&key, &other, b"another secret").await.unwrap();
    assert!(open(&vault, &key, &other, &sealed.0).await.is_err());
    assert!(open(&vault, &key, &context(), &others.0).await.is_err());
    assert_eq!(open(&vault, &key, &other, &others.0).await.unwrap(), b"another secret");
}

#[tokio::test]
async fn an_older_value_does_not_open_as_a_newer_one() {
    let Sealing { vault, key, sealed } = Sealing::new().await;
    let newer = SealContext { version: 8, ..context() };
    vault.seal(&key, &newer, b"rotated").await.unwrap();
    assert!(open(&vault, &key, &newer, &sealed.0).await.is_err());
}

#[tokio::test]
async fn another_data_key_of_the_same_agent_opens_nothing() {
    let Sealing { vault, sealed, .. } = Sealing::new().await;
    let other = vault.new_agent_key(&workspace(), agent()).await.unwrap();
    let opened = open(&vault, &other, &context(), &sealed.0).await;
    assert!(matches!(opened, Err(OpenError::Unreadable)));
}

#[tokio::test]
async fn a_key_belongs_to_one_agent_of_one_workspace() {
    let Sealing { vault, key, .. } = Sealing::new().await;
    let strangers = [
        SealContext { agent: AgentId::from_uuid(Uuid::from_u128(1)), ..context() },
        SealContext { workspace: "umbrella".parse().unwrap(), ..context() },
    ];
    for stranger in strangers {
        let sealed = vault.seal(&key, &stranger, PLAINTEXT).await;
        assert!(matches!(sealed, Err(SealError::Key)), "{stranger:?}");
    }
}

#[tokio::test]
async fn a_keyring_without_the_key_opens_and_seals_nothing() {
    let Sealing { key, sealed, .. } = Sealing::new().await;
    let stranger = Place::with_keyring().vault();
    assert!(matches!(open(&stranger, &key, &context(), &sealed.0).await, Err(OpenError::Unreadable)));
    assert!(matches!(stranger.seal(&key, &context(), PLAINTEXT).await, Err(SealError::Key)));
}

#[tokio::test]
async fn another_key_under_the_same_id_opens_nothing() {
    let place = Place::with_keyring();
    let vault = place.vault();
    let key = vault.new_agent_key(&workspace(), agent()).await.unwrap();
    let sealed = vault.seal(&key, &context(), PLAINTEXT).await.unwrap();

    let own = std::fs::read_to_string(place.keyring()).unwrap();
    let other_place = Place::with_keyring();
    let other = std::fs::read_to_string(other_place.keyring()).unwrap();
    let own_secret = own.split_ascii_whitespace().next_back().unwrap();
    let other_secret = other.split_ascii_whitespace().next_back().unwrap();
    std::fs::write(place.keyring(), own.replace(own_secret, other_secret)).unwrap();

    let swapped = place.vault();
    assert!(swapped.verify_check(&vault.seal_check().unwrap()).is_err());
    assert!(matches!(open(&swapped, &key, &context(), &sealed.0).await, Err(OpenError::Unreadable)));
}

#[tokio::test]
async fn a_failing_generator_seals_nothing() {
    let place = Place::with_keyring();
    let key = place.vault().new_agent_key(&workspace(), agent()).await.unwrap();
    let keyring = Arc::new(Keyring::load(&place.keyring()).unwrap());
    let vault = RingVault::new(keyring, Arc::new(Script::new([])));
    assert!(matches!(vault.new_agent_key(&workspace(), agent()).await, Err(SealError::Unavailable(_))));
    assert!(matches!(vault.seal(&key, &context(), PLAINTEXT).await, Err(SealError::Unavailable(_))));
    assert!(matches!(vault.seal_check(), Err(SealError::Unavailable(_))));
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn random_bytes_never_open(bytes in prop::collection::vec(any::<u8>(), 0..300), framed in any::<bool>()) {
        let bytes = if framed { [&[1, 1], bytes.as_slice()].concat() } else { bytes };
        block_on(async {
            let sealing = Sealing::new().await;
            prop_assert!(sealing.refuses(&bytes).await);
            prop_assert!(sealing.refuses_key(&bytes).await);
            prop_assert!(sealing.vault.verify_check(&bytes).is_err());
            let key = WrappedKey(bytes.clone());
            prop_assert!(matches!(sealing.vault.rewrap(&workspace(), agent(), &key), Err(SealError::Key)));
            Ok(())
        })?;
    }

    #[test]
    fn any_plaintext_survives(plaintext in prop::collection::vec(any::<u8>(), 0..2000), version in any::<u64>()) {
        block_on(async {
            let Sealing { vault, key, .. } = Sealing::new().await;
            let context = SealContext { version, ..context() };
            let Sealed(sealed) = vault.seal(&key, &context, &plaintext).await.unwrap();
            prop_assert_eq!(open(&vault, &key, &context, &sealed).await.unwrap(), plaintext);
            Ok(())
        })?;
    }
}
