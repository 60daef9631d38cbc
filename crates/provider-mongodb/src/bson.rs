//! The part of BSON that logging in needs.

const DEEPEST: usize = 16;

/// A length of 4 bytes, and the byte that ends a document.
const SMALLEST: usize = 5;

/// A value. What is never asked for is read over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bson {
    Double(f64),
    Text(String),
    Document(Document),
    /// Its members are named by their positions.
    Array(Document),
    Binary(Vec<u8>),
    Boolean(bool),
    Int32(i32),
    Int64(i64),
    Other,
}

/// Named values, in order: the first of a command is its name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Document(Vec<(String, Bson)>);

impl Document {
    pub(crate) fn with(mut self, name: &str, value: impl Into<Bson>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Bson> {
        self.0.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        if let Bson::Text(text) = self.get(name)? { Some(text) } else { None }
    }

    pub(crate) fn binary(&self, name: &str) -> Option<&[u8]> {
        if let Bson::Binary(bytes) = self.get(name)? { Some(bytes) } else { None }
    }

    pub(crate) fn document(&self, name: &str) -> Option<&Self> {
        if let Bson::Document(document) = self.get(name)? { Some(document) } else { None }
    }

    /// The members of an array.
    pub(crate) fn items(&self, name: &str) -> Option<impl Iterator<Item = &Bson>> {
        if let Bson::Array(items) = self.get(name)? { Some(items.0.iter().map(|(_, item)| item)) } else { None }
    }

    /// A whole number of any width that fits.
    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        match self.get(name)? {
            Bson::Int32(number) => Some(*number),
            Bson::Int64(number) => i32::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Whether a member is 1 or true: servers write `ok` as a double.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Bson::Double(number)) => (number - 1.0).abs() < f64::EPSILON,
            Some(Bson::Boolean(flag)) => *flag,
            _ => self.number(name) == Some(1),
        }
    }

    /// `None` for what is too long to be written, or was never meant to be.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        for (name, value) in &self.0 {
            body.push(value.kind()?);
            body.extend(name.as_bytes());
            body.push(0);
            value.encode(&mut body)?;
        }
        body.push(0);
        let mut bytes = length(body.len() + 4)?.to_vec();
        bytes.extend(body);
        Some(bytes)
    }

    /// Reads a document that is all of `bytes`.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let document = reader.document(DEEPEST)?;
        reader.0.is_empty().then_some(document)
    }
}

impl Bson {
    const fn kind(&self) -> Option<u8> {
        match self {
            Self::Double(_) => Some(0x01),
            Self::Text(_) => Some(0x02),
            Self::Document(_) => Some(0x03),
            Self::Array(_) => Some(0x04),
            Self::Binary(_) => Some(0x05),
            Self::Boolean(_) => Some(0x08),
            Self::Int32(_) => Some(0x10),
            Self::Int64(_) => Some(0x12),
            Self::Other => None,
        }
    }

    fn encode(&self, into: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Double(number) => into.extend(number.to_le_bytes()),
            Self::Text(text) => {
                into.extend(length(text.len() + 1)?);
                into.extend(text.as_bytes());
                into.push(0);
            }
            Self::Document(document) | Self::Array(document) => into.extend(document.encode()?),
            Self::Binary(bytes) => {
                into.extend(length(bytes.len())?);
                into.push(0);
                into.extend(bytes);
            }
            Self::Boolean(flag) => into.push(u8::from(*flag)),
            Self::Int32(number) => into.extend(number.to_le_bytes()),
            Self::Int64(number) => into.extend(number.to_le_bytes()),
            Self::Other => return None,
        }
        Some(())
    }
}

impl From<&str> for Bson {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i32> for Bson {
    fn from(number: i32) -> Self {
        Self::Int32(number)
    }
}

impl From<bool> for Bson {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

impl From<Vec<u8>> for Bson {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Document> for Bson {
    fn from(document: Document) -> Self {
        Self::Document(document)
    }
}

fn length(length: usize) -> Option<[u8; 4]> {
    i32::try_from(length).ok().map(i32::to_le_bytes)
}

/// Reads from the front of what is left. Nothing is taken beyond it, and no length is believed before it is checked.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn length(&mut self) -> Option<usize> {
        self.array().map(i32::from_le_bytes).and_then(|length| usize::try_from(length).ok())
    }

    /// A text that a zero ends.
    fn name(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let name = std::str::from_utf8(self.take(end)?).ok()?.to_owned();
        self.take(1)?;
        Some(name)
    }

    /// A text with its length, which counts the zero at its end.
    fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        let (end, text) = self.take(length)?.split_last()?;
        (*end == 0).then(|| std::str::from_utf8(text).ok().map(str::to_owned))?
    }

    fn document(&mut self, depth: usize) -> Option<Document> {
        let depth = depth.checked_sub(1)?;
        let length = self.length().filter(|length| *length >= SMALLEST)?;
        let (end, body) = self.take(length - 4)?.split_last()?;
        if *end != 0 {
            return None;
        }
        let mut inner = Reader(body);
        let mut members = Vec::new();
        while let Some([kind]) = inner.array() {
            members.push((inner.name()?, inner.value(kind, depth)?));
        }
        Some(Document(members))
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<Bson> {
        match kind {
            0x01 => self.array().map(f64::from_le_bytes).map(Bson::Double),
            0x02 => self.text().map(Bson::Text),
            0x03 => self.document(depth).map(Bson::Document),
            0x04 => self.document(depth).map(Bson::Array),
            0x05 => {
                let length = self.length()?;
                let [_subtype] = self.array()?;
                self.take(length).map(|bytes| Bson::Binary(bytes.to_vec()))
            }
            0x08 => match self.array()? {
                [0] => Some(Bson::Boolean(false)),
                [1] => Some(Bson::Boolean(true)),
                _ => None,
            },
            0x10 => self.array().map(i32::from_le_bytes).map(Bson::Int32),
            0x12 => self.array().map(i64::from_le_bytes).map(Bson::Int64),
            // Object ids, times, timestamps, decimals; null, and the smallest and largest key.
            0x07 => self.take(12).map(|_| Bson::Other),
            0x09 | 0x11 => self.take(8).map(|_| Bson::Other),
            0x13 => self.take(16).map(|_| Bson::Other),
            0x0a | 0x7f | 0xff => Some(Bson::Other),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of bsonspec.org.
    const HELLO_WORLD: &[u8] = b"\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00world\x00\x00";

    /// Its second example: an array of a text, a double and an int32.
    const AWESOME: &[u8] = b"\x31\x00\x00\x00\x04BSON\x00\x26\x00\x00\x00\x020\x00\x08\x00\x00\x00awesome\x00\
                             \x011\x00\x33\x33\x33\x33\x33\x33\x14\x40\x102\x00\xc2\x07\x00\x00\x00\x00";

    #[test]
    fn the_examples_of_the_specification_are_read_and_written() {
        let hello = Document::default().with("hello", "world");
        assert_eq!(hello.encode().unwrap(), HELLO_WORLD);
        assert_eq!(Document::decode(HELLO_WORLD).unwrap(), hello);
        let items = Document::default().with("0", "awesome").with("1", Bson::Double(5.05)).with("2", 1986);
        let awesome = Document::default().with("BSON", Bson::Array(items));
        assert_eq!(awesome.encode().unwrap(), AWESOME);
        assert_eq!(Document::decode(AWESOME).unwrap(), awesome);
    }

    #[test]
    fn what_is_cut_or_lies_about_its_length_is_refused() {
        for whole in [HELLO_WORLD, AWESOME] {
            for end in 0..whole.len() {
                assert_eq!(Document::decode(&whole[..end]), None, "{end}");
                let mut bytes = whole.to_vec();
                bytes[0] = u8::try_from(end).unwrap();
                assert_eq!(Document::decode(&bytes), None, "a length of {end}");
            }
            assert_eq!(Document::decode(&[whole, b"\0"].concat()), None);
        }
        for bytes in [
            b"\x16\x00\x00\x00\x02hello\x00\x07\x00\x00\x00world\x00\x00".as_slice(),
            b"\x16\x00\x00\x00\x02hello\x00\xff\xff\xff\xffworld\x00\x00",
            b"\x16\x00\x00\x00\x02hello\x00\x00\x00\x00\x00world\x00\x00",
            b"\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00worl\xff\x00\x00",
            b"\x09\x00\x00\x00\x08a\x00\x02\x00",
            b"\x08\x00\x00\x00\x20a\x00\x00",
            b"\xff\xff\xff\xff\x00",
        ] {
            assert_eq!(Document::decode(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn documents_in_documents_have_an_end() {
        let nest = |count: usize| (0..count).fold(Document::default(), |inner, _| Document::default().with("a", inner));
        assert!(Document::decode(&nest(DEEPEST - 1).encode().unwrap()).is_some());
        assert_eq!(Document::decode(&nest(DEEPEST).encode().unwrap()), None);
    }

    #[test]
    fn one_is_one_however_it_is_written() {
        let document = Document::default().with("a", Bson::Double(1.0)).with("b", 1).with("c", Bson::Int64(1));
        let document = document.with("d", true).with("e", Bson::Double(0.0)).with("f", 0).with("g", "1");
        for name in ["a", "b", "c", "d"] {
            assert!(document.is_true(name), "{name}");
        }
        for name in ["e", "f", "g", "h"] {
            assert!(!document.is_true(name), "{name}");
        }
    }
}
