//! Signatures, keys and times as they are written.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use nora_kernel::{Secret, Timestamp};
use zeroize::Zeroizing;

use super::{Key, KeyEncoding, SignatureEncoding, StampUnit};

/// A key may be written with or without padding: it comes from a person's clipboard, and is no part of what is signed.
const KEY_CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_KEY: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, KEY_CONFIG);
const URL_SAFE_KEY: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, KEY_CONFIG);

const MILLIS: i64 = 1_000;
const SECONDS: i64 = 1_000_000;

/// The bytes of a signature; `None` unless it is written exactly as its scheme says.
pub(super) fn signature(text: &str, encoding: SignatureEncoding) -> Option<Vec<u8>> {
    match encoding {
        SignatureEncoding::Hex => hex(text),
        SignatureEncoding::Base64 => base64(text),
        // Of the lengths a MAC has, no hexadecimal one is a Base64 one of the same MAC.
        SignatureEncoding::HexOrBase64 => hex(text).or_else(|| base64(text)),
    }
}

/// Hexadecimal, all of it in one case: a text has one other spelling, and none that differs in a single letter.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let has = |letters: std::ops::RangeInclusive<u8>| text.bytes().any(|byte| letters.contains(&byte));
    let is_mixed = has(b'a'..=b'f') && has(b'A'..=b'F');
    if text.is_empty() || is_mixed { None } else { hex::decode(text).ok() }
}

/// Base64 in the standard alphabet, padded, without a second spelling.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    general_purpose::STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// Base64 in the alphabet of JWTs, not padded.
pub(super) fn base64_url(text: &str) -> Option<Vec<u8>> {
    general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bytes of a key; `None` where the text is no such key, or an empty one.
pub(super) fn key(secret: &Secret, form: &Key) -> Option<Zeroizing<Vec<u8>>> {
    let text = secret.expose();
    let text = text.strip_prefix(form.prefix.as_str()).unwrap_or(text);
    let bytes = match form.encoding {
        KeyEncoding::Utf8 => Some(text.as_bytes().to_vec()),
        KeyEncoding::Base64 => STANDARD_KEY.decode(text).or_else(|_| URL_SAFE_KEY.decode(text)).ok(),
        KeyEncoding::Hex => hex(text),
    };
    bytes.filter(|bytes| !bytes.is_empty()).map(Zeroizing::new)
}

/// A time of sending: plain ASCII digits, or RFC 3339.
pub(super) fn stamp(text: &str, unit: StampUnit) -> Option<Timestamp> {
    let number = || {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<i64>().ok()).flatten()
    };
    match unit {
        StampUnit::Seconds => number()?.checked_mul(SECONDS).map(Timestamp::from_microseconds),
        StampUnit::Milliseconds => number()?.checked_mul(MILLIS).map(Timestamp::from_microseconds),
        StampUnit::Rfc3339 => text.parse().ok(),
    }
}

/// Whether `sent` lies at most `tolerance` seconds from `now`, before or after.
pub(super) fn is_fresh(sent: Timestamp, now: Timestamp, tolerance: u32) -> bool {
    let tolerance = Duration::from_secs(tolerance.into());
    now.since(sent) <= tolerance && sent.since(now) <= tolerance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_has_one_case() {
        assert_eq!(hex("00ff1a"), Some(vec![0, 255, 26]));
        assert_eq!(hex("00FF1A"), Some(vec![0, 255, 26]));
        for wrong in ["", "0", "00fF", "0g", "+1", "é0", " 0", "00 "] {
            assert_eq!(hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(base64("+/8="), Some(vec![251, 255]));
        for wrong in ["", "+/8", "-_8=", "+/9=", "+/8=\n", "+ /8="] {
            assert_eq!(base64(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn times_are_plain_digits() {
        let seconds = |text| stamp(text, StampUnit::Seconds);
        assert_eq!(seconds("1614265330"), Some(Timestamp::from_microseconds(1_614_265_330_000_000)));
        for wrong in
            ["", "1614265330.0", "-1", "+1", "١٦١٤", "9223372036854775807", "99999999999999999999", "1e9", " 1"]
        {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(stamp("1", StampUnit::Milliseconds), Some(Timestamp::from_microseconds(1000)));
        assert!(stamp("2020-01-01T00:00:00-07:00", StampUnit::Rfc3339).is_some());
        assert_eq!(stamp("2020-01-01", StampUnit::Rfc3339), None);
    }

    #[test]
    fn the_tolerance_holds_both_ways_and_at_the_ends_of_time() {
        let at = |seconds: i64| Timestamp::from_microseconds(seconds * SECONDS);
        for (sent, fresh) in [(700, true), (699, false), (1300, true), (1301, false)] {
            assert_eq!(is_fresh(at(sent), at(1000), 300), fresh, "{sent}");
        }
        let (first, last) = (Timestamp::from_microseconds(i64::MIN), Timestamp::from_microseconds(i64::MAX));
        assert!(!is_fresh(first, last, u32::MAX) && !is_fresh(last, first, u32::MAX));
    }
}
