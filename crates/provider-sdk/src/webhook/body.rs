//! A body, read as far as it is asked for.

use std::cell::OnceCell;

use super::form::Form;
use super::json::{self, Found};
use super::{BodyForm, InboundRequest, Locator, Place, WebhookScheme};

/// A request with a body in a form that its scheme sends.
pub(super) struct Body<'a> {
    request: InboundRequest<'a>,
    form: BodyForm,
    parameters: OnceCell<Form<'a>>,
}

impl<'a> Body<'a> {
    /// The body, in the form its type says. Where that says nothing that the scheme sends, a brace or a bracket tells
    /// JSON from a form.
    pub(super) fn of(request: InboundRequest<'a>, scheme: &WebhookScheme) -> Self {
        let sends = |form: &BodyForm| scheme.bodies.contains(form);
        let looks_like_json = || request.body.trim_ascii_start().first().is_some_and(|byte| b"{[".contains(byte));
        let usual = scheme.bodies.first().copied().unwrap_or(BodyForm::Json);
        let form = declared_form(&request).filter(sends).unwrap_or_else(|| match (scheme.undeclared_forms, usual) {
            (true, _) if !looks_like_json() => BodyForm::Form,
            (true, BodyForm::Form) if sends(&BodyForm::Json) => BodyForm::Json,
            _ => usual,
        });
        Self { request, form, parameters: OnceCell::new() }
    }

    /// Whether it is what it says it is. A form and its parts hold whatever they hold.
    pub(super) fn parses(&self) -> bool {
        self.form != BodyForm::Json || self.text().is_some_and(json::is_json)
    }

    /// Whether it is JSON and, past white space, an object or an array.
    pub(super) fn is_compound(&self) -> bool {
        self.form == BodyForm::Json && self.at("").is_some_and(|found| found == Found::Compound)
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.request.body
    }

    pub(super) fn is_form(&self) -> bool {
        self.form == BodyForm::Form
    }

    /// The parameters of a form; none in any other body.
    pub(super) fn parameters(&self) -> &Form<'a> {
        let parse = || if self.is_form() { Form::parse(self.request.body) } else { Form::default() };
        self.parameters.get_or_init(parse)
    }

    /// What is at a JSON Pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<Found> {
        if self.form == BodyForm::Json { json::at(self.text()?, pointer) } else { None }
    }

    /// The text at a JSON Pointer; numbers and booleans count as text.
    pub(super) fn text_at(&self, pointer: &str) -> Option<String> {
        self.at(pointer)?.text()
    }

    fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.request.body).ok()
    }

    /// What is at a place, if it is text and not empty.
    pub(super) fn find(&self, place: &Place) -> Option<String> {
        let found = match place {
            Place::Header(name) => {
                let mut values = self.request.headers.all(name);
                let value = values.next().filter(|_| values.next().is_none())?;
                std::str::from_utf8(value).ok()?.to_owned()
            }
            Place::Pointer(pointer) => self.text_at(pointer)?,
            Place::FormField(name) => self.parameters().text(name)?.to_owned(),
        };
        Some(found).filter(|text| !text.is_empty())
    }

    /// What a locator finds: the parts of one value, or the first of its alternatives.
    pub(super) fn locate(&self, locator: &Locator) -> Option<Vec<String>> {
        if locator.first_of {
            return locator.places.iter().find_map(|place| self.find(place)).map(|text| vec![text]);
        }
        locator.places.iter().map(|place| self.find(place)).collect()
    }
}

/// The form a body says it has in `Content-Type`, if it is one of ours.
fn declared_form(request: &InboundRequest<'_>) -> Option<BodyForm> {
    let value = request.headers.all("content-type").next()?;
    let kind = value.split(|byte| *byte == b';').next()?.trim_ascii().to_ascii_lowercase();
    match kind.as_slice() {
        b"application/x-www-form-urlencoded" => Some(BodyForm::Form),
        b"multipart/form-data" => Some(BodyForm::Multipart),
        kind if kind.ends_with(b"/json") || kind.ends_with(b"+json") => Some(BodyForm::Json),
        _ => None,
    }
}
