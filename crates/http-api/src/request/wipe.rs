//! Overwriting what may be a credential before its memory is given back.

use serde_json::Value;
use zeroize::Zeroize as _;

/// Overwrites every text of a value. Bodies are parsed to a bounded depth, so this recursion is bounded too.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(object) => object.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_is_left_at_any_depth() {
        let mut value = json!({ "a": "CANARY", "b": [1, "CANARY", { "c": ["CANARY", null, true] }] });
        wipe(&mut value);
        assert_eq!(value, json!({ "a": "", "b": [1, "", { "c": ["", null, true] }] }));
    }
}
