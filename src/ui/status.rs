//! The HTTP status of the page that is being drawn.

/// Sets the status of the answer. In the browser it does nothing: there is no answer any more.
pub fn set(status: u16) {
    #[cfg(feature = "ssr")]
    if let Some(options) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = axum::http::StatusCode::from_u16(status)
    {
        options.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _unused = status;
}
