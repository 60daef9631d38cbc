//! The proof that this service holds a device key: an Ed25519 signature over the connection's terms.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_agents::DeviceIdentity;
use nora_kernel::Secret;
use serde::Serialize;

use super::handshake::{CLIENT_ID, CLIENT_MODE, PLATFORM, ROLE, SCOPE};
use crate::device_key::{identity, key_pair};

/// `device` of the parameters of `connect`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceProof {
    id: String,
    public_key: String,
    signature: String,
    signed_at: i64,
    nonce: String,
}

/// Signs the terms of one connection, in the third version of their form, with a key's seed in hexadecimal.
///
/// `None` if the seed is none. The shared secret is sent as a password, which is no part of the terms: their place for
/// a token stays empty, and so does that for a family of devices.
pub(super) fn prove(seed: &Secret, nonce: &str, signed_at: i64) -> Option<DeviceProof> {
    let pair = key_pair(seed)?;
    let DeviceIdentity { device_id: id, public_key } = identity(&pair);
    let terms = format!("v3|{id}|{CLIENT_ID}|{CLIENT_MODE}|{ROLE}|{SCOPE}|{signed_at}||{nonce}|{PLATFORM}|");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(terms.as_bytes()));
    Some(DeviceProof { id, public_key, signature, signed_at, nonce: nonce.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_recorded_one() {
        let seed = Secret::new("67226bb1794c757c738b8823346f9e5ad00926bb5d7a5730d97bcb573bfac268".to_owned());
        let proof = prove(&seed, "00000000-0000-4000-8000-000000000001", 1_700_000_000_000).unwrap();
        assert_eq!(proof.id, "2ffbc08d9afc4d19f5981b70d41d899763d1b01d635473bed7285918e06efb86");
        assert_eq!(proof.public_key, "qRQye57kfduAA-0WCY7NRXgdRkOomLdwjYY9x-ie2QM");
        assert_eq!(
            proof.signature,
            "PCA3iaTMnHSqhKBIeoF5loSPJcQOp5soXintabQKSsKIPYDtRzbW_RWDNM9q9tLILyd5YggFwXGwPBk6r_CGBA"
        );
    }

    #[test]
    fn what_is_no_seed_signs_nothing() {
        for seed in ["", "abc", &"g".repeat(64), &"a".repeat(66)] {
            assert!(prove(&Secret::new((*seed).to_owned()), "nonce", 1).is_none(), "{seed}");
        }
    }
}
