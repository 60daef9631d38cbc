//! What two deployments are compared by.

use nora_kernel::Digest;
use nora_provider_sdk::manifest::{McpValue, ResolvedMcp};
use zeroize::Zeroizing;

use crate::ports::DeployedServer;

/// What the installation's key serves here.
const PURPOSE: &str = "deployment";

/// The keyed digest of a deployment, values included: equal ones have equal digests, and nobody can try values out.
pub(crate) fn keyed(digest: &dyn Digest, servers: &[DeployedServer]) -> [u8; 32] {
    digest.keyed(PURPOSE, &encode(servers))
}

enum Piece<'a> {
    Text(&'a str),
    Count(usize),
}

/// Texts with their lengths and lists with their counts, in memory that does not grow and is overwritten.
fn encode(servers: &[DeployedServer]) -> Zeroizing<Vec<u8>> {
    let mut pieces = vec![Piece::Count(servers.len())];
    for server in servers {
        pieces.push(Piece::Text(server.name.as_str()));
        add(&mut pieces, &server.how);
    }
    let size = pieces.iter().map(Piece::size).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    for piece in &pieces {
        piece.write(&mut bytes);
    }
    bytes
}

fn add<'a>(pieces: &mut Vec<Piece<'a>>, how: &'a ResolvedMcp) {
    match how {
        ResolvedMcp::Stdio { command, args, env } => {
            pieces.extend([Piece::Text("stdio"), Piece::Text(command), Piece::Count(args.len())]);
            pieces.extend(args.iter().map(|arg| Piece::Text(arg)));
            add_values(pieces, env);
        }
        ResolvedMcp::Remote { url, headers } => {
            pieces.extend([Piece::Text("remote"), Piece::Text(url.value.expose())]);
            add_values(pieces, headers);
        }
    }
}

fn add_values<'a>(pieces: &mut Vec<Piece<'a>>, values: &'a [McpValue]) {
    pieces.push(Piece::Count(values.len()));
    pieces.extend(values.iter().flat_map(|value| [Piece::Text(&value.name), Piece::Text(value.value.expose())]));
}

impl Piece<'_> {
    fn size(&self) -> usize {
        let text = if let Self::Text(text) = self { text.len() } else { 0 };
        size_of::<u64>() + text
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let (number, text) = match self {
            Self::Text(text) => (text.len(), *text),
            Self::Count(count) => (*count, ""),
        };
        bytes.extend_from_slice(&u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use nora_kernel::{IntegrationId, Secret};

    use super::*;

    fn value(name: &str, text: &str) -> McpValue {
        McpValue { name: name.to_owned(), value: Secret::new(text.to_owned()), secret: None }
    }

    fn process(args: &[&str], env: Vec<McpValue>) -> Vec<DeployedServer> {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let how = ResolvedMcp::Stdio { command: "npx".to_owned(), args, env };
        let integration = IntegrationId::from_uuid("0190a000-0000-7000-8000-000000000001".parse().unwrap());
        vec![DeployedServer { name: "acme".parse().unwrap(), integration, how }]
    }

    #[test]
    fn what_differs_anywhere_is_encoded_differently() {
        let remote = ResolvedMcp::Remote { url: value("url", "https://x"), headers: Vec::new() };
        let documents = [
            Vec::new(),
            process(&[], Vec::new()),
            process(&["a", "b"], Vec::new()),
            process(&["ab"], Vec::new()),
            process(&[], vec![value("A", "b")]),
            process(&[], vec![value("A", "c")]),
            process(&[], vec![value("Ab", "")]),
            process(&["A", "b"], Vec::new()),
            vec![DeployedServer { how: remote, ..process(&[], Vec::new()).remove(0) }],
        ];
        let encoded: Vec<_> = documents.iter().map(|document| encode(document)).collect();
        for (position, one) in encoded.iter().enumerate() {
            assert!(encoded.iter().skip(position + 1).all(|other| other != one), "{position}");
            assert_eq!(one.len(), one.capacity(), "it was measured right");
        }
    }
}
