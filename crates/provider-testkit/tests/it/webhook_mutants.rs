//! Providers that are wrong about webhooks in one way each fail exactly the check that is about it.

use async_trait::async_trait;
use nora_provider_sdk::webhook::{
    ChannelKeys, InboundHeaders, InboundRequest, MAX_HEADER, Received, Refusal, RefusalReason, WebhookScheme,
};
use nora_provider_sdk::{Connection, Context, Manifest, Outcome, Provider, Secret, Timestamp};
use nora_provider_testkit::suite;

const MANIFEST: &str = r#"
id = "acme"
name = "Acme"
category = "productivity"
description = "Sends events about tasks."
docs_url = "https://developers.acme.example/webhooks"
auth_type = "token"

[[fields]]
name = "api_token"
title = "API token"

[test]
code = true

[webhook]
delivery_id = { pointer = "/id" }
event_type = { pointer = "/type" }

[webhook.verify]
scheme = "hmac"
algorithm = "sha256"
header = "X-Acme-Signature"
signed = "{timestamp}.{body}"
timestamp = { header = "X-Acme-Timestamp" }

[[webhook.vectors]]
name = "a task"
origin = "computed"
secret = "acme-signing-secret-0123"
headers = { X-Acme-Timestamp = "1767225600", X-Acme-Signature = "SIGNATURE" }
body = '{"id": "evt_1", "type": "task.created"}'
delivery_id = "evt_1"
event_type = "task.created"

[example]
values = { api_token = "acme-0123456789" }
"#;

/// Made by another implementation (Python's hmac).
const SIGNATURE: &str = "20c2a4181206091a93651e18b774e3de8635571221e41efcfb1ffa10c55392ce";

/// What one mutant does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    TakesWhatIsNotSigned,
    TakesTheFirstOfTwo,
    CutsWhatIsTooLong,
    ForgetsTheLastByte,
    NeedsNoSecret,
    HasNoClock,
    ReadsAnotherId,
}

struct Mutant {
    manifest: Manifest,
    fault: Fault,
}

impl Mutant {
    fn new(fault: Fault) -> Self {
        let text = MANIFEST.replace("SIGNATURE", SIGNATURE);
        Self { manifest: Manifest::parse("mutant.toml", &text).unwrap(), fault }
    }

    fn scheme(&self) -> &WebhookScheme {
        self.manifest.webhook().unwrap()
    }
}

#[async_trait]
impl Provider for Mutant {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, _: &Connection<'_>, _: &dyn Context) -> Outcome {
        Outcome::unverifiable("Acme has nothing to ask.")
    }

    fn receive(&self, request: &InboundRequest<'_>, keys: &ChannelKeys<'_>, now: Timestamp) -> Received {
        let refused =
            |received: &Received, why| matches!(received, Received::Refused(Refusal { reason, .. }) if *reason == why);
        let unverified = |request: &InboundRequest<'_>| {
            self.scheme().receive(request, &ChannelKeys { unverified: true, ..ChannelKeys::default() }, now)
        };
        let received = self.scheme().receive(request, keys, now);
        let headers = changed(request.headers, self.fault);
        match self.fault {
            Fault::TakesWhatIsNotSigned if refused(&received, RefusalReason::MissingSignature) => unverified(request),
            Fault::TakesTheFirstOfTwo | Fault::CutsWhatIsTooLong => {
                self.scheme().receive(&InboundRequest { headers: &headers, ..*request }, keys, now)
            }
            Fault::ForgetsTheLastByte => match request.body.split_last() {
                Some((_, rest)) if refused(&received, RefusalReason::Mismatch) => {
                    let whole = [rest, b"}"].concat();
                    self.scheme().receive(&InboundRequest { body: &whole, ..*request }, keys, now)
                }
                _ => received,
            },
            Fault::NeedsNoSecret if keys.secrets.is_empty() => {
                let secret = Secret::new("acme-signing-secret-0123".to_owned());
                self.scheme().receive(request, &ChannelKeys { secrets: &[&secret], ..*keys }, now)
            }
            Fault::HasNoClock => {
                self.scheme().receive(request, keys, Timestamp::from_microseconds(1_767_225_600_000_000))
            }
            Fault::ReadsAnotherId => match received {
                Received::Event(mut event) => {
                    event.delivery_id = event.event_type.clone();
                    Received::Event(event)
                }
                received => received,
            },
            _ => received,
        }
    }
}

/// The headers as a careless reader sees them.
fn changed<'a>(headers: &InboundHeaders<'a>, fault: Fault) -> InboundHeaders<'a> {
    let mut seen = Vec::new();
    let first = headers.iter().filter(|(name, _)| {
        let is_new = !seen.contains(name);
        seen.push(name);
        is_new || fault != Fault::TakesTheFirstOfTwo
    });
    let cut = |value: &'a [u8]| if value.len() > MAX_HEADER { value.get(..64).unwrap_or(value) } else { value };
    first.map(|(name, value)| (name, if fault == Fault::CutsWhatIsTooLong { cut(value) } else { value })).collect()
}

async fn failed(provider: &dyn Provider) -> Vec<&'static str> {
    suite::failures(provider).await.into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn each_fault_fails_the_check_that_is_about_it() {
    for (fault, checks) in [
        (Fault::None, [].as_slice()),
        (Fault::TakesWhatIsNotSigned, &["missing_signatures_are_refused"]),
        (Fault::TakesTheFirstOfTwo, &["doubled_signatures_are_refused"]),
        (Fault::CutsWhatIsTooLong, &["oversized_signatures_are_refused"]),
        (Fault::ForgetsTheLastByte, &["flipped_bits_are_refused"]),
        (Fault::NeedsNoSecret, &["other_secrets_are_refused"]),
        (Fault::HasNoClock, &["stale_requests_are_refused"]),
        (Fault::ReadsAnotherId, &["recorded_cases_end_as_they_say"]),
    ] {
        assert_eq!(failed(&Mutant::new(fault)).await, checks, "{fault:?}");
    }
}

#[tokio::test]
async fn a_way_that_no_vector_shows_is_not_green_for_want_of_trying() {
    let (head, rest) = MANIFEST.split_once("[[webhook.vectors]]").unwrap();
    let (_, example) = rest.split_once("[example]").unwrap();
    let manifest = Manifest::parse("mutant.toml", &format!("{head}[example]{example}")).unwrap();
    let found = failed(&Mutant { manifest, fault: Fault::None }).await;
    assert_eq!(found, ["webhooks_are_recorded"]);
}
