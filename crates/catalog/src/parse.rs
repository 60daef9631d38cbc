//! From what a person enters to configuration and secrets.

use nora_kernel::{Secret, SecretMap};
use nora_provider_sdk::manifest::Field;
use nora_provider_sdk::{Connection, FieldProblem};
use serde_json::{Map, Value};

use crate::Entry;
use crate::violation::{Violation, of_schema};

/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;
/// The longest other text, in bytes: kubeconfigs and key files are long, and an environment takes no text over 128 KiB.
const LONGEST_TEXT: usize = 64 * 1024;

/// What a person entered, split and checked.
#[derive(Debug)]
pub struct Parsed {
    /// The public part.
    pub config: Map<String, Value>,
    /// The secret part, the token under its field's name.
    pub secrets: SecretMap,
}

impl Entry {
    /// Splits and checks a whole connection.
    ///
    /// `config` may hold secret fields; they are moved into the secrets. A field that holds the empty text counts as
    /// left out, as a form sends it. `kept` are secrets that stay as they are (when a connection is changed); they
    /// count as present and are not repeated in the result.
    ///
    /// # Errors
    ///
    /// Everything that is wrong: first what the schema says, then the secrets, the destinations, and what only the
    /// provider knows. Whether a missing token is an error at `/token` is the caller's to say for providers whose
    /// contract names it; here it is one like any other.
    pub fn parse(
        &self,
        token: Option<Secret>,
        mut config: Map<String, Value>,
        kept: &[&str],
    ) -> Result<Parsed, Vec<Violation>> {
        self.drop_blanks(&mut config);
        let mut violations = self.schema_violations(&mut config, kept);
        let mut secrets = self.take_secrets(&mut config);
        violations.extend(self.add_token(token, &mut secrets, kept));
        violations.extend(self.text_violations(&config, &secrets));
        violations.extend(self.destination_violations(&config, &secrets));
        if violations.is_empty() {
            violations = self.provider_violations(&config, &secrets, kept);
        }
        if violations.is_empty() { Ok(Parsed { config, secrets }) } else { Err(violations) }
    }

    fn drop_blanks(&self, config: &mut Map<String, Value>) {
        config.retain(|name, value| value.as_str() != Some("") || self.manifest().field(name).is_none());
    }

    /// What the schema says against `config`, kept secrets counted as present. It borrows the map as a value and
    /// gives it back, because a copy would leave secrets behind.
    fn schema_violations(&self, config: &mut Map<String, Value>, kept: &[&str]) -> Vec<Violation> {
        let whole = Value::Object(std::mem::take(config));
        let violations = self.validator().iter_errors(&whole).filter_map(|error| of_schema(&error, kept)).collect();
        if let Value::Object(given) = whole {
            *config = given;
        }
        violations
    }

    fn take_secrets(&self, config: &mut Map<String, Value>) -> SecretMap {
        let mut secrets = SecretMap::new();
        for field in self.manifest().config_fields().filter(|field| field.secret) {
            if let Some(Value::String(text)) = config.remove(field.name.as_str()) {
                secrets.insert(field.name.clone(), Secret::new(text));
            }
        }
        secrets
    }

    fn add_token(&self, token: Option<Secret>, secrets: &mut SecretMap, kept: &[&str]) -> Option<Violation> {
        let token = token.filter(|token| !token.is_empty());
        match (self.manifest().token(), token) {
            (Some(field), Some(token)) => {
                secrets.insert(field.name.clone(), token);
                None
            }
            (Some(field), None) if field.required && !kept.contains(&field.name.as_str()) => {
                Some(Violation::at("/token", "is required"))
            }
            (None, Some(_)) => Some(Violation::at("/token", "is not taken by this provider")),
            (_, None) => None,
        }
    }

    fn text_violations(&self, config: &Map<String, Value>, secrets: &SecretMap) -> Vec<Violation> {
        let problem = |field: &Field| {
            let given = match secrets.get(field.name.as_str()) {
                Some(secret) => secret.expose(),
                None => config.get(field.name.as_str())?.as_str()?,
            };
            let detail = text_problem(field, self.is_token(field), given)?;
            Some(self.violation(field, detail))
        };
        self.manifest().fields().iter().filter_map(problem).collect()
    }

    fn destination_violations(&self, config: &Map<String, Value>, secrets: &SecretMap) -> Vec<Violation> {
        let problem = |field: &Field| {
            let given = match secrets.get(field.name.as_str()) {
                Some(secret) => secret.expose(),
                None => config.get(field.name.as_str())?.as_str()?,
            };
            let refused = field.check_destination(given, self.policy()).err()?;
            Some(self.violation(field, refused))
        };
        self.manifest().fields().iter().filter_map(problem).collect()
    }

    fn provider_violations(&self, config: &Map<String, Value>, secrets: &SecretMap, kept: &[&str]) -> Vec<Violation> {
        let connection = Connection::new(self.manifest(), config, secrets);
        let is_present = |field: &str| connection.is_set(field) || kept.contains(&field);
        let problems = self.provider().check(&connection).into_iter();
        let problems = problems.chain(self.manifest().unmet_requirement(is_present));
        problems.map(|FieldProblem { field, detail }| Violation::at(self.pointer(field.as_str()), detail)).collect()
    }

    fn is_token(&self, field: &Field) -> bool {
        self.manifest().token().is_some_and(|token| token.name == field.name)
    }

    fn violation(&self, field: &Field, detail: impl Into<String>) -> Violation {
        Violation::at(self.pointer(field.name.as_str()), detail)
    }

    /// Where a request holds a field.
    fn pointer(&self, field: &str) -> String {
        if self.manifest().token().is_some_and(|token| token.name.as_str() == field) {
            "/token".to_owned()
        } else {
            format!("/config/{field}")
        }
    }
}

/// Fields that travel in headers hold no control characters; documents may hold lines and tabs; NUL is never taken.
fn text_problem(field: &Field, is_token: bool, text: &str) -> Option<String> {
    let multiline = field.kind.is_multiline();
    let longest = if is_token && !multiline { LONGEST_TOKEN } else { LONGEST_TEXT };
    let allowed = |character: char| !character.is_control() || (multiline && matches!(character, '\n' | '\r' | '\t'));
    if text.len() > longest {
        Some(format!("is longer than {longest} bytes"))
    } else if field.secret && !text.chars().all(allowed) {
        Some("holds control characters".to_owned())
    } else {
        None
    }
}
