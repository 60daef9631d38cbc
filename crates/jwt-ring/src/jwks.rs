//! Keys that verify, and sets of them.

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::Value;

const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
const COORDINATE_LENGTH: usize = 32;
/// Marks a point of which both coordinates follow (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// A key and the one algorithm it verifies.
pub(crate) struct VerificationKey {
    pub(crate) key: DecodingKey,
    pub(crate) rules: Validation,
    id: Option<String>,
    algorithm: Algorithm,
}

impl VerificationKey {
    pub(crate) fn new(id: Option<String>, algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { key, rules: signature_only(algorithm), id, algorithm }
    }
}

/// Claims are checked in one place, against the kernel's clock: here only the algorithm is.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims = HashSet::new();
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules
}

/// The keys of a set that verify signatures this crate knows.
pub(crate) struct KeySet(Vec<Arc<VerificationKey>>);

/// Which key of a set a token is to be verified with.
pub(crate) enum Selection {
    Key(Arc<VerificationKey>),
    /// A newer set may have it.
    Unknown,
    /// No set will have it: the header contradicts the key, or does not say which one of several it is.
    None,
}

impl KeySet {
    /// Reads a key set (RFC 7517). Keys of no use here are left out, so that one odd key does not lock everybody out.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let Document { keys } = serde_json::from_slice(document)?;
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(Self(keys.filter_map(Jwk::into_key).map(Arc::new).collect()))
    }

    pub(crate) fn select(&self, header: &Header) -> Selection {
        let named = match (&header.kid, self.0.as_slice()) {
            (None, [only]) => vec![only],
            (None, [_, _, ..]) => return Selection::None,
            (kid, keys) => keys.iter().filter(|key| key.id == *kid).collect(),
        };
        if named.is_empty() {
            return Selection::Unknown;
        }
        // Two keys of different types may share an id.
        let fitting = named.into_iter().find(|key| key.algorithm == header.alg);
        fitting.map_or(Selection::None, |key| Selection::Key(Arc::clone(key)))
    }
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn into_key(self) -> Option<VerificationKey> {
        let verifies = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        if !verifies {
            return None;
        }
        let (algorithm, name, key) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => (Algorithm::RS256, "RS256", self.rsa()?),
            ("EC", Some("P-256")) => (Algorithm::ES256, "ES256", self.p256()?),
            ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, "EdDSA", self.ed25519()?),
            _ => return None,
        };
        let fits = self.alg.as_deref().is_none_or(|wanted| wanted == name);
        fits.then(|| VerificationKey::new(self.kid, algorithm, key))
    }

    fn rsa(&self) -> Option<DecodingKey> {
        let modulus = number(self.n.as_deref()?)?;
        let exponent = number(self.e.as_deref()?)?;
        let unused = modulus.first()?.leading_zeros();
        let bits = modulus.len().checked_mul(8)?.checked_sub(usize::try_from(unused).ok()?)?;
        RSA_BITS.contains(&bits).then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
    }

    fn p256(&self) -> Option<DecodingKey> {
        let (x, y) = (coordinate(self.x.as_deref()?)?, coordinate(self.y.as_deref()?)?);
        Some(DecodingKey::from_ec_der(&[&[UNCOMPRESSED], x.as_slice(), &y].concat()))
    }

    fn ed25519(&self) -> Option<DecodingKey> {
        coordinate(self.x.as_deref()?).map(|x| DecodingKey::from_ed_der(&x))
    }
}

/// A number without the leading zeros that some issuers write and ring refuses.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn coordinate(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == COORDINATE_LENGTH)
}
