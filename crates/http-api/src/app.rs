//! The application: every route behind the same edge.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, Error, HttpServer};
use utoipa_actix_web::AppExt as _;

use crate::edge::edge;
use crate::fallback::fallback;
use crate::limits::{DRAIN_SECONDS, HEAD_DEADLINE, KEEP_ALIVE, LINGER};
use crate::{Api, resources};

/// The whole application. A server and a test run the same one.
pub fn app(
    api: &Arc<Api>,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>
    + use<>,
> {
    let state = Data::from(Arc::clone(api));
    let api = Arc::clone(api);
    App::new()
        .into_utoipa_app()
        .app_data(state)
        .configure(resources::routes)
        .default_service(web::to(fallback))
        .into_app()
        .wrap(from_fn(move |request, next| {
            let api = Arc::clone(&api);
            async move { edge(&api, request, next).await }
        }))
}

/// A server on a listener that is already bound, with every limit set and no signal handled: stopping it is its
/// owner's to do, through the handle.
///
/// # Errors
///
/// The listener cannot be used.
pub fn server(api: &Arc<Api>, listener: TcpListener, workers: usize) -> io::Result<Server> {
    let api = Arc::clone(api);
    let server = HttpServer::new(move || app(&api))
        .workers(workers)
        .client_request_timeout(HEAD_DEADLINE)
        .client_disconnect_timeout(LINGER)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
