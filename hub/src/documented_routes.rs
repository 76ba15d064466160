//! Routes that describe themselves: router and description come from one table.

/// Makes from a table of routes the router `routes()`, the `Document` that describes it, and `ROUTES`
/// for tests.
macro_rules! documented_routes {
    ($($method:ident $path:literal => $($handler:ident)::+;)+) => {
        /// The routes, with their methods.
        #[cfg(test)]
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
