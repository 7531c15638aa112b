//! What a page bears at its top: the name and logo of the reader's tenant, or the product's.

use leptos::prelude::*;

use crate::{
    base::language::td_string,
    ui::{locale, pieces},
};

/// The brand of the page. What is absent is the product's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    pub name: Option<String>,
    /// The address of the logo.
    pub logo: Option<String>,
    /// The address of the style sheet with the tones of its accent. Only the server knows it: it stands in the document.
    pub style: Option<String>,
}

/// The brand of this page. Documents that are the same for everybody bear the product's.
pub fn brand() -> Brand {
    use_context::<Brand>().unwrap_or_default()
}

/// Its name in the titles of pages.
pub fn title_name() -> String {
    brand().name.unwrap_or_else(|| td_string!(locale(), app.brand).to_owned())
}

/// Its name beside the mark.
pub fn name() -> AnyView {
    pieces::typed(title_name())
}
