//! Google Sheets: a spreadsheet, if one is named.

use super::{Asker, Service, manifest, url};
use crate::question::Question;

pub(super) const SERVICE: Service = Service {
    file: "google-sheets.toml",
    manifest: manifest!("google-sheets.toml"),
    scope: "https://www.googleapis.com/auth/spreadsheets",
    questions,
};

fn questions(asker: &Asker<'_>) -> Option<Vec<Question>> {
    let Some(spreadsheet) = asker.connection.text("spreadsheet_id") else { return Some(Vec::new()) };
    let base = "https://sheets.googleapis.com/v4/spreadsheets?fields=spreadsheetId,properties.title";
    Some(vec![Question {
        url: url(base, &[&spreadsheet])?,
        proof: "/spreadsheetId",
        expected: None,
        title: Some("/properties/title"),
        api: "Google Sheets API",
        remedy: format!("Check the spreadsheet's id, and share the spreadsheet with {}.", asker.name),
    }])
}
