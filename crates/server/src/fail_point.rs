//! Named points at which a test can make the process die.
//!
//! Compiled in only with the feature `fail-points`; a release has none.

use std::sync::Arc;

use nora_integrations::ports::RuntimeClient;

#[cfg(feature = "fail-points")]
mod armed {
    use std::sync::Arc;

    use async_trait::async_trait;
    use nora_integrations::ports::{
        Applied, Health, Ledger, OwnedVariable, Push, PushError, RuntimeAddress, RuntimeClient,
    };

    /// Aborts the process if `NORA_FAIL_POINT` names this point: as if the machine had lost power here.
    fn reached(name: &str) {
        #[expect(clippy::disallowed_methods, reason = "a test's switch, absent from every release")]
        let wanted = std::env::var("NORA_FAIL_POINT");
        if wanted.is_ok_and(|wanted| wanted == name) {
            tracing::error!(name, "fail point reached");
            std::process::abort();
        }
    }

    /// A client that dies before a push, or after one was confirmed and before that is recorded.
    pub(super) struct Armed(pub(super) Arc<dyn RuntimeClient>);

    #[async_trait]
    impl RuntimeClient for Armed {
        async fn apply(
            &self,
            address: &RuntimeAddress,
            push: &Push,
            ledger: &dyn Ledger,
        ) -> Result<Applied, PushError> {
            reached("before-push");
            let applied = self.0.apply(address, push, ledger).await;
            reached("after-push");
            applied
        }

        async fn health(&self, address: &RuntimeAddress, owned: &[OwnedVariable]) -> Result<Option<Health>, PushError> {
            self.0.health(address, owned).await
        }
    }
}

/// The client with fail points around its pushes.
#[cfg(feature = "fail-points")]
pub(crate) fn around(client: Arc<dyn RuntimeClient>) -> Arc<dyn RuntimeClient> {
    Arc::new(armed::Armed(client))
}

/// The client itself: there are no fail points in a release.
#[cfg(not(feature = "fail-points"))]
pub(crate) fn around(client: Arc<dyn RuntimeClient>) -> Arc<dyn RuntimeClient> {
    client
}
