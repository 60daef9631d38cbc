//! Reading a body that holds credentials.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use futures_util::StreamExt as _;
use zeroize::Zeroizing;

use super::answer::refused;

/// Bytes of a body. The largest webhook there is fits in Base64, and a whole set of credentials many times over.
const MOST_BYTES: usize = 40 * 1024 * 1024;

/// Reads the whole body into memory that is overwritten afterwards, or answers why not.
pub(super) async fn read(mut payload: Payload) -> Result<Zeroizing<Vec<u8>>, HttpResponse> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| refused(StatusCode::BAD_REQUEST, "the body ended early"))?;
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 40 MiB"));
        }
        extend(&mut body, &chunk);
    }
    Ok(body)
}

/// Grows into new memory itself, because a vector that grows leaves its old memory as it was.
fn extend(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.capacity() - body.len() < chunk.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity((body.len() + chunk.len()) * 2));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(chunk);
}
