//! Google Analytics: a property.

use super::{Asker, Service, manifest, url};
use crate::question::Question;

pub(super) const SERVICE: Service = Service {
    file: "google-analytics.toml",
    manifest: manifest!("google-analytics.toml"),
    scope: "https://www.googleapis.com/auth/analytics.readonly",
    questions,
};

/// The whole answer has hundreds of kilobytes, and nothing but the name is of interest.
const NAME_ALONE: &str = "https://analyticsdata.googleapis.com/v1beta/properties?fields=name";

fn questions(asker: &Asker<'_>) -> Option<Vec<Question>> {
    let property = asker.connection.text("property_id")?;
    Some(vec![Question {
        url: url(NAME_ALONE, &[&property, "metadata"])?,
        proof: "/name",
        expected: None,
        title: None,
        api: "Google Analytics Data API",
        remedy: format!("Check the property's id, and add {} to the property as a viewer.", asker.name),
    }])
}
