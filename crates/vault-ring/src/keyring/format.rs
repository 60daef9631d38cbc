//! The keyring as text.
//!
//! Written by hand over one buffer: a general parser would leave copies of the secrets in memory it does not wipe.

use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::strength::is_made_up;
use super::{DigestKey, Kek, KeyState, Keyring, KeyringFault, LineFault};
use crate::key_bytes::{KEY_LENGTH, KeyBytes};

const HEADER: &str = "nora-keyring 1";
const WARNING: &str = "# Whoever has this file can read every credential. Without it nobody can. Keep a copy, apart from \
                       the database's.";
const BASE64_LENGTH: usize = 44;
/// More than any line this module writes.
const LONGEST_LINE: usize = 160;

/// Reads a keyring. Every rule of the file is checked here.
pub(super) fn parse(content: &[u8]) -> Result<Keyring, KeyringFault> {
    let text = std::str::from_utf8(content).map_err(|_| KeyringFault::NotText)?;
    if text.trim().is_empty() {
        return Err(KeyringFault::Empty);
    }
    let mut lines = text.lines().zip(1..);
    if lines.next().is_none_or(|(first, _)| first.trim_end() != HEADER) {
        return Err(KeyringFault::Header);
    }
    let mut draft = Draft::default();
    for (text, line) in lines {
        let words = text.trim();
        if !words.is_empty() && !words.starts_with('#') {
            draft.add(words).map_err(|fault| KeyringFault::Line { line, fault })?;
        }
    }
    draft.finish()
}

#[derive(Default)]
struct Draft {
    digests: Vec<DigestKey>,
    active: Vec<Kek>,
    decrypt_only: Vec<Kek>,
    retired: Vec<Kek>,
}

impl Draft {
    fn add(&mut self, words: &str) -> Result<(), LineFault> {
        let mut words = words.split_ascii_whitespace();
        let kind = words.next();
        let words: Vec<&str> = words.collect();
        match (kind, words.as_slice()) {
            (Some("digest"), &[time, secret]) => {
                self.digests.push(DigestKey { created_at: timestamp(time)?, bytes: decode(secret)? });
            }
            (Some("key"), &[id, state, time, secret]) => {
                let id = id.parse().map_err(|_| LineFault::Id)?;
                let state = KeyState::from_name(state).ok_or(LineFault::State)?;
                let kek = Kek { id, created_at: timestamp(time)?, bytes: decode(secret)? };
                self.keys(state).push(kek);
            }
            (Some("digest" | "key"), _) => return Err(LineFault::Words),
            _ => return Err(LineFault::Kind),
        }
        Ok(())
    }

    fn keys(&mut self, state: KeyState) -> &mut Vec<Kek> {
        match state {
            KeyState::Active => &mut self.active,
            KeyState::DecryptOnly => &mut self.decrypt_only,
            KeyState::Retired => &mut self.retired,
        }
    }

    fn finish(mut self) -> Result<Keyring, KeyringFault> {
        let digest = self.digests.pop().ok_or(KeyringFault::NoDigestKey)?;
        let active = self.active.pop().ok_or(KeyringFault::NoActiveKey)?;
        if !self.digests.is_empty() {
            return Err(KeyringFault::SeveralDigestKeys);
        }
        if !self.active.is_empty() {
            return Err(KeyringFault::SeveralActiveKeys);
        }
        let keyring = Keyring { digest, active, decrypt_only: self.decrypt_only, retired: self.retired };
        refuse_repetitions(&keyring)?;
        Ok(keyring)
    }
}

fn refuse_repetitions(keyring: &Keyring) -> Result<(), KeyringFault> {
    let mut seen: Vec<&Kek> = Vec::new();
    for (kek, _) in keyring.keys() {
        if seen.iter().any(|other| other.id == kek.id) {
            return Err(KeyringFault::RepeatedId(kek.id));
        }
        let mut others = seen.iter().map(|other| &other.bytes).chain([&keyring.digest.bytes]);
        if others.any(|other| other.expose().ct_eq(kek.bytes.expose()).into()) {
            return Err(KeyringFault::RepeatedSecret);
        }
        seen.push(kek);
    }
    Ok(())
}

fn timestamp(text: &str) -> Result<nora_kernel::Timestamp, LineFault> {
    text.parse().map_err(|_| LineFault::Time)
}

fn decode(text: &str) -> Result<KeyBytes, LineFault> {
    if text.len() != BASE64_LENGTH {
        return Err(LineFault::Secret);
    }
    // The decoder wants room for what 44 characters could hold at most.
    let mut decoded = Zeroizing::new([0; KEY_LENGTH + 1]);
    let length = STANDARD.decode_slice(text, decoded.as_mut_slice()).map_err(|_| LineFault::Secret)?;
    let key = decoded.first_chunk().filter(|_| length == KEY_LENGTH).ok_or(LineFault::Secret)?;
    if is_made_up(key) { Err(LineFault::MadeUp) } else { Ok(KeyBytes::copy_of(key)) }
}

/// Writes a keyring, oldest keys first.
pub(super) fn render(keyring: &Keyring) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut keys: Vec<_> = keyring.keys().collect();
    keys.sort_by_key(|(kek, _)| (kek.created_at, kek.id));

    // Room for all of it from the start: growing would leave a copy of the secrets behind.
    let mut content = Zeroizing::new(Vec::with_capacity(LONGEST_LINE.saturating_mul(keys.len().saturating_add(3))));
    write!(content, "{HEADER}\n{WARNING}\ndigest {} ", keyring.digest.created_at)?;
    write_secret(&mut content, &keyring.digest.bytes)?;
    for (kek, state) in keys {
        write!(content, "key {} {state} {} ", kek.id, kek.created_at)?;
        write_secret(&mut content, &kek.bytes)?;
    }
    Ok(content)
}

fn write_secret(content: &mut Vec<u8>, secret: &KeyBytes) -> io::Result<()> {
    let mut encoded = Zeroizing::new([b'\n'; BASE64_LENGTH + 1]);
    STANDARD.encode_slice(secret.expose(), encoded.as_mut_slice()).map_err(io::Error::other)?;
    content.write_all(encoded.as_slice())
}
