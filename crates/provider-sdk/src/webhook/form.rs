//! Form bodies and queries, byte for byte.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The parameters of a form body or a query (`application/x-www-form-urlencoded`), decoded, in order. Names and values
/// are bytes: nothing that is signed is replaced by something that looks like it.
#[derive(Debug, Clone, Default)]
pub(super) struct Form<'a>(Vec<Parameter<'a>>);

/// A name and a value.
type Parameter<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

impl<'a> Form<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        Self(pairs.map(pair).collect())
    }

    /// The values of `name`, in order.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> + 's {
        self.0.iter().filter(move |(known, _)| &**known == name.as_bytes()).map(|(_, value)| &**value)
    }

    /// The value of `name`, if it is there exactly once.
    pub(super) fn one(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.0.iter().filter(|(known, _)| &**known == name.as_bytes());
        all.next().filter(|_| all.next().is_none()).map(|(_, value)| &**value)
    }

    /// As [`one`](Self::one), if it is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.one(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// How many parameters there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Every parameter, sorted by name and then by value, equal ones once, names and values run together.
    pub(super) fn sorted(&self) -> Vec<u8> {
        let mut pairs: Vec<_> = self.0.iter().collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.into_iter().flat_map(|(name, value)| [&**name, &**value]).collect::<Vec<_>>().concat()
    }
}

fn pair(pair: &[u8]) -> Parameter<'_> {
    match pair.iter().position(|byte| *byte == b'=').and_then(|at| pair.split_at_checked(at)) {
        Some((name, value)) => (decode(name), decode(value.strip_prefix(b"=").unwrap_or(value))),
        None => (decode(pair), Cow::Borrowed(&[])),
    }
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        return Cow::Owned(percent_decode(&spaced).collect());
    }
    percent_decode(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_loses_nothing() {
        let form = Form::parse(b"a=1+2&b=%2B%ff&a=3&=x&c&d=e=f&%61%zz=4&&");
        assert_eq!(form.all("a").collect::<Vec<_>>(), [b"1 2".as_slice(), b"3"]);
        assert_eq!(form.one("a"), None, "it is there twice");
        assert_eq!(form.one("b"), Some([b'+', 0xff].as_slice()));
        assert_eq!(form.text("b"), None, "no text");
        assert_eq!((form.text(""), form.text("c"), form.text("d")), (Some("x"), Some(""), Some("e=f")));
        assert_eq!((form.text("a%zz"), form.len()), (Some("4"), 7));
        assert_eq!(Form::parse(b"").len(), 0);
    }

    #[test]
    fn sorted_as_twilio_sorts() {
        assert_eq!(Form::parse(b"b=2&a=3&a=1&a=3&B=0").sorted(), b"B0a1a3b2");
    }
}
