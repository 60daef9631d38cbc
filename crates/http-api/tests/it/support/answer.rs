//! An answer, read to its end.

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpResponse};
use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Answer {
    pub(super) async fn read(response: ServiceResponse<BoxBody>) -> Self {
        Self::of(response.into_parts().1).await
    }

    /// What the server makes of an error that reached it.
    pub(super) async fn of_error(error: &Error) -> Self {
        Self::of(error.error_response()).await
    }

    async fn of(response: HttpResponse<BoxBody>) -> Self {
        let (head, body) = response.into_parts();
        let body = to_bytes(body.boxed()).await.unwrap().to_vec();
        Self { status: head.status().as_u16(), headers: head.headers().clone(), body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A problem's `code`.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no problem: {self:?}")).to_owned()
    }

    /// Status and `code` of a problem, for one comparison.
    pub(crate) fn problem(&self) -> (u16, String) {
        (self.status, self.code())
    }

    /// The pointers of a problem, in their order.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let places = self.json()["errors"].as_array().cloned().unwrap_or_default();
        places.iter().map(|place| place["pointer"].as_str().unwrap().to_owned()).collect()
    }

    /// The body without the one member that is different in every answer.
    pub(crate) fn without_request_id(&self) -> Value {
        let mut body = self.json();
        body.as_object_mut().unwrap().remove("request_id");
        body
    }
}
