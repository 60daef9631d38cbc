//! Base 62 of fixed width: digits, then upper case, then lower case.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes the big-endian number in `bytes` with exactly `width` digits. A number too large for that loses its high
/// digits.
pub(crate) fn encode(bytes: &[u8], width: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits: Vec<char> = (0..width).map(|_| digit(divide_by_62(&mut number))).collect();
    digits.reverse();
    zeroize::Zeroize::zeroize(&mut number);
    digits.into_iter().collect()
}

/// Whether `text` consists of digits of this base.
pub(crate) fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn digit(value: u8) -> char {
    ALPHABET.get(usize::from(value)).copied().map_or('0', char::from)
}

/// Divides the number in place and returns the remainder.
fn divide_by_62(number: &mut [u8]) -> u8 {
    let mut remainder: u16 = 0;
    for byte in number {
        let value = (remainder << 8) | u16::from(*byte);
        *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
        remainder = value % 62;
    }
    u8::try_from(remainder).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_fixed_width() {
        assert_eq!(encode(&[0], 3), "000");
        assert_eq!(encode(&[61], 2), "0z");
        assert_eq!(encode(&[1, 0], 3), "048");
        assert_eq!(encode(&[0xff; 32], 43).len(), 43);
    }

    #[test]
    fn the_largest_secret_fits_in_43_digits() {
        assert_ne!(encode(&[0xff; 32], 44).chars().nth(1), Some('0'));
        assert_eq!(encode(&[0xff; 32], 44).chars().next(), Some('0'));
    }
}
