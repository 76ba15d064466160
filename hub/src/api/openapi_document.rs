//! Making the document that describes the hub from its handlers.

use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi as OpenApiDocument, Ref, RefOr, Response,
    ResponseBuilder,
};
use utoipa::{OpenApi as _, ToSchema};

/// The name of the token in the document.
const TOKEN: &str = "token";

/// What is answered without a token.
const OPEN_PATHS: [&str; 4] = ["/healthz", "/readyz", "/login", "/logout"];

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// The stable code for programs.
    code: String,
    /// What went wrong, for people.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

/// What every request may be answered, beside what its handler says.
const ERRORS: [(&str, &str, &str); 8] = [
    ("400", "BadRequest", "A parameter or the body makes no sense"),
    ("401", "Unauthorized", "No token, or one that is not valid"),
    ("403", "Forbidden", "The token's role does not allow it, or another web page asks"),
    ("404", "NotFound", "There is no such thing"),
    ("421", "WrongHost", "The hub is not known under this name"),
    ("429", "TooManyRequests", "The caller asks too often"),
    ("500", "Failed", "The database cannot be read"),
    ("503", "Unavailable", "The hub or the database is busy or away"),
];

/// What a request with a body may be answered beside that.
const BODY_ERRORS: [(&str, &str, &str); 3] = [
    ("409", "Refused", "The rules refuse it; nothing was changed"),
    ("413", "TooLarge", "The body is too large"),
    ("415", "NotJson", "The body is not JSON"),
];

/// Builds the document.
fn build_document() -> OpenApiDocument {
    let mut document = super::Document::openapi();
    for area in [
        crate::actions::Document::openapi(),
        crate::overview::Document::openapi(),
        crate::live::Document::openapi(),
        crate::rpc::Document::openapi(),
        crate::access::Document::openapi(),
        crate::health::Document::openapi(),
        crate::metrics_route::Document::openapi(),
    ] {
        document.merge(area);
    }
    document.info = InfoBuilder::new()
        .title("trueup-hub")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("What sessions, items and plans are doing, and what needs a person."))
        .build();
    document.servers = None;
    let components = document.components.get_or_insert_with(Components::new);
    add_components(components);
    for (name, path) in &mut document.paths.paths {
        let is_open = OPEN_PATHS.contains(&name.as_str());
        let operations = [path.get.as_mut(), path.post.as_mut()];
        for operation in operations.into_iter().flatten() {
            let needed = (!is_open).then(|| SecurityRequirement::new(TOKEN, [""; 0]));
            operation.security = Some(needed.into_iter().collect());
            add_errors(operation);
        }
    }
    document
}

fn add_errors(operation: &mut Operation) {
    let of_body = operation.request_body.iter().flat_map(|_| BODY_ERRORS);
    for (status, name, _) in ERRORS.into_iter().chain(of_body) {
        let reference = RefOr::Ref(Ref::from_response_name(name));
        operation.responses.responses.entry(status.to_owned()).or_insert(reference);
    }
}

fn add_components(components: &mut Components) {
    let mut schemas =
        vec![(ErrorBody::name().into_owned(), <ErrorBody as utoipa::PartialSchema>::schema())];
    <ErrorBody as ToSchema>::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for (_, name, about) in ERRORS.into_iter().chain(BODY_ERRORS) {
        components.responses.insert(name.to_owned(), RefOr::T(error_response(about)));
    }
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme(TOKEN, bearer);
}

fn error_response(about: &str) -> Response {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name())));
    ResponseBuilder::new().description(about).content("application/json", body.build()).build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::cursors::Cursors;
    use super::super::openapi::DOCUMENT;
    use super::*;

    /// The document as a client reads it.
    fn read_document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn the_document_is_that_of_the_handlers() {
        let made = serde_json::to_string_pretty(&build_document()).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap();
        assert!(
            written == made,
            "hub/openapi.json is not that of the handlers; write it anew with \
             `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup-hub the_document_is`"
        );
    }

    #[test]
    fn every_route_is_described_and_no_other() {
        let document = read_document();
        let described: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| (method.clone(), path.clone()))
            })
            .collect();
        let routes = [
            crate::api::ROUTES,
            crate::actions::ROUTES,
            crate::overview::ROUTES,
            crate::live::ROUTES,
            crate::rpc::ROUTES,
            crate::access::ROUTES,
            crate::health::ROUTES,
            crate::metrics_route::ROUTES,
        ]
        .concat();
        let routes = routes.into_iter().map(|(method, path)| (method.to_owned(), path.to_owned()));
        assert_eq!(described, routes.collect());
    }

    #[test]
    fn a_cursor_is_described_as_the_list_writes_it() {
        let document = read_document();
        for list in ["sessions", "items", "queue", "plans", "repos", "divergences", "journal"] {
            let place = format!("/paths/~1api~1{list}/get/parameters");
            let parameters = document.pointer(&place).and_then(Value::as_array).unwrap();
            let since = parameters.iter().find(|parameter| parameter["name"] == "since").unwrap();
            assert_eq!(since["schema"]["pattern"], Cursors::of(list).pattern(), "{list}");
        }
    }

    #[test]
    fn every_reference_leads_to_something() {
        fn collect(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(object) => {
                    found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    object.values().for_each(|value| collect(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
                _ => {}
            }
        }
        let document = read_document();
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        assert!(references.len() > 20, "{references:?}");
        for reference in references {
            let place = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "{reference}");
        }
    }
}
