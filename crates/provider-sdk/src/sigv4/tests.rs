use super::*;
use crate::Method;

/// The key and the time of AWS's worked example.
fn access_key(session_token: Option<&str>) -> AccessKey {
    AccessKey {
        id: "AKIDEXAMPLE".to_owned(),
        secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
        session_token: session_token.map(|token| Secret::new(token.to_owned())),
    }
}

fn time() -> Timestamp {
    "2015-08-30T12:36:00Z".parse().unwrap()
}

fn request(method: Method, url: &str, body: Option<&str>) -> Request {
    let body = body.map(|body| Secret::new(body.to_owned()));
    Request { method, url: Url::parse(url).unwrap(), headers: Vec::new(), body }
}

fn get(url: &str) -> Request {
    request(Method::Get, url, None)
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.expose()).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

#[test]
fn awss_worked_example() {
    let key = access_key(None);
    let own = Signer { key: &key, region: "us-east-1", service: "iam" };
    let request = get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08").header("content-type", FORM);
    let unsigned = own.with_headers(get(request.url.as_str()).header("content-type", FORM), "20150830T123600Z");
    let canonical = own.canonical(&unsigned).0;
    assert_eq!(
        hex::encode(sha256(canonical.expose().as_bytes())),
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    );
    assert_eq!(
        hex::encode(own.signing_key("20150830")),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    );
    let signed = own.sign(request, time());
    assert_eq!(header(&signed, "x-amz-date"), "20150830T123600Z");
    assert_eq!(
        header(&signed, "authorization"),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn the_identity_request() {
    let key = access_key(None);
    let own = Signer { key: &key, region: "us-east-1", service: "sts" };
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let request = request(Method::Post, "https://sts.us-east-1.amazonaws.com/", Some(body));
    let signed = own.sign(request.header("content-type", FORM), time());
    let expected = "Signature=52a8540fea00e731072179f763577cbe2a45eac2c5d32fb4d785f3eefac88165";
    assert!(header(&signed, "authorization").ends_with(expected));
}

/// Computed with botocore, AWS's own implementation in Python.
#[test]
fn what_botocore_signs() {
    for (service, region, url, token, names, signature) in [
        (
            "s3",
            "eu-central-1",
            "https://acme-orders.s3.eu-central-1.amazonaws.com/?list-type=2&max-keys=1",
            Some("IQoJb3JpZ2luX2VjEXAMPLE=="),
            "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
            "65dcde38e9324fb5f21d6a66df144fb975a0a457ea8877bc7904145d0beafce5",
        ),
        (
            "s3",
            "auto",
            "http://store.acme.example:9000/a%20b/acme.orders?prefix=a%2Fb%20c&list-type=2",
            None,
            "host;x-amz-content-sha256;x-amz-date",
            "a7a0d92e92d1f33d6b884728c7121e8ff6a5b33336564f0fcc14be19c8d15f50",
        ),
        (
            "sts",
            "us-east-1",
            "https://sts.acme.example/a%20b/c?X=%C3%A4&A=1",
            None,
            "host;x-amz-date",
            "37ea16f1850d5c425ab5640a12a02598fe6893c32efde633a16c3b031d6d2812",
        ),
    ] {
        let key = access_key(token);
        let signed = Signer { key: &key, region, service }.sign(get(url), time());
        let expected = format!("/{region}/{service}/aws4_request, SignedHeaders={names}, Signature={signature}");
        assert!(header(&signed, "authorization").ends_with(&expected), "{url}");
    }
}

#[test]
fn the_session_token_is_sent_as_it_is() {
    let key = access_key(Some("FwoGZXIvYXdzEXAMPLE"));
    let own = Signer { key: &key, region: "us-east-1", service: "sts" };
    let signed = own.sign(get("https://sts.us-east-1.amazonaws.com/"), time());
    assert_eq!(header(&signed, "x-amz-security-token"), "FwoGZXIvYXdzEXAMPLE");
}
