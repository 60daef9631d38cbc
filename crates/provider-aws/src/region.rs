//! AWS's regions, and the domains they lie under.

/// The domain of most regions, those for the government of the United States among them.
const USUAL: &str = "amazonaws.com";

/// How the names of other partitions' regions begin, and where their hosts are.
const ELSEWHERE: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
];

/// The regions a bucket may turn out to be in, one on a line.
const KNOWN: &str = include_str!("regions.txt");

/// The host of `service` in `region`; `None` if the name is not formed like those of AWS's regions.
pub(crate) fn host(service: &str, region: &str) -> Option<String> {
    let elsewhere = ELSEWHERE.iter().find(|(beginning, _)| region.starts_with(beginning));
    let domain = elsewhere.map_or(USUAL, |(_, domain)| domain);
    is_formed(region).then(|| format!("{service}.{region}.{domain}"))
}

/// Our own spelling of a region that a service named, so that nothing of the service's is repeated.
pub(crate) fn known(region: &str) -> Option<&'static str> {
    KNOWN.lines().find(|known| *known == region)
}

/// Words and then a number, such as `us-gov-west-1`.
fn is_formed(region: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let Some((words, number)) = region.rsplit_once('-') else { return false };
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    region.len() <= 32 && is_number && words.contains('-') && words.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_domain() {
        for (region, expected) in [
            ("us-east-1", "sts.us-east-1.amazonaws.com"),
            ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
            ("cn-northwest-1", "sts.cn-northwest-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"),
        ] {
            assert_eq!(host("sts", region).as_deref(), Some(expected));
        }
    }

    #[test]
    fn no_host_is_made_of_anything_else() {
        for region in [
            "",
            "auto",
            "us-east",
            "us-east-",
            "us-east-100",
            "east-1",
            "evil.test/#-a-1",
            "us-east-1.evil.test",
            "us-éast-1",
            "us--1",
            "US-EAST-1",
        ] {
            assert_eq!(host("sts", region), None, "{region}");
        }
    }

    #[test]
    fn every_known_region_has_a_host() {
        assert!(KNOWN.lines().all(|region| host("s3", region).is_some() && known(region) == Some(region)));
        assert_eq!(known("eu-central-9"), None);
    }
}
