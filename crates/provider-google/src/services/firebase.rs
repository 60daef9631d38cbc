//! Firebase: a project, which is the key's own unless another is named.

use super::{Asker, Service, manifest, url};
use crate::question::Question;

pub(super) const SERVICE: Service = Service {
    file: "firebase.toml",
    manifest: manifest!("firebase.toml"),
    scope: "https://www.googleapis.com/auth/firebase https://www.googleapis.com/auth/cloud-platform",
    questions,
};

fn questions(asker: &Asker<'_>) -> Option<Vec<Question>> {
    let project = asker.connection.text("project_id").or_else(|| asker.account.project.clone())?;
    Some(vec![Question {
        url: url("https://firebase.googleapis.com/v1beta1/projects", &[&project])?,
        proof: "/projectId",
        expected: None,
        title: Some("/displayName"),
        api: "Firebase Management API",
        remedy: format!(
            "Check the project's id and that Firebase was added to it, and give {} the role Firebase Viewer there.",
            asker.name
        ),
    }])
}
