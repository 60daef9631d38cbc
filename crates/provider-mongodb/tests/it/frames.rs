//! Frames of the protocol, byte by byte.

/// A member of a document.
pub(crate) type Member = Vec<u8>;

fn member(kind: u8, name: &str, value: &[u8]) -> Member {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap().to_le_bytes()
}

pub(crate) fn double(name: &str, number: f64) -> Member {
    member(1, name, &number.to_le_bytes())
}

pub(crate) fn text(name: &str, text: &str) -> Member {
    member(2, name, &[&size(text.len() + 1), text.as_bytes(), &[0]].concat())
}

pub(crate) fn document(members: &[Member]) -> Vec<u8> {
    let body = members.concat();
    [&size(body.len() + 5)[..], &body, &[0]].concat()
}

pub(crate) fn object(name: &str, members: &[Member]) -> Member {
    member(3, name, &document(members))
}

/// Its members are named `0`, `1`, ...
pub(crate) fn array(name: &str, members: &[Member]) -> Member {
    member(4, name, &document(members))
}

pub(crate) fn binary(name: &str, bytes: &[u8]) -> Member {
    member(5, name, &[&size(bytes.len())[..], &[0], bytes].concat())
}

pub(crate) fn boolean(name: &str, flag: bool) -> Member {
    member(8, name, &[u8::from(flag)])
}

pub(crate) fn int(name: &str, number: i32) -> Member {
    member(16, name, &number.to_le_bytes())
}

/// What servers add to every reply: the state of the cluster, in types that nobody asks for.
pub(crate) fn decoration() -> Vec<Member> {
    let signature = [binary("hash", &[7; 20]), member(18, "keyId", &7_i64.to_le_bytes())];
    vec![
        object("$clusterTime", &[member(17, "clusterTime", &[1; 8]), object("signature", &signature)]),
        member(17, "operationTime", &[1; 8]),
        object("topologyVersion", &[member(7, "processId", &[3; 12]), member(18, "counter", &0_i64.to_le_bytes())]),
        member(9, "localTime", &[5; 8]),
        member(10, "comment", &[]),
    ]
}

/// A reply that is no error.
pub(crate) fn good(members: Vec<Member>) -> Vec<u8> {
    document(&[members, vec![double("ok", 1.0)], decoration()].concat())
}

/// An error, with words that quote a secret.
pub(crate) fn error(code: i32) -> Vec<u8> {
    document(&[double("ok", 0.0), text("errmsg", "canary-password is wrong"), int("code", code)])
}

/// A document as the reply to a message.
pub(crate) fn reply(to: i32, document: &[u8]) -> Vec<u8> {
    let header: Vec<u8> = [99, to, 2013, 0].into_iter().flat_map(i32::to_le_bytes).collect();
    [&size(document.len() + 21)[..], &header, &[0], document].concat()
}
