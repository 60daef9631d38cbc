//! `nora vault`.

use std::sync::Arc;

use nora_agents::ports::KeyCustody;
use nora_kernel::{AgentId, Clock as _};
use nora_vault_ring::{KekId, KeyState, KeyStatus, Keyring, RingVault, SystemEntropy};

use crate::cli::commands::VaultCommand;
use crate::cli::print;
use crate::settings::{Database, Settings};
use crate::system::SystemClock;
use crate::{StartError, bootstrap, keyring, serve, wiring};

/// How many agents' keys are read and wrapped at once.
const BATCH: u16 = 500;

pub(crate) fn run(command: VaultCommand) -> Result<(), StartError> {
    match command {
        VaultCommand::Init(flags) => init(&Settings::parse(flags)?),
        VaultCommand::Status(flags) => serve::block_on(status(Settings::parse(flags)?)),
        VaultCommand::Rotate(flags) => serve::block_on(rotate(Settings::parse(flags)?)),
    }
}

fn init(settings: &Settings) -> Result<(), StartError> {
    let path = &settings.vault_keyring;
    if path.starts_with(&settings.data_dir) {
        bootstrap::ensure_data_dir(&settings.data_dir)?;
    }
    Keyring::generate(path, &SystemEntropy::new(), SystemClock.now())
        .map_err(|error| StartError::because("no keyring was made", error))?;
    print(&format!("made a new keyring: {}", path.display()));
    print("Without it stored credentials cannot be read. Keep a copy, apart from the database's.");
    Ok(())
}

async fn status(settings: Settings) -> Result<(), StartError> {
    let custody = wiring::open_stores(&settings).await?.custody;
    let keys = load(&settings)?.status();
    let uses = count_uses(&custody).await?;
    for key in &keys {
        let agents = uses.iter().filter(|id| **id == key.id).count();
        print(&format!(
            "{}  {:<12}  {}  wraps the keys of {agents} agents",
            key.id,
            key.state.as_str(),
            key.created_at
        ));
    }
    let lost = uses.iter().filter(|id| !keys.iter().any(|key| key.id == **id)).count();
    if lost > 0 {
        return Err(StartError::new(format!("{lost} agents' keys are wrapped with keys this keyring does not have")));
    }
    Ok(())
}

/// With the embedded store, where no server can be running, all of it at once. With Postgres in two runs: the first
/// adds a key; the second, when every server has been restarted and knows it, makes it the active one and goes on.
async fn rotate(settings: Settings) -> Result<(), StartError> {
    let custody = wiring::open_stores(&settings).await?.custody;
    let path = &settings.vault_keyring;
    let before = load(&settings)?;
    let waiting = waiting_key(&before.status());
    keyring::verify(&vault(before), &custody).await?;
    let added = if let Some(id) = waiting {
        id
    } else {
        let id = Keyring::add_key(path, &SystemEntropy::new(), SystemClock.now()).map_err(refused)?;
        print(&format!("added key {id}"));
        if matches!(settings.database, Database::Postgres(_)) {
            print("Copy the keyring to every server, restart each, then run this command again.");
            return Ok(());
        }
        id
    };
    Keyring::promote(path, added).map_err(refused)?;
    print(&format!("key {added} is the active one"));
    let after = load(&settings)?;
    let status = after.status();
    let vault = vault(after);
    let wrapped = rewrap_all(&vault, &custody).await?;
    rewrap_check(&vault, &custody).await?;
    print(&format!("wrapped the keys of {wrapped} agents anew"));
    retire_unused(&settings, &status, &custody).await
}

async fn retire_unused(
    settings: &Settings,
    status: &[KeyStatus],
    custody: &Arc<dyn KeyCustody>,
) -> Result<(), StartError> {
    let uses = count_uses(custody).await?;
    for key in status.iter().filter(|key| key.state == KeyState::DecryptOnly) {
        let count = uses.iter().filter(|id| **id == key.id).count();
        Keyring::retire(&settings.vault_keyring, key.id, u64::try_from(count).unwrap_or(u64::MAX)).map_err(refused)?;
        print(&format!("retired key {}", key.id));
    }
    Ok(())
}

/// A key that was added and is not yet the active one: younger than the active one, and opening only.
fn waiting_key(status: &[KeyStatus]) -> Option<KekId> {
    let active = status.iter().find(|key| key.state == KeyState::Active)?;
    let waiting = |key: &&KeyStatus| key.state == KeyState::DecryptOnly && key.created_at > active.created_at;
    status.iter().filter(waiting).max_by_key(|key| key.created_at).map(|key| key.id)
}

async fn rewrap_all(vault: &RingVault, custody: &Arc<dyn KeyCustody>) -> Result<u64, StartError> {
    let mut wrapped = 0;
    let mut after: Option<AgentId> = None;
    loop {
        let batch = custody.agent_keys(after, BATCH).await.map_err(unavailable)?;
        let Some((last, ..)) = batch.last() else { return Ok(wrapped) };
        after = Some(*last);
        for (agent, workspace, key) in &batch {
            let anew = vault.rewrap(workspace, *agent, key);
            let anew = anew.map_err(|error| StartError::because(format!("the key of agent {agent} stays"), error))?;
            if let Some(anew) = anew
                && custody.replace_agent_key(*agent, key, &anew).await.map_err(unavailable)?
            {
                wrapped += 1;
            }
        }
    }
}

async fn rewrap_check(vault: &RingVault, custody: &Arc<dyn KeyCustody>) -> Result<(), StartError> {
    let Some(stored) = custody.check_value().await.map_err(unavailable)? else { return Ok(()) };
    let anew = vault.rewrap_check(&stored).map_err(|error| StartError::because("the check value stays", error))?;
    match anew {
        Some(anew) => custody.replace_check_value(&anew).await.map_err(unavailable),
        None => Ok(()),
    }
}

async fn count_uses(custody: &Arc<dyn KeyCustody>) -> Result<Vec<KekId>, StartError> {
    let mut uses = Vec::new();
    let mut after = None;
    loop {
        let batch = custody.agent_keys(after, BATCH).await.map_err(unavailable)?;
        let Some((last, ..)) = batch.last() else { return Ok(uses) };
        after = Some(*last);
        uses.extend(batch.iter().filter_map(|(.., key)| RingVault::kek_id(key)));
    }
}

fn load(settings: &Settings) -> Result<Keyring, StartError> {
    Keyring::load(&settings.vault_keyring)
        .map_err(|error| StartError::because("the keyring (NORA_VAULT_KEYRING) is refused", error))
}

fn vault(keyring: Keyring) -> RingVault {
    RingVault::new(Arc::new(keyring), Arc::new(SystemEntropy::new()))
}

fn refused(error: nora_vault_ring::ChangeError) -> StartError {
    StartError::because("the keyring was not changed", error)
}

fn unavailable(error: nora_kernel::Unavailable) -> StartError {
    StartError::because("the database did not answer", error)
}
