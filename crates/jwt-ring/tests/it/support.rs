//! Tokens, keys, a clock that stands still and an issuer that counts.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_access::ports::{TokenClaims, TokenError, TokenVerifier as _};
use nora_jwt_ring::{Expected, JwksSource, RingTokenVerifier};
use nora_kernel::{BoxError, Clock, Scope, Scopes, Secret, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// 2026-11-23T09:30:00Z.
pub(crate) const NOW: i64 = 1_795_426_200;

fn fixture(group: &str, name: &str) -> Value {
    let fixtures: Value = serde_json::from_str(include_str!("fixtures/tokens.json")).unwrap();
    fixtures.get(group).and_then(|group| group.get(name)).unwrap_or_else(|| panic!("{group}/{name}")).clone()
}

/// A token of the fixtures.
pub(crate) fn token(name: &str) -> String {
    fixture("tokens", name).as_str().unwrap().to_owned()
}

/// A public key of the fixtures.
pub(crate) fn key(name: &str) -> Value {
    fixture("keys", name)
}

/// The same key with members changed; `null` takes one away.
pub(crate) fn key_with(name: &str, changes: &[(&str, Value)]) -> Value {
    let mut altered = key(name);
    let members = altered.as_object_mut().unwrap();
    for (name, value) in changes {
        members.remove(*name);
        if !value.is_null() {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    altered
}

/// The document of a key set.
pub(crate) fn set(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

/// The set of the usual keys.
pub(crate) fn usual_set() -> Vec<u8> {
    set(&[key("rsa"), key("ec"), key("ed")])
}

pub(crate) fn shared_secret() -> Secret {
    let fixtures: Value = serde_json::from_str(include_str!("fixtures/tokens.json")).unwrap();
    Secret::new(fixtures.get("secret").and_then(Value::as_str).unwrap().to_owned())
}

pub(crate) fn expected() -> Expected {
    Expected { issuer: "https://issuer.example".to_owned(), audience: "nora".to_owned() }
}

/// What every good token of the fixtures says.
pub(crate) fn usual_claims() -> TokenClaims {
    TokenClaims {
        subject: "ci@example.com".to_owned(),
        workspace: "acme".parse().unwrap(),
        scopes: Scopes::NONE.with(Scope::AgentsRead).with(Scope::IntegrationsWrite),
    }
}

pub(crate) struct FixedClock(AtomicI64);

impl FixedClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW * 1_000_000)))
    }

    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.0.store(self.now().after(duration).as_microseconds(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.load(Ordering::SeqCst))
    }
}

/// An issuer whose key set can be changed, broken and held back.
pub(crate) struct Issuer {
    document: Mutex<Option<Vec<u8>>>,
    fetches: AtomicUsize,
    held_back: Mutex<Option<Arc<Notify>>>,
}

impl Issuer {
    pub(crate) fn new(document: Vec<u8>) -> Arc<Self> {
        let document = Mutex::new(Some(document));
        Arc::new(Self { document, fetches: AtomicUsize::new(0), held_back: Mutex::new(None) })
    }

    pub(crate) fn publish(&self, document: Vec<u8>) {
        *self.document.lock().unwrap() = Some(document);
    }

    pub(crate) fn break_down(&self) {
        *self.document.lock().unwrap() = None;
    }

    /// Answers from now on only when the returned handle is notified, one fetch at a time.
    pub(crate) fn hold_back(&self) -> Arc<Notify> {
        let release = Arc::new(Notify::new());
        *self.held_back.lock().unwrap() = Some(Arc::clone(&release));
        release
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl JwksSource for Issuer {
    async fn fetch(&self) -> Result<Vec<u8>, BoxError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let held_back = self.held_back.lock().unwrap().clone();
        if let Some(release) = held_back {
            release.notified().await;
        }
        self.document.lock().unwrap().clone().ok_or_else(|| "connection refused".into())
    }
}

/// A verifier, its issuer and its clock.
pub(crate) struct Setup {
    pub(crate) verifier: Arc<RingTokenVerifier>,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) clock: Arc<FixedClock>,
}

impl Setup {
    pub(crate) fn new(document: Vec<u8>) -> Self {
        let (issuer, clock) = (Issuer::new(document), FixedClock::new());
        let source: Arc<dyn JwksSource> = issuer.clone();
        let verifier = RingTokenVerifier::with_key_set(source, expected(), clock.clone()).unwrap();
        Self { verifier: Arc::new(verifier), issuer, clock }
    }

    pub(crate) async fn verify(&self, name: &str) -> Result<TokenClaims, TokenError> {
        self.verifier.verify(&token(name)).await
    }

    #[track_caller]
    pub(crate) fn assert_fetches(&self, expected: usize) {
        assert_eq!(self.issuer.fetches(), expected, "fetches");
    }
}

pub(crate) fn is_invalid(outcome: &Result<TokenClaims, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Invalid))
}

pub(crate) fn is_unavailable(outcome: &Result<TokenClaims, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Unavailable(_)))
}

/// The claims of a good token, with members changed; `null` takes one away.
pub(crate) fn claims_with(changes: &[(&str, Value)]) -> Value {
    let mut claims = json!({
        "iss": "https://issuer.example",
        "aud": "nora",
        "sub": "ci@example.com",
        "exp": NOW + 60,
        "workspace": "acme",
        "scope": "agents:read integrations:write",
    });
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes {
        members.remove(*name);
        if !value.is_null() {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    claims
}

/// A token signed with the shared secret.
pub(crate) fn sign(header: &Value, claims: &str) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.as_bytes()));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, shared_secret().expose().as_bytes());
    format!("{message}.{}", encode(ring::hmac::sign(&key, message.as_bytes()).as_ref()))
}

/// What the verifier with the shared secret makes of a signed token with these claims.
pub(crate) async fn verify_claims(
    changes: &[(&str, Value)],
    clock: Arc<FixedClock>,
) -> Result<TokenClaims, TokenError> {
    let verifier = RingTokenVerifier::with_secret(&shared_secret(), expected(), clock).unwrap();
    verifier.verify(&sign(&json!({"alg": "HS256", "typ": "JWT"}), &claims_with(changes).to_string())).await
}
