//! Patterns that every regular-expression engine reads alike.

use regex::bytes::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
const LONGEST: usize = 1000;
/// The most a compiled pattern may take, in bytes.
const LARGEST: usize = 1 << 20;

/// Compiles a pattern of the grammar the manifest format documents.
///
/// # Errors
///
/// What to write instead.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > LONGEST {
        return Err(format!("a pattern has at most {LONGEST} characters"));
    }
    if !pattern.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err("a pattern is printable ASCII; write other characters as a class or as `.`".to_owned());
    }
    check_groups(pattern)?;
    check_escapes(pattern)?;
    let compiled = RegexBuilder::new(pattern).unicode(false).size_limit(LARGEST).build();
    compiled.map_err(|error| format!("the pattern does not compile: {}", last_line(&error.to_string())))
}

fn check_groups(pattern: &str) -> Result<(), String> {
    let unescaped = pattern.replace("\\\\", "").replace("\\(", "");
    let special = unescaped.match_indices("(?").any(|(at, _)| !unescaped.get(at..).unwrap_or("").starts_with("(?:"));
    if special {
        return Err("a pattern has no look-around, no named group and no flag: only `(...)` and `(?:...)`".to_owned());
    }
    Ok(())
}

fn check_escapes(pattern: &str) -> Result<(), String> {
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            continue;
        }
        match characters.next() {
            Some('d' | 'D' | 'w' | 'W' | 's' | 'S') => {}
            Some(escaped) if escaped.is_ascii_punctuation() => {}
            Some(escaped) => return Err(format!("`\\{escaped}` means different things to different engines")),
            None => return Err("the pattern ends with a backslash".to_owned()),
        }
    }
    Ok(())
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_grammar_compiles() {
        for accepted in [
            r"^(?:github_pat|ghp)_[A-Za-z0-9_]{36,255}$",
            r"^[\w.-]+(/[\w.-]+)?$",
            r"^\+[1-9]\d{6,14}$",
            r"^https://(hook\.)?make\.com/[^/]+$",
            r"\(\?=x\)",
        ] {
            assert!(compile(accepted).is_ok(), "{accepted}");
        }
    }

    #[test]
    fn what_engines_read_differently_is_refused() {
        for refused in [
            r"^(?=a)b$",
            r"^(?!a)b$",
            r"(?<name>a)",
            r"(?i)a",
            r"(a)\1",
            r"\bword\b",
            r"\p{L}",
            r"\x41",
            "ä",
            "a\tb",
            "(",
            "a\\",
            r"^(?:(?:a{1000}){1000}){1000}$",
        ] {
            assert!(compile(refused).is_err(), "{refused}");
        }
    }
}
