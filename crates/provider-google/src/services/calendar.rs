//! Google Calendar: a calendar.

use super::{Asker, Service, manifest, url};
use crate::question::Question;

pub(super) const SERVICE: Service = Service {
    file: "google-calendar.toml",
    manifest: manifest!("google-calendar.toml"),
    scope: "https://www.googleapis.com/auth/calendar",
    questions,
};

fn questions(asker: &Asker<'_>) -> Option<Vec<Question>> {
    let calendar = asker.connection.text("calendar_id")?;
    Some(vec![Question {
        url: url("https://www.googleapis.com/calendar/v3/calendars", &[&calendar])?,
        proof: "/kind",
        expected: Some("calendar#calendar"),
        title: Some("/summary"),
        api: "Google Calendar API",
        remedy: format!("Check the calendar's id, and share the calendar with {}.", asker.name),
    }])
}
