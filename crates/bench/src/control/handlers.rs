//! The handlers. None of them authenticates, counts, logs or parses anything.

use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::ContentType;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpResponse, Result};
use uuid::Uuid;

use super::Database;

/// Answers are made of this.
static SPACES: [u8; 1 << 20] = [b' '; 1 << 20];

fn answer(size: usize) -> HttpResponse {
    let body = Bytes::from_static(&SPACES).slice(..size.min(SPACES.len()));
    HttpResponse::Ok().content_type(ContentType::json()).body(body)
}

pub(super) async fn constant(size: Path<usize>) -> HttpResponse {
    answer(*size)
}

pub(super) async fn read(size: Path<usize>, _body: Bytes) -> HttpResponse {
    answer(*size)
}

pub(super) async fn query(path: Path<(Uuid, usize)>, database: Data<dyn Database>) -> Result<HttpResponse> {
    let (agent, size) = path.into_inner();
    database.query(agent).await.map_err(ErrorInternalServerError)?;
    Ok(answer(size))
}

pub(super) async fn transaction(size: Path<usize>, body: Bytes, database: Data<dyn Database>) -> Result<HttpResponse> {
    database.transaction(text(&body)).await.map_err(ErrorInternalServerError)?;
    Ok(answer(*size))
}

pub(super) async fn insert(size: Path<usize>, body: Bytes, database: Data<dyn Database>) -> Result<HttpResponse> {
    database.insert(text(&body)).await.map_err(ErrorInternalServerError)?;
    Ok(answer(*size))
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}
