//! Routes that the OpenAPI document describes, because both come from one table.

/// Makes from a table of routes `ROUTES`, the router `routes()`, and `Document` of its handlers.
macro_rules! documented_routes {
    ($($method:ident $path:literal => $($handler:ident)::+;)+) => {
        /// The routes, with their methods.
        pub(crate) const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),+];

        /// Builds the router.
        pub(crate) fn routes() -> axum::Router<crate::hub_state::HubState> {
            axum::Router::new()$(.route($path, axum::routing::$method($($handler)::+)))+
        }

        /// What the handlers say of themselves.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($handler)::+),+))]
        pub(crate) struct Document;
    };
}

pub(crate) use documented_routes;
