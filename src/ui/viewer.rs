//! What the person who looks at the page may do, for showing and hiding only: the server decides again on every call.

use std::{future::Future, pin::Pin, sync::Arc};

use leptos::prelude::*;

type Answer = Pin<Box<dyn Future<Output = Vec<String>> + Send>>;

/// Gives the permissions that the viewer holds; the frame of the console provides it.
#[derive(Clone)]
pub struct Viewer(Arc<dyn Fn() -> Answer + Send + Sync>);

impl Viewer {
    pub fn new<F: Future<Output = Vec<String>> + Send + 'static>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Viewer(Arc::new(move || Box::pin(ask())))
    }

    /// What the viewer holds. To be awaited where the page waits for its data.
    pub async fn holds(&self) -> Held {
        Held((self.0)().await)
    }
}

/// The viewer that the frame provides.
pub fn viewer() -> Viewer {
    use_context::<Viewer>().unwrap_or_else(|| Viewer::new(|| async { Vec::new() }))
}

/// The permissions of the viewer.
#[derive(Clone, Debug, Default)]
pub struct Held(Vec<String>);

impl Held {
    /// All of them, sorted.
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    pub fn may(&self, permission: &str) -> bool {
        self.0.iter().any(|key| key == permission)
    }
}
