//! Acme Vault: its session says when the token ends, which a manifest cannot compare with the time.

use async_trait::async_trait;
use nora_provider_sdk::{
    Connection, Context, Manifest, ManifestError, Outcome, Provider, Rejection, Request, Response, Unreachable,
};
use serde_json::Value;
use url::Url;

/// Acme Vault.
#[derive(Debug)]
pub struct AcmeVault {
    manifest: Manifest,
    session: Url,
}

impl AcmeVault {
    /// The provider.
    pub fn new() -> Result<Self, ManifestError> {
        let manifest = Manifest::parse("acme-vault.toml", include_str!("../manifests/acme-vault.toml"))?;
        let session = Url::parse("https://vault.acme.example/v2/session").expect("a URL of our own");
        Ok(Self { manifest, session })
    }
}

#[async_trait]
impl Provider for AcmeVault {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        let Some(token) = connection.secret("token") else { return Outcome::rejected(Rejection::Auth) };
        let request = Request::get(self.session.clone())
            .header("Accept", "application/json")
            .header("Authorization", format!("Bearer {}", token.expose()));
        match context.http().send(request).await {
            Ok(answer) if answer.status == 200 => judge(&answer, connection),
            Ok(answer) => Outcome::by_status(&answer, context.clock().now()),
            Err(error) => Outcome::unreachable(error.into()),
        }
    }
}

fn judge(answer: &Response, connection: &Connection<'_>) -> Outcome {
    let Ok(session) = serde_json::from_slice::<Value>(&answer.body) else {
        return Outcome::unreachable(Unreachable::UpstreamError);
    };
    match session.pointer("/session/expires_in").and_then(Value::as_u64) {
        Some(0) => Outcome::rejected(Rejection::Auth).advise("The token has expired: make a new one in Acme Vault."),
        Some(_) => {
            let owner = session.pointer("/session/owner").and_then(Value::as_str);
            // A service could send our token back as a name: the connection lets none of its secrets through.
            Outcome::verified(owner.and_then(|owner| connection.account(owner)))
        }
        None => Outcome::unreachable(Unreachable::UpstreamError),
    }
}
