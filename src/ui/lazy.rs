//! Pages that are not in the main part of what a browser loads.
//!
//! All of them are one part, `console`: with a part for each page, what some of the pages share would become hundreds of
//! small files. The server names the part in the pages that it draws with it, so that it loads together with the main one.
//! A part that does not arrive (no network, or a newer version was installed meanwhile) is a page that says so and offers
//! to try again.

use leptos::prelude::*;

use crate::{base::errors::AppError, ui::states};

/// For each `Name: Route => Page` makes the type `Route`, to be shown by [`leptos_router::Lazy`]. What no page outside the console
/// uses is split from the main part of what a browser loads. `$draw` is the name of the function where it is split, and
/// `$load` of the one that loads it: once that has been awaited, drawing is one step.
macro_rules! lazy_pages {
    (($draw:ident, $load:ident) $($name:ident: $route:ident => $page:path,)+) => {
        /// The pages that are drawn here.
        pub(crate) enum Split {
            $($name,)+
        }

        #[leptos::wasm_split::wasm_split(
            console,
            wasm_split_path = leptos::wasm_split,
            preload(
                /// Loads what these pages need.
                $load
            ),
            fallible
        )]
        pub(crate) fn $draw(page: Split) -> Result<leptos::prelude::AnyView, $crate::ui::lazy::NotLoaded> {
            Ok(match page {
                $(Split::$name => leptos::prelude::IntoAny::into_any($page()),)+
            })
        }

        $(
            /// A page that is loaded apart: see [`crate::ui::lazy`].
            pub struct $route;

            impl leptos_router::LazyRoute for $route {
                fn data() -> Self {
                    $route
                }

                async fn view(_route: Self) -> leptos::prelude::AnyView {
                    $crate::ui::lazy::announce();
                    match $draw(Split::$name).await {
                        Ok(page) => page,
                        Err($crate::ui::lazy::NotLoaded) => $crate::ui::lazy::not_loaded(),
                    }
                }

                async fn preload() {
                    // If the part does not arrive, the view asks again, and tells.
                    let _missing = $load().await;
                }
            }
        )+
    };
}

pub(crate) use lazy_pages;

/// A part of the app did not arrive.
pub struct NotLoaded;

impl From<leptos::wasm_split::SplitLoaderError> for NotLoaded {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        NotLoaded
    }
}

/// Has the server's answer name the files of the part.
pub fn announce() {
    leptos::prefetch_lazy_fn_on_server("console");
}

/// Whether the page at this path is in the part.
pub fn is_apart(path: &str) -> bool {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    ["/console", "/account"].iter().any(|start| path.strip_prefix(start).is_some_and(is_below))
}

/// What stands where the page would be. Trying again loads the whole document, with the parts that belong to it.
pub fn not_loaded() -> AnyView {
    states::failed(&AppError::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::is_apart;

    #[test]
    fn the_console_and_ones_own_account_are_apart() {
        for path in ["/console", "/console/people", "/account/two-factor"] {
            assert!(is_apart(path), "{path}");
        }
        for path in ["/", "/login", "/login/code", "/accounts", "/no/console"] {
            assert!(!is_apart(path), "{path}");
        }
    }
}
