//! Which 32 bytes are no random key.

use std::collections::BTreeSet;

use crate::key_bytes::KEY_LENGTH;

/// 32 random bytes have fewer different values than this less than once in 10^24 times.
const FEWEST_DIFFERENT: usize = 12;

/// Whether somebody made the bytes up: text, a sequence, a repetition.
///
/// It catches sample keys and accidents. It does not measure randomness.
pub(super) fn is_made_up(key: &[u8; KEY_LENGTH]) -> bool {
    is_text(key) || is_sequence(key) || repeats(key)
}

fn is_text(key: &[u8; KEY_LENGTH]) -> bool {
    key.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

fn is_sequence(key: &[u8; KEY_LENGTH]) -> bool {
    let steps: BTreeSet<u8> =
        key.iter().zip(key.iter().skip(1)).map(|(earlier, later)| later.wrapping_sub(*earlier)).collect();
    steps.len() == 1
}

fn repeats(key: &[u8; KEY_LENGTH]) -> bool {
    let different: BTreeSet<&u8> = key.iter().collect();
    let (first, second) = key.split_at(KEY_LENGTH / 2);
    different.len() < FEWEST_DIFFERENT || first == second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_accidents_make_is_refused() {
        let counted: [u8; 32] = std::array::from_fn(|position| u8::try_from(position).unwrap());
        let backwards: [u8; 32] = std::array::from_fn(|position| u8::try_from(255 - position).unwrap());
        let periodic: [u8; 32] = std::array::from_fn(|position| 200 + u8::try_from(position % 7).unwrap());
        let halves: [u8; 32] = std::array::from_fn(|position| 37_u8.wrapping_mul(u8::try_from(position % 16).unwrap()));
        let text = *b"change-me-to-32-characters-pleas";
        for refused in [[0; 32], [255; 32], [0xA5; 32], counted, backwards, periodic, halves, text] {
            assert!(is_made_up(&refused), "{refused:?}");
        }
    }
}
