//! The document that describes the API, made from the very functions that answer.

use super::Api;
use super::problem::{PROBLEM_JSON, Problem};
use crate::config::BasePath;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, header};
use axum::response::IntoResponse;
use std::sync::Arc;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, Object, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
    Server, Type,
};

/// What stands above it all.
const DESCRIPTION: &str = "Find, open and run sessions of a Gamekeeper server. Playing itself is a binary \
    protocol over a WebSocket, for which a ticket is the way in. Errors are application/problem+json whose \
    `detail` says what to do. Requests are limited per address: 429 says in Retry-After when to come back. \
    Asking for many codes that do not exist makes every look-up wait.";

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "about",
    responses((status = 200, description = "The document.", content_type = "application/json", body = Object)))]
pub(super) async fn document(State(api): State<Arc<Api>>) -> Response<Body> {
    let document = api.document.get().expect("set with the router").clone();
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// The document before it has any path, of an API below `base`.
pub(super) fn frame(base: &BasePath) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Gamekeeper")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    let servers = (!base.as_str().is_empty()).then(|| vec![Server::new(base.as_str())]);
    OpenApiBuilder::new().info(info).servers(servers).build()
}

/// Adds what holds of every request.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let host = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The session's host secret, 32 hexadecimal digits."))
        .build();
    components.add_security_scheme("host", SecurityScheme::Http(host));
    let name = <Problem as utoipa::ToSchema>::name().into_owned();
    components.schemas.insert(name, <Problem as utoipa::PartialSchema>::schema());
    for item in document.paths.paths.values_mut() {
        for (method, operation) in
            [(HttpMethod::Get, &mut item.get), (HttpMethod::Post, &mut item.post)]
        {
            if let Some(operation) = operation {
                complete_operation(&method, operation);
            }
        }
    }
    document
}

fn complete_operation(method: &HttpMethod, operation: &mut Operation) {
    let mut common = vec![(429, "Too many requests of this kind from this address.")];
    if *method == HttpMethod::Post {
        common.extend([
            (400, "The body is no JSON."),
            (403, "The page that asks may not."),
            (408, "The body did not come in time."),
            (413, "The body is too big: 16 KiB are enough."),
            (415, "The body is not said to be JSON."),
            (422, "Something in the body makes no sense."),
        ]);
    }
    for (status, description) in common {
        let response = ResponseBuilder::new().description(description).build();
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_string()).or_insert(RefOr::T(response));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with('4') || status.starts_with('5') {
            let schema = Ref::from_schema_name("Problem");
            let content = ContentBuilder::new().schema(Some(schema)).build();
            response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(content));
        }
        if status == "429" || status == "503" {
            let seconds = HeaderBuilder::new()
                .schema(Some(Object::with_type(Type::Integer)))
                .description(Some("After how many seconds to come back."))
                .build();
            response.headers.insert("Retry-After".to_owned(), RefOr::T(seconds));
        }
    }
}
