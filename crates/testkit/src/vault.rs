//! A vault that seals by writing down, in the clear, where a value belongs.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use nora_kernel::{AgentId, OpenError, SealContext, SealError, Sealed, Vault, Workspace, WrappedKey};
use zeroize::Zeroizing;

/// Keeps the promises of a [`Vault`] but the one that matters: everything it seals can be read by anybody.
#[derive(Debug, Default)]
pub struct PlainVault {
    made: AtomicU64,
}

impl PlainVault {
    /// A vault.
    pub fn new() -> Self {
        Self::default()
    }

    fn number(&self) -> u64 {
        self.made.fetch_add(1, Ordering::SeqCst)
    }
}

#[async_trait]
impl Vault for PlainVault {
    async fn new_agent_key(&self, workspace: &Workspace, agent: AgentId) -> Result<WrappedKey, SealError> {
        Ok(WrappedKey(format!("PLAIN KEY {}\n{}", self.number(), owner(workspace, agent)).into_bytes()))
    }

    async fn seal(&self, key: &WrappedKey, context: &SealContext, plaintext: &[u8]) -> Result<Sealed, SealError> {
        if !belongs(key, context) {
            return Err(SealError::Key);
        }
        let mut sealed = self.number().to_be_bytes().to_vec();
        sealed.extend_from_slice(&tag(key, context));
        sealed.extend_from_slice(plaintext);
        Ok(Sealed(sealed))
    }

    async fn open(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let tagged = sealed.0.split_first_chunk::<8>().map(|(_, tagged)| tagged).ok_or(OpenError::Unreadable)?;
        let plaintext = tagged.strip_prefix(tag(key, context).as_slice()).ok_or(OpenError::Unreadable)?;
        Ok(Zeroizing::new(plaintext.to_vec()))
    }
}

fn owner(workspace: &Workspace, agent: AgentId) -> String {
    format!("{workspace}/{agent}")
}

fn belongs(key: &WrappedKey, context: &SealContext) -> bool {
    key.0.ends_with(owner(&context.workspace, context.agent).as_bytes())
}

fn tag(key: &WrappedKey, context: &SealContext) -> Vec<u8> {
    let mut tag = format!("{context:?}\n").into_bytes();
    tag.extend_from_slice(&key.0);
    tag.push(b'\n');
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Samples;

    #[tokio::test]
    async fn a_value_opens_in_its_own_context_only() {
        let vault = PlainVault::new();
        let agent = Samples::new().agent();
        let key = vault.new_agent_key(&agent.agent.workspace, agent.agent.id).await.unwrap();
        let context = agent.target.context();
        let (one, two) =
            (vault.seal(&key, &context, b"x").await.unwrap(), vault.seal(&key, &context, b"x").await.unwrap());
        assert_ne!(one, two);
        assert_eq!(vault.open(&key, &context, &one).await.unwrap().as_slice(), b"x");

        let newer = SealContext { version: 2, ..context.clone() };
        assert!(matches!(vault.open(&key, &newer, &one).await, Err(OpenError::Unreadable)));
        let other = vault.new_agent_key(&agent.agent.workspace, agent.agent.id).await.unwrap();
        assert!(matches!(vault.open(&other, &context, &one).await, Err(OpenError::Unreadable)));
    }
}
