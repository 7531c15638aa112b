//! Pages that a browser loads when it comes to them: each is a part of its own beside the main one.
//!
//! The server names the part of the page that it draws, so that it loads together with the main one. A part that does not
//! arrive (no network, or a newer version was installed meanwhile) is a page that says so and offers to try again.

use leptos::prelude::*;

use crate::{base::errors::AppError, ui::states};

/// Makes the type `$route` for [`leptos_router::Lazy`], whose view is the page `$page`. What only this page uses is split
/// from the main part of what a browser loads; `$part` is the name of the split, `$load` that of loading it alone.
macro_rules! lazy_page {
    ($route:ident, $page:path, $part:ident, $load:ident) => {
        /// The page as a part of its own: see [`crate::ui::lazy`].
        pub struct $route;

        impl leptos_router::LazyRoute for $route {
            fn data() -> Self {
                $route
            }

            async fn view(_route: Self) -> leptos::prelude::AnyView {
                leptos::prefetch_lazy_fn_on_server(stringify!($part));
                match $part().await {
                    Ok(page) => page,
                    Err($crate::ui::lazy::NotLoaded) => $crate::ui::lazy::not_loaded(),
                }
            }

            async fn preload() {
                // What is missing then is asked for again, and told, by the view.
                let _missing = $load().await;
            }
        }

        #[leptos::wasm_split::wasm_split($part, wasm_split_path = leptos::wasm_split, preload($load), fallible)]
        fn $part() -> Result<leptos::prelude::AnyView, $crate::ui::lazy::NotLoaded> {
            Ok(leptos::prelude::IntoAny::into_any($page()))
        }
    };
}

pub(crate) use lazy_page;

/// A part of the app did not arrive.
pub struct NotLoaded;

impl From<leptos::wasm_split::SplitLoaderError> for NotLoaded {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        NotLoaded
    }
}

/// What stands where the page would be. Trying again loads the whole document, with the parts that belong to it.
pub fn not_loaded() -> AnyView {
    states::failed(&AppError::Unavailable)
}
