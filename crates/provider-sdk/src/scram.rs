//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side, without channel binding.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_kernel::Secret;

use crate::signature::{NoRandomness, hmac_sha256, pbkdf2_hmac_sha256, random_bytes, sha256};

/// No fewer rounds are done, lest a server that is none gets a password that is easily guessed.
const FEWEST_ITERATIONS: u32 = 4096;

/// No more either, lest a server keeps us busy: MongoDB does 15 000 unless told otherwise.
const MOST_ITERATIONS: u32 = 250_000;

/// That there is no channel binding: `n,,` in Base64.
const NO_BINDING: &str = "c=biws";

/// The mechanism's name in SASL.
///
/// ```
/// assert_eq!(nora_provider_sdk::scram::MECHANISM, "SCRAM-SHA-256");
/// ```
pub const MECHANISM: &str = "SCRAM-SHA-256";

/// A password that `SASLprep` does not allow.
///
/// ```
/// use nora_provider_sdk::Secret;
/// use nora_provider_sdk::scram::{BadPassword, prepare};
///
/// assert_eq!(prepare(&Secret::new("bell\u{7}".to_owned())).err(), Some(BadPassword));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password with characters that SASLprep does not allow")]
pub struct BadPassword;

/// A login that has begun.
///
/// ```
/// use nora_provider_sdk::Secret;
/// use nora_provider_sdk::scram::{Scram, nonce, prepare};
///
/// let password = prepare(&Secret::new("pencil".to_owned()))?;
/// let scram = Scram::new("app", password, nonce()?);
/// assert!(scram.first().starts_with("n,,n=app,r="));
/// assert!(scram.prove(b"r=somebody else's,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Scram {
    bare: String,
    nonce: String,
    password: Secret,
}

/// What ends a login.
///
/// ```
/// use nora_provider_sdk::scram::Proof;
///
/// /// Whether the server was the one it is taken for.
/// fn knows_the_password(proof: &Proof, last_word: &[u8]) -> bool {
///     proof.is_answered_by(last_word)
/// }
/// ```
pub struct Proof {
    /// What the client says last.
    pub message: String,
    server_signature: [u8; 32],
}

/// A nonce for one login.
///
/// ```
/// assert_ne!(nora_provider_sdk::scram::nonce()?, nora_provider_sdk::scram::nonce()?);
/// # Ok::<(), nora_provider_sdk::signature::NoRandomness>(())
/// ```
///
/// # Errors
///
/// The system has no randomness to give.
pub fn nonce() -> Result<String, NoRandomness> {
    random_bytes::<24>().map(|bytes| STANDARD.encode(bytes))
}

/// The password as keys are made of it (`SASLprep`, RFC 4013).
///
/// ```
/// use nora_provider_sdk::Secret;
///
/// let prepared = nora_provider_sdk::scram::prepare(&Secret::new("I\u{ad}X".to_owned()))?;
/// assert_eq!(prepared.expose(), "IX");
/// # Ok::<(), nora_provider_sdk::scram::BadPassword>(())
/// ```
///
/// # Errors
///
/// [`BadPassword`] if it holds what no prepared password may.
pub fn prepare(password: &Secret) -> Result<Secret, BadPassword> {
    stringprep::saslprep(password.expose()).map(|text| Secret::new(text.into_owned())).map_err(|_| BadPassword)
}

impl std::fmt::Debug for Scram {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scram").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Proof").finish_non_exhaustive()
    }
}

impl Scram {
    /// A login with a password that was [prepared](prepare), and a [`nonce`]. The name of a user is taken as it is:
    /// servers differ in whether they prepare names too.
    pub fn new(user: &str, password: Secret, nonce: String) -> Self {
        let escaped = user.replace('=', "=3D").replace(',', "=2C");
        Self { bare: format!("n={escaped},r={nonce}"), nonce, password }
    }

    /// What the client says first.
    pub fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The proof for the server's challenge. `None` if it is none for this login.
    pub fn prove(&self, challenge: &[u8]) -> Option<Proof> {
        let challenge = std::str::from_utf8(challenge).ok()?;
        let mut parts = challenge.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let salt = STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let iterations = parts.next()?.strip_prefix("i=")?.parse::<NonZeroU32>().ok()?;
        let is_ours = nonce.strip_prefix(self.nonce.as_str()).is_some_and(|added| !added.is_empty());
        let is_sane = (FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations.get());
        if !is_ours || !is_sane || salt.is_empty() {
            return None;
        }
        let salted = pbkdf2_hmac_sha256(self.password.expose().as_bytes(), &salt, iterations);
        let without_proof = format!("{NO_BINDING},r={nonce}");
        let signed = format!("{},{challenge},{without_proof}", self.bare);
        let client_key = hmac_sha256(&salted, b"Client Key");
        let signature = hmac_sha256(&sha256(&client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, byte)| key ^ byte).collect();
        let server_signature = hmac_sha256(&hmac_sha256(&salted, b"Server Key"), signed.as_bytes());
        Some(Proof { message: format!("{without_proof},p={}", STANDARD.encode(proof)), server_signature })
    }
}

impl Proof {
    /// Whether the server knows the password too. It does if its last word is this one.
    pub fn is_answered_by(&self, last: &[u8]) -> bool {
        let expected = format!("v={}", STANDARD.encode(self.server_signature));
        last == expected.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn scram(user: &str) -> Scram {
        Scram::new(user, Secret::new("pencil".to_owned()), NONCE.to_owned())
    }

    /// RFC 7677, section 3.
    #[test]
    fn the_exchange_of_rfc_7677() {
        let scram = scram("user");
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let proof = scram.prove(CHALLENGE.as_bytes()).unwrap();
        assert_eq!(
            proof.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(proof.is_answered_by(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        for wrong in ["", "v=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "e=invalid-proof"] {
            assert!(!proof.is_answered_by(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn a_challenge_that_is_not_for_this_login_is_not_answered() {
        let scram = scram("user");
        for (from, to) in [
            ("r=rOpr", "r=xOpr"),
            ("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""),
            ("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
            ("W22ZaJ0SNY7soEsUEjb6gQ==", "*"),
            ("i=4096", "i=4095"),
            ("i=4096", "i=250001"),
            ("i=4096", "i=4294967296"),
            (",i=4096", ""),
            ("r=", "m=x,r="),
        ] {
            assert!(scram.prove(CHALLENGE.replace(from, to).as_bytes()).is_none(), "{to}");
        }
        assert!(scram.prove(b"\xff").is_none());
    }

    #[test]
    fn names_are_escaped_and_passwords_prepared() {
        assert_eq!(scram("a=b,c").first(), "n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO");
        assert_eq!(scram("\u{2168}").first(), "n,,n=\u{2168},r=rOprNGfwEbeRWgbNEkqO");
        let prepared = |text: &str| prepare(&Secret::new(text.to_owned())).map(|text| text.expose().to_owned());
        assert_eq!(prepared("I\u{ad}X"), Ok("IX".to_owned()));
        assert_eq!(prepared("\u{2168}"), Ok("IX".to_owned()));
        assert_eq!(prepared("\u{7}"), Err(BadPassword));
    }
}
