//! What became of each variable of a push, as JSON: `[{"name": ..., "state": ..., "reason": ...}]`.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};
use nora_integrations::ports::{Variable, VariableState};
use serde_json::{Value, json};

#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub(super) struct Variables(pub(super) Vec<Variable>);

impl ToSql<Text, Sqlite> for Variables {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let variables = self.0.iter().map(|Variable { name, state, reason }| {
            json!({"name": name.as_str(), "state": state.as_str(), "reason": reason})
        });
        out.set_value(variables.collect::<Value>().to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Text, Sqlite> for Variables {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        let values: Vec<Value> = serde_json::from_str(&text)?;
        let variables: Option<Vec<Variable>> = values.iter().map(variable).collect();
        variables.map(Self).ok_or_else(|| "a variable does not parse".into())
    }
}

fn variable(value: &Value) -> Option<Variable> {
    let name = value.get("name")?.as_str()?.parse().ok()?;
    let state = VariableState::from_wire(value.get("state")?.as_str()?)?;
    let reason = value.get("reason").and_then(Value::as_str).map(ToOwned::to_owned);
    Some(Variable { name, state, reason })
}
