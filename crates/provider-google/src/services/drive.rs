//! Google Drive: whose it is, and a folder if one is named.

use super::{Asker, Service, manifest, url};
use crate::question::Question;

pub(super) const SERVICE: Service = Service {
    file: "google-drive.toml",
    manifest: manifest!("google-drive.toml"),
    scope: "https://www.googleapis.com/auth/drive",
    questions,
};

const API: &str = "Google Drive API";

fn questions(asker: &Asker<'_>) -> Option<Vec<Question>> {
    let owner = Question {
        url: url("https://www.googleapis.com/drive/v3/about?fields=user(displayName,emailAddress)", &[])?,
        proof: "/user/emailAddress",
        expected: None,
        title: None,
        api: API,
        remedy: format!("Google takes the key, but does not let {} use Drive.", asker.name),
    };
    let Some(folder) = asker.connection.text("folder_id") else { return Some(vec![owner]) };
    let base = "https://www.googleapis.com/drive/v3/files?fields=id,name&supportsAllDrives=true";
    let folder = Question {
        url: url(base, &[&folder])?,
        proof: "/id",
        expected: None,
        title: Some("/name"),
        api: API,
        remedy: format!("Check the folder's id, and share the folder with {}.", asker.name),
    };
    Some(vec![owner, folder])
}
