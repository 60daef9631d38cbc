//! JWTs: what the verifier says is believed, but `admin` is not.

use std::sync::Arc;

use async_trait::async_trait;
use mockall::predicate::eq;
use nora_access::AuthenticationError;
use nora_access::ports::{TokenClaims, TokenError, TokenVerifier};
use nora_kernel::Scope;
use nora_kernel::audit::Actor;
use nora_testkit::samples::named;

use crate::support::{Access, key_text, scopes_of};

mockall::mock! {
    Verifier {}

    #[async_trait]
    impl TokenVerifier for Verifier {
        async fn verify(&self, token: &str) -> Result<TokenClaims, TokenError>;
    }
}

fn access(answer: fn() -> Result<TokenClaims, TokenError>) -> Access {
    let mut verifier = MockVerifier::new();
    verifier.expect_verify().with(eq("ey.J.wt")).returning(move |_| answer());
    Access::with(Some(Arc::new(verifier)))
}

#[tokio::test]
async fn claims_become_a_principal_without_admin() {
    let access = access(|| {
        let scopes = scopes_of(&[Scope::Admin, Scope::AgentsRead]);
        Ok(TokenClaims { subject: "robin".to_owned(), workspace: named("beta"), scopes })
    });
    let principal = access.authenticator.authenticate("ey.J.wt").await.unwrap();
    assert_eq!(principal.actor, Actor::Jwt("robin".to_owned()));
    assert_eq!((principal.workspace.as_str(), principal.scopes), ("beta", scopes_of(&[Scope::AgentsRead])));
    assert_eq!(access.store.lookups(), 0);
}

#[tokio::test]
async fn a_refused_token_is_invalid() {
    let access = access(|| Err(TokenError::Invalid));
    let refused = access.authenticator.authenticate("ey.J.wt").await;
    assert!(matches!(refused, Err(AuthenticationError::Invalid)), "{refused:?}");
}

#[tokio::test]
async fn a_token_that_cannot_be_verified_now_is_not_invalid() {
    let access = access(|| Err(TokenError::Unavailable("no keys".into())));
    let refused = access.authenticator.authenticate("ey.J.wt").await;
    let Err(AuthenticationError::Unavailable(source)) = refused else { panic!("{refused:?}") };
    assert!(source.is_retryable());
}

#[tokio::test]
async fn without_a_verifier_every_token_is_invalid() {
    let access = Access::new();
    for token in ["ey.J.wt", "", "nora_", "nora_short_secret"] {
        let refused = access.authenticator.authenticate(token).await;
        assert!(matches!(refused, Err(AuthenticationError::Invalid)), "{token}: {refused:?}");
    }
    assert_eq!(access.store.lookups(), 0);
}

#[tokio::test]
async fn a_key_is_never_shown_to_the_verifier() {
    let mut verifier = MockVerifier::new();
    verifier.expect_verify().never();
    let access = Access::with(Some(Arc::new(verifier)));
    let unknown = access.authenticator.authenticate(key_text(1, 1).reveal().expose()).await;
    assert!(matches!(unknown, Err(AuthenticationError::Invalid)), "{unknown:?}");
    access.hold(&key_text(2, 2), |_| ());
    access.authenticator.authenticate(key_text(2, 2).reveal().expose()).await.unwrap();
}
