//! Characters that have no place in a line a person or an agent reads.

/// Whether `character` controls, hides or reorders the text around it: control characters, and the invisible ones of
/// Unicode's general punctuation.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_hidden() {
        for hidden in ['\0', '\n', '\u{7f}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}'] {
            assert!(is_hidden(hidden), "{hidden:?}");
        }
        for shown in ['a', ' ', 'é', '漢', '\u{2014}'] {
            assert!(!is_hidden(shown), "{shown:?}");
        }
    }
}
