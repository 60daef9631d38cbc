//! Short names with a grammar, parsed once at the edge.

use std::fmt;
use std::str::FromStr;

/// The text does not follow the name's grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must match {grammar}")]
pub struct InvalidName {
    what: &'static str,
    grammar: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $grammar:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName { what: $what, grammar: $grammar })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// The tenant an agent or a key belongs to.
    Workspace, "a workspace", "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", |text| is_slug(text, 63)
}
name! {
    /// A provider's id in the catalog, such as `github`.
    ProviderId, "a provider id", "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", |text| is_slug(text, 63)
}
name! {
    /// What tells two connections of one agent to one provider apart.
    Label, "a label", "^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$", |text| is_slug(text, 32)
}
name! {
    /// A field of a provider's configuration or credentials, such as `personal_access_token`.
    FieldName, "a field name", "^[a-z][a-z0-9_]{0,63}$", is_field_name
}
name! {
    /// An environment variable a runtime may be given.
    ///
    /// Names that steer a loader, a shell or a language runtime are not environment names here: whoever could
    /// set them could run code in the agent.
    EnvName, "an environment variable", "^[A-Z][A-Z0-9_]{0,127}$, and not steer a loader, shell or runtime", is_env_name
}

impl Label {
    /// The label of a connection whose request names none.
    pub fn default_label() -> Self {
        Self("default".into())
    }

    /// Whether this is the default connection, which sets the plain variable names.
    pub fn is_default(&self) -> bool {
        &*self.0 == "default"
    }
}

impl Workspace {
    /// The workspace of the first key.
    pub fn default_workspace() -> Self {
        Self("default".into())
    }
}

impl EnvName {
    /// The name a connection labelled `label` sets: itself for the default one, else `NAME__LABEL`.
    ///
    /// `None` when the suffix makes it longer than a name may be.
    pub fn labelled(&self, label: &Label) -> Option<Self> {
        if label.is_default() {
            return Some(self.clone());
        }
        let suffix = label.as_str().to_ascii_uppercase().replace('-', "_");
        format!("{}__{suffix}", self.0).parse().ok()
    }
}

fn is_slug(text: &str, longest: usize) -> bool {
    let inner = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    !text.is_empty() && text.len() <= longest && inner && !text.starts_with('-') && !text.ends_with('-')
}

fn is_field_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_env_name(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
        && !steers_a_runtime(text)
}

/// Prefixes read by dynamic loaders, shells, package managers and agent runtimes.
const STEERING_PREFIXES: &[&str] = &[
    "LD_",
    "DYLD_",
    "BASH_FUNC_",
    "GIT_CONFIG_",
    "NPM_CONFIG_",
    "CARGO_",
    "RUSTC_",
    "RUSTUP_",
    "TF_VAR_",
    "OPENCLAW_",
    "HERMES_",
    "NODE_",
    "PYTHON",
    "RUBY",
    "PERL5",
    "JAVA_",
    "JDK_",
    "GLIBC_",
    "MALLOC_",
    "XDG_",
    "NORA_",
];

/// Names read by shells, loaders and language runtimes before any program of the agent runs.
const STEERING_NAMES: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "SHELLOPTS",
    "BASHOPTS",
    "BASH_ENV",
    "ENV",
    "IFS",
    "PS4",
    "PROMPT_COMMAND",
    "CDPATH",
    "TERM",
    "PWD",
    "OLDPWD",
    "TMPDIR",
    "TMP",
    "TEMP",
    "LANG",
    "LC_ALL",
    "TZ",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_DIR",
    "GIT_CONFIG",
    "GIT_SEQUENCE_EDITOR",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_EXTERNAL_DIFF",
    "GIT_PROXY_COMMAND",
    "GIT_SSL_NO_VERIFY",
    "OPENSSL_CONF",
    "PERLLIB",
    "RSYNC_RSH",
    "CLASSPATH",
    "MAVEN_OPTS",
    "GRADLE_OPTS",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "LUA_INIT",
    "LUA_PATH",
    "LUA_CPATH",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "GOFLAGS",
    "DOTNET_STARTUP_HOOKS",
    "DENO_DIR",
    "BUN_INSTALL",
    "ELECTRON_RUN_AS_NODE",
    "ZDOTDIR",
    "INPUTRC",
    "LESSOPEN",
    "LESSCLOSE",
    "MANPAGER",
    "IS_SANDBOX",
];

fn steers_a_runtime(text: &str) -> bool {
    STEERING_NAMES.contains(&text) || STEERING_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_their_grammar() {
        for accepted in ["default", "a", "prod-eu", "0", &"x".repeat(32)] {
            assert!(accepted.parse::<Label>().is_ok(), "{accepted}");
        }
        for refused in ["", "-a", "a-", "A", "a_b", "a b", "é", &"x".repeat(33)] {
            assert!(refused.parse::<Label>().is_err(), "{refused}");
        }
    }

    #[test]
    fn names_that_steer_a_runtime_are_refused() {
        for refused in [
            "PATH",
            "LD_PRELOAD",
            "NODE_OPTIONS",
            "BASH_ENV",
            "PYTHONPATH",
            "lower",
            "1A",
            "A-B",
            "",
            "OPENCLAW_GATEWAY_TOKEN",
        ] {
            assert!(refused.parse::<EnvName>().is_err(), "{refused}");
        }
        assert!("GITHUB_TOKEN".parse::<EnvName>().is_ok());
    }

    #[test]
    fn a_label_is_appended_to_the_variable() -> Result<(), InvalidName> {
        let name: EnvName = "GITHUB_TOKEN".parse()?;
        assert_eq!(name.labelled(&Label::default_label()).as_ref().map(EnvName::as_str), Some("GITHUB_TOKEN"));
        assert_eq!(name.labelled(&"prod-eu".parse()?).as_ref().map(EnvName::as_str), Some("GITHUB_TOKEN__PROD_EU"));
        Ok(())
    }
}
