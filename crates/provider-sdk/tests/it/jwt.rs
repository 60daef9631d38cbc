//! JWTs in webhooks. The tokens were made by another implementation (Python's hmac).

use nora_provider_sdk::webhook::RefusalReason;

use crate::inbound::{Call, refusal_of, scheme};

const RIGHT: &str = "eyJhbGciOiAiSFMyNTYifQ.eyJhdWQiOiAiaHR0cHM6Ly9ub3JhLmV4YW1wbGUvYXBpL3dlYmhvb2tzL2Q1ZTZmN2E4LWI5Y\
    zAtMTIzNC1kZWZhLTEyMzQ1Njc4OTAxMiIsICJleHAiOiAxNzY3MjI1NjYwfQ.H0xBXsrVOwGpWsVu7r2Fct7A1g3F2DVffy\
    Uo1C1wgOk";
const ENDLESS: &str = "eyJhbGciOiAiSFMyNTYifQ.eyJhdWQiOiAiaHR0cHM6Ly9ub3JhLmV4YW1wbGUvYXBpL3dlYmhvb2tzL2Q1ZTZmN2E4LWI5Y\
    zAtMTIzNC1kZWZhLTEyMzQ1Njc4OTAxMiJ9.Pa1V0l6pcEsdANQl4zOYceFY9HjOXQS8HBvL1Nt7thA";
const ENDED: &str = "eyJhbGciOiAiSFMyNTYifQ.eyJhdWQiOiAiaHR0cHM6Ly9ub3JhLmV4YW1wbGUvYXBpL3dlYmhvb2tzL2Q1ZTZmN2E4LWI5Y\
    zAtMTIzNC1kZWZhLTEyMzQ1Njc4OTAxMiIsICJleHAiOiAxNzY3MjI1NjAwfQ.kPayxhHOarcBy645pjb-sx8Bdux_93_M2i\
    2gP11xYUs";
const ELSEWHERE: &str = "eyJhbGciOiAiSFMyNTYifQ.eyJhdWQiOiAiaHR0cHM6Ly9ldmlsLmV4YW1wbGUvIiwgImV4cCI6IDE3NjcyMjU2NjB9.rynr\
    j-jNKNRQosCLRVctfvvW9aCgPQREP0wgSpRXMUY";
const EARLY: &str = "eyJhbGciOiAiSFMyNTYifQ.eyJhdWQiOiAiaHR0cHM6Ly9ub3JhLmV4YW1wbGUvYXBpL3dlYmhvb2tzL2Q1ZTZmN2E4LWI5Y\
    zAtMTIzNC1kZWZhLTEyMzQ1Njc4OTAxMiIsICJleHAiOiAxNzY3MjI1NjYwLCAibmJmIjogMTc2NzIyNTYzMH0.iHUQW3EdY\
    mL292T6_h-m9QgsXWv5gTDBW9Uxe9rHhV0";
const NONE: &str = "eyJhbGciOiAibm9uZSJ9.eyJhdWQiOiAiaHR0cHM6Ly9ub3JhLmV4YW1wbGUvYXBpL3dlYmhvb2tzL2Q1ZTZmN2E4LWI5YzA\
    tMTIzNC1kZWZhLTEyMzQ1Njc4OTAxMiIsICJleHAiOiAxNzY3MjI1NjYwfQ.";

const BLOCK: &str = r#"
[webhook.verify]
scheme = "jwt"
algorithm = "HS256"
header = "Authorization"
audience = "{url}"
"#;

fn outcome(token: &str) -> Option<RefusalReason> {
    let call = Call { secrets: &["app-signing-secret"], headers: &[("authorization", token)], ..Call::default() };
    refusal_of(&scheme(BLOCK), &call)
}

#[test]
fn a_token_is_for_this_channel_and_ends() {
    for (token, refused) in [
        (RIGHT, None),
        (ENDLESS, Some(RefusalReason::MalformedRequest)),
        (ENDED, Some(RefusalReason::Stale)),
        (EARLY, Some(RefusalReason::Stale)),
        (ELSEWHERE, Some(RefusalReason::Mismatch)),
        (NONE, Some(RefusalReason::MalformedSignature)),
        ("", Some(RefusalReason::MissingSignature)),
        ("a.b.c", Some(RefusalReason::MalformedSignature)),
    ] {
        assert_eq!(outcome(token), refused, "{token}");
    }
}

#[test]
fn a_token_signed_by_somebody_else_is_refused_before_its_claims_are_read() {
    let (signed, _) = ENDED.rsplit_once('.').unwrap();
    let (_, signature) = RIGHT.rsplit_once('.').unwrap();
    assert_eq!(outcome(&format!("{signed}.{signature}")), Some(RefusalReason::Mismatch));
}

#[test]
fn a_jwt_in_authorization_is_a_credential_and_is_not_stored() {
    let scheme = scheme(BLOCK);
    assert!(!scheme.can_reverify());
    let headers = [("authorization", RIGHT.as_bytes())].into_iter().collect();
    assert_eq!(scheme.masked_headers(&headers), [("authorization".to_owned(), b"***".to_vec())]);
}
