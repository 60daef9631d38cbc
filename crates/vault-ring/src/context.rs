//! What an envelope is bound to.

use nora_kernel::{AgentId, SealContext, Workspace};

use crate::envelope::{KeyId, VERSION};

const PRODUCT: &[u8] = b"nora";

/// Additional data of a credential.
pub(crate) fn of_secret(context: &SealContext, data_key: &KeyId) -> Vec<u8> {
    let SealContext { table, column, workspace, agent, row, version } = context;
    join(&[
        PRODUCT,
        &[VERSION],
        table.as_bytes(),
        column.as_bytes(),
        workspace.as_str().as_bytes(),
        agent.as_uuid().as_bytes(),
        row.as_bytes(),
        &version.to_be_bytes(),
        data_key,
    ])
}

/// Additional data of an agent's wrapped data key.
pub(crate) fn of_data_key(workspace: &Workspace, agent: AgentId, kek: &KeyId) -> Vec<u8> {
    join(&[PRODUCT, &[VERSION], b"dek", workspace.as_str().as_bytes(), agent.as_uuid().as_bytes(), kek])
}

/// Additional data of the check value.
pub(crate) fn of_check(kek: &KeyId) -> Vec<u8> {
    join(&[PRODUCT, &[VERSION], b"check", kek])
}

/// Puts each part's length before it, so that ("ab", "c") and ("a", "bc") differ.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        // Not `usize::to_be_bytes`, whose width depends on the machine.
        joined.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;

    fn context() -> SealContext {
        SealContext {
            table: "integrations",
            column: "secrets",
            workspace: "acme".parse().unwrap(),
            agent: AgentId::from_uuid(Uuid::from_u128(1)),
            row: Uuid::from_u128(2),
            version: 3,
        }
    }

    #[test]
    fn every_component_is_part_of_the_data() {
        let variants = [
            of_secret(&context(), &[7; 16]),
            of_secret(&SealContext { table: "channels", ..context() }, &[7; 16]),
            of_secret(&SealContext { column: "config", ..context() }, &[7; 16]),
            of_secret(&SealContext { workspace: "umbrella".parse().unwrap(), ..context() }, &[7; 16]),
            of_secret(&SealContext { agent: AgentId::from_uuid(Uuid::from_u128(9)), ..context() }, &[7; 16]),
            of_secret(&SealContext { row: Uuid::from_u128(9), ..context() }, &[7; 16]),
            of_secret(&SealContext { version: 2, ..context() }, &[7; 16]),
            of_secret(&context(), &[8; 16]),
            of_data_key(&context().workspace, context().agent, &[7; 16]),
            of_data_key(&context().workspace, context().agent, &[8; 16]),
            of_check(&[7; 16]),
        ];
        assert_eq!(variants.iter().collect::<HashSet<_>>().len(), variants.len());
    }

    #[test]
    fn a_byte_cannot_move_from_one_part_to_the_next() {
        let moved = of_secret(&SealContext { table: "integrationss", column: "ecrets", ..context() }, &[7; 16]);
        assert_ne!(moved, of_secret(&context(), &[7; 16]));
    }
}
