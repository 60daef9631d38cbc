//! What is refused before anything is stored.

use nora_provider_sdk::manifest::ResolvedMcp;
use nora_provider_sdk::{Connection, Provider};

use crate::support::{aws, check, s3};

#[test]
fn what_decides_where_a_request_goes_is_marked() {
    let marked = |provider: &dyn Provider| {
        let fields = provider.manifest().fields().iter().filter(|field| field.destination);
        fields.map(|field| field.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(marked(&*aws()), ["region", "endpoint_url"]);
    assert_eq!(marked(&*s3()), ["region", "bucket", "endpoint", "force_path_style"]);
}

#[test]
fn a_region_of_another_store_needs_its_endpoint() {
    assert_eq!(check(&*s3(), &[]), []);
    assert_eq!(check(&*s3(), &[("region", "")]), []);
    assert_eq!(check(&*s3(), &[("region", "auto"), ("endpoint", "https://r2.acme.example")]), []);
    let problems = check(&*s3(), &[("region", "auto")]);
    assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), ["region"]);
    assert!(!problems[0].detail.contains("auto"));
}

#[test]
fn the_mcp_server_of_aws_gets_the_key_and_stays_read_only() {
    let provider = aws();
    let (config, secrets) = provider.manifest().split(provider.manifest().example().unwrap());
    let connection = Connection::new(provider.manifest(), &config, &secrets);
    let resolved = provider.manifest().resolve_mcp(&connection).unwrap().unwrap();
    let ResolvedMcp::Stdio { command, args, env } = resolved else { panic!("a process") };
    assert_eq!((command.as_str(), args), ("uvx", vec!["awslabs.aws-api-mcp-server@1.5.6".to_owned()]));
    let names: Vec<&str> = env.iter().map(|value| value.name.as_str()).collect();
    assert_eq!(names, ["AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "READ_OPERATIONS_ONLY"]);
}
