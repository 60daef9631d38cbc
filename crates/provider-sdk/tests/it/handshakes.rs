//! What becomes of requests that are no events.

use nora_provider_sdk::webhook::{HandshakeMethod, Received, RefusalReason};

use crate::inbound::{Call, hmac, refusal_of, reply_of, scheme};

const SIGNED: &str = r#"
[webhook.verify]
scheme = "hmac"
algorithm = "sha256"
header = "X-Sig"
"#;

fn handshake(entry: &str) -> String {
    format!("{SIGNED}[[webhook.handshakes]]\n{entry}\n")
}

fn get(query: &str) -> Call<'_> {
    Call { method: HandshakeMethod::Get, query, ..Call::default() }
}

#[test]
fn a_challenge_in_the_query_needs_the_token_of_the_channel() {
    let meta = scheme(&handshake(
        "kind = \"echo_query\"\nmethod = \"GET\"\nchallenge = \"hub.challenge\"\nrequire = { \"hub.mode\" = \"subscribe\" }\nverify_token = \"hub.verify_token\"\nreply = \"text\"",
    ));
    let right = "hub.mode=subscribe&hub.challenge=42&hub.verify_token=meat";
    let call = Call { verify_token: Some("meat"), secrets: &["one"], ..get(right) };
    let reply = reply_of(&meta, &call);
    assert_eq!(
        (reply.status, reply.content_type, reply.body),
        (200, Some("text/plain; charset=utf-8"), b"42".to_vec())
    );
    for query in [
        "hub.mode=subscribe&hub.challenge=42&hub.verify_token=meet",
        "hub.mode=unsubscribe&hub.challenge=42&hub.verify_token=meat",
        "hub.mode=subscribe&hub.challenge=42&hub.challenge=43&hub.verify_token=meat",
        "hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=meat",
        "hub.mode=subscribe&hub.challenge=&hub.verify_token=meat",
        "hub.mode=subscribe&hub.challenge=42",
    ] {
        assert_eq!(refusal_of(&meta, &Call { query, ..call }), Some(RefusalReason::BadHandshake), "{query}");
    }
    let keyless = Call { verify_token: None, ..call };
    assert_eq!(refusal_of(&meta, &keyless), Some(RefusalReason::BadHandshake));
    assert_eq!(refusal_of(&meta, &Call { unverified: true, ..keyless }), None, "somebody chose so");
    assert_eq!(refusal_of(&meta, &get("")), Some(RefusalReason::UnexpectedMethod));
    let head = Call { method: HandshakeMethod::Head, ..call };
    assert_eq!(refusal_of(&meta, &head), Some(RefusalReason::UnexpectedMethod));
}

#[test]
fn a_challenge_has_an_end() {
    let dropbox =
        scheme(&handshake("kind = \"echo_query\"\nmethod = \"GET\"\nchallenge = \"challenge\"\nreply = \"text\""));
    for (length, refused) in [(512, None), (513, Some(RefusalReason::BadHandshake))] {
        let query = format!("challenge={}", "x".repeat(length));
        assert_eq!(refusal_of(&dropbox, &get(&query)), refused);
    }
}

/// Whoever asks gets a challenge signed; what is signed so must not pass for an event.
#[test]
fn a_signed_challenge_is_no_event() {
    let crc = scheme(&handshake(
        "kind = \"sign_query\"\nchallenge = \"crc_token\"\nresponse = \"response_token\"\nencoding = \"hex\"",
    ));
    let call = Call { secrets: &["api-secret", "older"], ..get("crc_token=123") };
    let reply = String::from_utf8(reply_of(&crc, &call).body).unwrap();
    assert_eq!(reply, "{\"response_token\":\"05a06d20bdfe7087a2d16541ce20b2c25bac70aa56cb19920bbad0846698f59c\"}");
    let signature = hmac("api-secret", "123");
    let forged = Call { secrets: &["api-secret"], body: "123", headers: &[("x-sig", &signature)], ..Call::default() };
    assert_eq!(refusal_of(&crc, &forged), Some(RefusalReason::BadBody));
    assert_eq!(refusal_of(&crc, &Call { secrets: &[], ..call }), Some(RefusalReason::NoKey));
    assert_eq!(refusal_of(&crc, &get("crc_token=%7B%7D")), Some(RefusalReason::NoKey));
    let braces = Call { secrets: &["api-secret"], ..get("crc_token=%7B%7D") };
    assert_eq!(refusal_of(&crc, &braces), Some(RefusalReason::BadHandshake));
}

#[test]
fn a_secret_is_taken_from_a_handshake_only_while_it_is_awaited() {
    let header = scheme(&handshake("kind = \"secret_in_header\"\nheader = \"X-Hook-Secret\""));
    let body = scheme(&handshake("kind = \"secret_in_body\"\npointer = \"/verification_token\""));
    let awaiting = Call { awaiting: true, ..Call::default() };
    let asana = Call { headers: &[("x-hook-secret", "0123456789abcdef")], body: "", ..awaiting };
    let notion = Call { body: "{\"verification_token\": \"secret_abc\"}", ..awaiting };
    let Received::Enrol { secret, reply } = asana.to(&header) else { panic!("a secret") };
    let (name, echoed) = reply.header.unwrap();
    assert_eq!(
        (secret.expose(), name.as_str(), echoed.expose()),
        ("0123456789abcdef", "x-hook-secret", "0123456789abcdef")
    );
    let Received::Enrol { secret, reply } = notion.to(&body) else { panic!("a secret") };
    assert_eq!((secret.expose(), reply.status, reply.header.is_none()), ("secret_abc", 200, true));
    for (scheme, call) in [(&header, asana), (&body, notion)] {
        let keyed = Call { awaiting: false, secrets: &["one"], ..call };
        assert_eq!(refusal_of(scheme, &keyed), Some(RefusalReason::MissingSignature));
    }
    let event = Call { headers: &[("x-sig", "00")], ..awaiting };
    assert_eq!(refusal_of(&header, &event), Some(RefusalReason::AwaitingHandshake));
    for secret in ["undefined", "aaaaaaaa", "with space", "é"] {
        let text = format!("{{\"verification_token\": \"{secret}\"}}");
        assert_eq!(refusal_of(&body, &Call { body: &text, ..awaiting }), Some(RefusalReason::BadHandshake), "{secret}");
    }
}

#[test]
fn pings_are_answered_once_they_are_verified() {
    let discord = format!(
        "reject_status = 401\n{}",
        handshake(
            "kind = \"ping\"\nwhen = [{ pointer = \"/type\", equals = 1 }]\nstatus = 200\njson = \"{\\\"type\\\": 1}\""
        )
    );
    let discord = scheme(&discord);
    let ping = Call { body: "{\"type\":1}", secrets: &["one"], ..Call::default() };
    let signature = hmac("one", ping.body);
    let signed = Call { headers: &[("x-sig", &signature)], ..ping };
    assert_eq!(reply_of(&discord, &signed).body, b"{\"type\":1}");
    let Received::Refused(refusal) = ping.to(&discord) else { panic!("refused") };
    assert_eq!((refusal.reason, refusal.status), (RefusalReason::MissingSignature, 401));
    let broken = hmac("one", "{");
    let broken = Call { body: "{", headers: &[("x-sig", &broken)], ..ping };
    let Received::Refused(refusal) = broken.to(&discord) else { panic!("refused") };
    assert_eq!((refusal.reason, refusal.status), (RefusalReason::BadBody, 400));
}

#[test]
fn an_unsigned_form_is_one_number_and_nothing_else() {
    let shop = scheme(&handshake("kind = \"unsigned_form\"\nform_field = \"webhook_id\""));
    let refused = |body: &str| refusal_of(&shop, &Call { body, secrets: &["one"], ..Call::default() });
    assert_eq!(refused("webhook_id=142"), None);
    for body in ["webhook_id=142&x=1", "webhook_id=a", "webhook_id=", "webhook=1"] {
        assert_eq!(refused(body), Some(RefusalReason::MissingSignature), "{body}");
    }
}
