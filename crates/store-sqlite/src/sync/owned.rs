//! What is owned in a runtime, as JSON: `[{"name": ..., "digest": ..., "changed_at_ms": ...}]`.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};
use nora_integrations::ports::OwnedVariable;
use serde_json::{Value, json};

#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub(super) struct Owned(pub(super) Vec<OwnedVariable>);

impl ToSql<Text, Sqlite> for Owned {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let owned = self.0.iter().map(|OwnedVariable { name, digest, changed_at_ms }| {
            json!({"name": name.as_str(), "digest": digest.map(hex::encode), "changed_at_ms": changed_at_ms})
        });
        out.set_value(owned.collect::<Value>().to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Text, Sqlite> for Owned {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        let values: Vec<Value> = serde_json::from_str(&text)?;
        let owned: Option<Vec<OwnedVariable>> = values.iter().map(variable).collect();
        owned.map(Self).ok_or_else(|| "an owned variable does not parse".into())
    }
}

fn variable(value: &Value) -> Option<OwnedVariable> {
    let name = value.get("name")?.as_str()?.parse().ok()?;
    let digest = match value.get("digest")? {
        Value::Null => None,
        text => Some(hex::decode(text.as_str()?).ok()?.try_into().ok()?),
    };
    Some(OwnedVariable { name, digest, changed_at_ms: value.get("changed_at_ms")?.as_i64() })
}
