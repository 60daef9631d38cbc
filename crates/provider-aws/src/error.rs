//! As much of AWS's answers as a test reads. Most are XML, some are JSON, and no part of them is shown.

use serde_json::Value;

/// The code in an answer's error.
pub(crate) fn code(body: &[u8]) -> Option<String> {
    let json = serde_json::from_slice::<Value>(body).ok();
    let in_json = json.as_ref().and_then(|answer| answer.pointer("/Error/Code")).and_then(Value::as_str);
    in_json.or_else(|| text_of("Code", body)).map(str::to_owned)
}

/// The text of the first element of this name in an XML document, if it holds text alone and has no attributes.
pub(crate) fn text_of<'a>(name: &str, body: &'a [u8]) -> Option<&'a str> {
    let document = std::str::from_utf8(body).ok()?;
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    (!text.contains('<')).then(|| text.trim())
}

/// Whether the body is an XML document whose root has this name.
pub(crate) fn has_root(name: &str, body: &[u8]) -> bool {
    let Ok(document) = std::str::from_utf8(body) else { return false };
    let document = document.trim_start_matches('\u{feff}').trim_start();
    let root = match document.strip_prefix("<?xml") {
        Some(declaration) => declaration.split_once("?>").map(|(_, rest)| rest.trim_start()).unwrap_or_default(),
        None => document,
    };
    let rest = root.strip_prefix('<').and_then(|rest| rest.strip_prefix(name));
    rest.is_some_and(|rest| rest.starts_with(['>', '/', ' ', '\t', '\r', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_from_both_forms() {
        for body in [
            r#"{"Error": {"Code": "NoSuchBucket", "Message": "<Code>Other</Code>"}}"#,
            "<Error><Code>NoSuchBucket</Code></Error>",
            "<?xml version='1.0'?>\n<ErrorResponse><Error><Code> NoSuchBucket\n</Code></Error></ErrorResponse>",
        ] {
            assert_eq!(code(body.as_bytes()).as_deref(), Some("NoSuchBucket"), "{body}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for body in ["", "{}", "[]", "<Code>", "<Code><b>x</b></Code>", "<html>", "\u{feff}", "</Code><Code>"] {
            assert_eq!(code(body.as_bytes()), None, "{body}");
        }
        assert_eq!(code(b"\xff<Code>NoSuchBucket</Code>"), None);
    }

    #[test]
    fn the_root_is_the_first_element() {
        for body in [
            "<List/>",
            "<List>",
            "\n<List xmlns=\"x\">",
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<List\n>",
        ] {
            assert!(has_root("List", body.as_bytes()), "{body}");
        }
        for body in ["", "List", "<Lists>", "<Error><List/></Error>", "<?xml <List>", "text <List>", "<!-- <List> -->"]
        {
            assert!(!has_root("List", body.as_bytes()), "{body}");
        }
    }
}
