//! JWTs, where they are switched on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nora_access::ports::TokenVerifier;
use nora_jwt_ring::{Expected, JwksSource, RingTokenVerifier};
use nora_kernel::{BoxError, Clock};
use nora_net_guard::{Guard, GuardedClient, Limits};
use url::Url;

use crate::StartError;
use crate::settings::{JwtKey, JwtSettings, Settings};

/// What fetching a key set may take.
const LIMITS: Limits = Limits { time: Duration::from_secs(5), body: 256 * 1024 };

/// The verifier the settings ask for.
pub(crate) fn verifier(
    settings: &Settings,
    guard: Guard,
    clock: Arc<dyn Clock>,
) -> Result<Option<Arc<dyn TokenVerifier>>, StartError> {
    let Some(JwtSettings { key, issuer, audience }) = &settings.jwt else { return Ok(None) };
    let expected = Expected { issuer: issuer.clone(), audience: audience.clone() };
    let (name, verifier) = match key {
        JwtKey::Secret(secret) => ("NORA_JWT_SECRET", RingTokenVerifier::with_secret(secret, expected, clock)),
        JwtKey::Jwks(url) => {
            let client = GuardedClient::new(guard)
                .map_err(|error| StartError::because("no HTTP client could be made", error))?;
            let keys = Arc::new(FetchedKeys { client, url: url.clone() });
            ("NORA_JWT_JWKS_URL", RingTokenVerifier::with_key_set(keys, expected, clock))
        }
    };
    let refused = |error| StartError::because(format!("{name} is refused"), error);
    Ok(Some(Arc::new(verifier.map_err(refused)?)))
}

/// The issuer's key set, fetched through the guard for third parties.
struct FetchedKeys {
    client: GuardedClient,
    url: Url,
}

#[async_trait]
impl JwksSource for FetchedKeys {
    async fn fetch(&self) -> Result<Vec<u8>, BoxError> {
        let request = http::Request::get(self.url.as_str()).header("accept", "application/json").body(String::new())?;
        let answer = self.client.send(request.try_into()?, LIMITS).await?;
        if answer.status.is_success() {
            Ok(answer.body.to_vec())
        } else {
            Err(format!("the key set's server answered {}", answer.status.as_u16()).into())
        }
    }
}
