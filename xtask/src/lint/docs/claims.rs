//! What a piece of code in a document claims to exist, judged by its form alone.
//!
//! - A word with a slash is a path if it begins with one of [`FOLDERS`], `./` or `../`, or ends with one of
//!   [`EXTENSIONS`]. `*`, `**`, `NAME`, `<name>` and `{name}` in it stand for anything. A word without a slash is a file
//!   if it ends in `.rs`, `.md` or `.sql`; other files may be a reader's own.
//! - `nora-x`, `nora_x::y` and `-p x` or `--package x` after `cargo` are packages; a word that begins with one of
//!   [`ROLES`] is a folder in crates/.
//! - `cargo xtask x` and `nora x` are commands.

use super::markdown::{Kind, Span};

const FOLDERS: [&str; 8] = [".cargo", ".ci", ".config", "crates", "docs", "src", "tests", "xtask"];
const EXTENSIONS: [&str; 9] = ["json", "lock", "md", "rs", "sh", "sql", "toml", "yaml", "yml"];
const LONELY_EXTENSIONS: [&str; 3] = ["md", "rs", "sql"];

/// How the names of our adapters, providers and test crates begin, short of words that mean something else.
const ROLES: [&str; 7] = ["egress-", "jwt-", "provider-", "providers-", "store-", "testkit-", "vault-"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// A file or folder, from the root or from the document.
    Path(String),
    /// A file or folder, from the document alone.
    Link(String),
    /// A file somewhere in the repository.
    FileName(String),
    /// A package of the workspace.
    Package(String),
    /// A folder in crates/.
    CrateFolder(String),
    /// A subcommand of `cargo xtask` and its flags.
    Task { name: String, flags: Vec<String> },
    /// A subcommand of `nora`.
    ServerCommand(String),
}

impl Claim {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Path(name)
            | Self::Link(name)
            | Self::FileName(name)
            | Self::Package(name)
            | Self::CrateFolder(name)
            | Self::Task { name, .. }
            | Self::ServerCommand(name) => name,
        }
    }
}

pub(super) fn of(span: &Span) -> Vec<Claim> {
    let words: Vec<&str> = span.text.split_whitespace().collect();
    match (span.kind, words.as_slice()) {
        (Kind::Link, [target]) => link(target).into_iter().collect(),
        (Kind::Link, _) => Vec::new(),
        (Kind::Inline, [word]) => word_claim(word).into_iter().collect(),
        (Kind::Inline | Kind::Shell, words) => command(words),
    }
}

fn link(target: &str) -> Option<Claim> {
    let path = target.split('#').next().filter(|path| !path.is_empty())?;
    // An address, or an item for rustdoc to resolve.
    (!path.contains(':')).then(|| Claim::Link(path.to_owned()))
}

fn word_claim(word: &str) -> Option<Claim> {
    if let Some((start, _)) = word.split_once("::") {
        return start.starts_with("nora_").then(|| Claim::Package(start.replace('_', "-")));
    }
    let word = without_line_number(word);
    if word.contains('/') {
        return is_path(word).then(|| Claim::Path(word.to_owned()));
    }
    if ends_in(word, &LONELY_EXTENSIONS) && !has_placeholder(word) {
        return Some(Claim::FileName(word.to_owned()));
    }
    if !is_package_name(word) {
        return None;
    }
    if word.starts_with("nora-") {
        return Some(Claim::Package(word.to_owned()));
    }
    ROLES.iter().any(|role| word.starts_with(role)).then(|| Claim::CrateFolder(word.to_owned()))
}

fn command(words: &[&str]) -> Vec<Claim> {
    // `CI=true cargo ...` sets a variable first.
    let is_assignment = |word: &&&str| word.split_once('=').is_some_and(|(name, _)| name.chars().all(is_constant));
    let settings = words.iter().take_while(is_assignment).count();
    match words.get(settings..).unwrap_or_default() {
        ["cargo", "xtask", name, rest @ ..] if is_plain(name) => vec![task(name, rest)],
        ["cargo", rest @ ..] => packages(rest),
        [program, name, ..] if is_server(program) && is_plain(name) => vec![Claim::ServerCommand((*name).to_owned())],
        _ => Vec::new(),
    }
}

fn task(name: &str, rest: &[&str]) -> Claim {
    let own = rest.iter().take_while(|word| **word != "--");
    let flags = own.filter_map(|word| word.strip_prefix("--")?.split('=').next()).map(str::to_owned);
    Claim::Task { name: name.to_owned(), flags: flags.collect() }
}

fn packages(arguments: &[&str]) -> Vec<Claim> {
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    pairs
        .filter(|(flag, name)| ["-p", "--package"].contains(*flag) && is_package_name(name))
        .map(|(_, name)| Claim::Package((*name).to_owned()))
        .collect()
}

fn is_server(program: &str) -> bool {
    program == "nora" || program.ends_with("/nora")
}

/// Neither a flag nor a stand-in for what the reader chooses.
fn is_plain(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii_lowercase() || character == '-') && !name.starts_with('-')
}

fn is_path(word: &str) -> bool {
    let is_path_character = |character: char| character.is_ascii_alphanumeric() || "_./*<>{}-".contains(character);
    if !word.chars().all(is_path_character) || word.contains("//") {
        return false;
    }
    let first = word.split('/').next().unwrap_or_default();
    FOLDERS.contains(&first) || [".", ".."].contains(&first) || (!first.is_empty() && ends_in(word, &EXTENSIONS))
}

fn has_placeholder(word: &str) -> bool {
    word.contains(['*', '<', '{'])
}

fn ends_in(word: &str, extensions: &[&str]) -> bool {
    word.rsplit_once('.').is_some_and(|(name, extension)| !name.is_empty() && extensions.contains(&extension))
}

fn is_package_name(word: &str) -> bool {
    let is_name_character = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    word.split('-').all(|part| !part.is_empty() && part.chars().all(is_name_character))
}

fn is_constant(character: char) -> bool {
    character.is_ascii_uppercase() || character == '_'
}

/// `src/main.rs:12` names a file and a line.
fn without_line_number(word: &str) -> &str {
    match word.rsplit_once(':') {
        Some((path, line)) if !line.is_empty() && line.chars().all(|digit| digit.is_ascii_digit()) => path,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, text: &str, expected: &[Claim]) {
        assert_eq!(of(&Span { line: 1, kind, text: text.to_owned() }), expected, "{text}");
    }

    fn check_none(texts: &[&str]) {
        for text in texts {
            check(Kind::Inline, text, &[]);
        }
    }

    #[test]
    fn paths() {
        for path in
            ["crates/kernel", "docs/", "./run.sh", "../README.md", "manifests/github.toml", "crates/*/src/lib.rs"]
        {
            check(Kind::Inline, path, &[Claim::Path(path.to_owned())]);
        }
        check(Kind::Inline, "xtask/src/main.rs:12", &[Claim::Path("xtask/src/main.rs".to_owned())]);
    }

    #[test]
    fn what_only_looks_like_a_path() {
        check_none(&["/api/agents", "application/json", "10.0.0.0/8", "https://example.com/a.json", "owner/name", "/"]);
    }

    #[test]
    fn lonely_file_names() {
        check(Kind::Inline, "lib.rs", &[Claim::FileName("lib.rs".to_owned())]);
        check_none(&["package.json", "acme.toml", "*.rs", ".rs"]);
    }

    #[test]
    fn packages_and_folders() {
        check(Kind::Inline, "nora-kernel", &[Claim::Package("nora-kernel".to_owned())]);
        check(Kind::Inline, "nora_kernel::Secret", &[Claim::Package("nora-kernel".to_owned())]);
        check(Kind::Inline, "store-sqlite", &[Claim::CrateFolder("store-sqlite".to_owned())]);
        check(
            Kind::Shell,
            "cargo test -p nora-kernel --package xtask -p NAME",
            &[Claim::Package("nora-kernel".to_owned()), Claim::Package("xtask".to_owned())],
        );
        check_none(&[
            "nora_http_requests_total",
            "nora_ab12_secret",
            "provider_unknown",
            "provider-*",
            "std::fs",
            "serde",
        ]);
    }

    #[test]
    fn tasks() {
        let task = |name: &str, flags: &[&str]| Claim::Task {
            name: name.to_owned(),
            flags: flags.iter().map(ToString::to_string).collect(),
        };
        check(Kind::Inline, "cargo xtask lint", &[task("lint", &[])]);
        check(Kind::Inline, "CI=true cargo xtask test --package=x -- --retries 2", &[task("test", &["package"])]);
        check_none(&["cargo xtask", "cargo xtask TASK", "cargo build"]);
    }

    #[test]
    fn server_commands() {
        check(Kind::Inline, "nora serve --config FILE", &[Claim::ServerCommand("serve".to_owned())]);
        check(Kind::Shell, "./target/debug/nora serve", &[Claim::ServerCommand("serve".to_owned())]);
        check_none(&["nora", "nora --help", "nora COMMAND"]);
    }

    #[test]
    fn links() {
        check(Kind::Link, "docs/a.md#part", &[Claim::Link("docs/a.md".to_owned())]);
        for target in ["#part", "https://example.com", "crate::Provider", "mailto:a@example.com"] {
            check(Kind::Link, target, &[]);
        }
    }
}
