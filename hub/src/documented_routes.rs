//! Routes that describe themselves: router and description come from one table.

/// Makes from a table of routes the router `routes()`, the `Document` that describes it, and `ROUTES`
/// for tests. What the handlers need of the hub is said first: they know nothing of the rest of it.
macro_rules! documented_routes {
    (
        needs $($part:ty),*;
        $($method:ident $path:literal => $($handler:ident)::+;)+
    ) => {
        /// The routes, with their methods.
        #[cfg(test)]
        pub(crate) const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),+];

        /// Builds the router.
        pub(crate) fn routes<S>() -> axum::Router<S>
        where
            S: Clone + Send + Sync + 'static,
            $($part: axum::extract::FromRef<S>,)*
        {
            axum::Router::new()$(.route($path, axum::routing::$method($($handler)::+)))+
        }

        /// What the handlers say of themselves.
        #[cfg(test)]
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($handler)::+),+))]
        pub(crate) struct Document;
    };
}

pub(crate) use documented_routes;
