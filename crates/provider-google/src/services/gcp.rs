//! Google Cloud: a project.

use super::{Asker, Service, manifest, url};
use crate::question::Question;

pub(super) const SERVICE: Service = Service {
    file: "gcp.toml",
    manifest: manifest!("gcp.toml"),
    scope: "https://www.googleapis.com/auth/cloud-platform",
    questions,
};

fn questions(asker: &Asker<'_>) -> Option<Vec<Question>> {
    let project = asker.connection.text("project_id")?;
    Some(vec![Question {
        url: url("https://cloudresourcemanager.googleapis.com/v3/projects", &[&project])?,
        proof: "/state",
        expected: Some("ACTIVE"),
        title: Some("/projectId"),
        api: "Cloud Resource Manager API",
        remedy: format!(
            "Google takes the key, but does not show it this project: check the id, and give {} the role Browser there.",
            asker.name
        ),
    }])
}
