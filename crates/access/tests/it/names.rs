//! What a key may be called, and what its public part looks like.

use nora_access::{KeyName, PublicId};

#[test]
fn a_name_is_1_to_200_characters_that_can_be_seen() {
    for accepted in ["a", "CI of the Ü-team, #2", &"é".repeat(200)] {
        assert_eq!(accepted.parse::<KeyName>().unwrap().as_str(), accepted);
    }
    for refused in ["", "a\nb", "\u{7f}", "a\0", &"é".repeat(201)] {
        assert!(refused.parse::<KeyName>().is_err(), "{refused:?}");
    }
}

#[test]
fn a_public_id_is_12_digits_of_base_62() {
    assert!("0aZ0aZ0aZ0aZ".parse::<PublicId>().is_ok());
    for refused in ["", "0aZ0aZ0aZ0a", "0aZ0aZ0aZ0aZ0", "0aZ0aZ0aZ0a_", "0aZ0aZ0aZéé"] {
        assert!(refused.parse::<PublicId>().is_err(), "{refused}");
    }
}
