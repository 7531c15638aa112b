//! Picking something up and dropping it elsewhere, by mouse and by touch. The keyboard's way is each page's own.
//!
//! A mouse drags once it has moved a little; a finger has to rest on the thing for a moment, since moving at once
//! scrolls. What can be picked up has `data-drag`, where it can be dropped has `data-drop`.

use leptos::{html, prelude::*};

/// What is under way.
#[derive(Clone, Copy)]
pub struct Drag {
    /// The `data-drag` of what is being carried.
    pub carried: RwSignal<Option<String>>,
    /// The `data-drop` of what it is held over.
    pub over: RwSignal<Option<String>>,
    /// The picture that follows the pointer.
    pub ghost: NodeRef<html::Div>,
    /// Goes onto the element inside of which things can be picked up.
    pub source: NodeRef<html::Div>,
    /// Where the pointer is, in pixels of the window.
    #[cfg(feature = "hydrate")]
    at: RwSignal<(i32, i32)>,
    /// What the pointer rests on and may pick up.
    pressed: RwSignal<Option<Pressed>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pressed {
    what: String,
    pointer: i32,
    from: (i32, i32),
    touch: bool,
}

impl Drag {
    /// `dropped` is told what was carried and where it was let go.
    pub fn new(dropped: Callback<(String, String)>) -> Self {
        let drag = Drag {
            carried: RwSignal::new(None),
            over: RwSignal::new(None),
            ghost: NodeRef::new(),
            source: NodeRef::new(),
            #[cfg(feature = "hydrate")]
            at: RwSignal::new((0, 0)),
            pressed: RwSignal::new(None),
        };
        listen(drag, dropped);
        drag
    }

    /// Whether something is being carried.
    pub fn is_on(self) -> bool {
        self.carried.with(Option::is_some)
    }

    /// Puts down what is carried where it was.
    pub fn cancel(self) {
        self.pressed.set(None);
        self.carried.set(None);
        self.over.set(None);
    }
}

/// How far a mouse moves before it drags, and a finger before it scrolls; in pixels.
#[cfg(feature = "hydrate")]
const SLACK: i32 = 6;
/// How long a finger rests before it picks up.
#[cfg(feature = "hydrate")]
const REST: std::time::Duration = std::time::Duration::from_millis(350);

#[cfg(not(feature = "hydrate"))]
fn listen(_drag: Drag, _dropped: Callback<(String, String)>) {}

#[cfg(feature = "hydrate")]
fn listen(drag: Drag, dropped: Callback<(String, String)>) {
    use leptos::{ev, wasm_bindgen::JsCast};

    let place = |event: &web_sys::PointerEvent| (event.client_x(), event.client_y());
    let down = move |event: web_sys::PointerEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let inside = |element: &web_sys::Element| {
            drag.source.get_untracked().is_some_and(|source| source.contains(Some(element)))
        };
        let found = target.and_then(|target| target.closest("[data-drag]").ok().flatten()).filter(inside);
        let Some(what) = found.and_then(|element| element.get_attribute("data-drag")) else { return };
        if event.button() != 0 || !event.is_primary() {
            return;
        }
        let touch = event.pointer_type() == "touch";
        let pressed = Pressed { what, pointer: event.pointer_id(), from: place(&event), touch };
        drag.at.set(place(&event));
        drag.pressed.set(Some(pressed.clone()));
        if touch {
            set_timeout(
                move || {
                    if drag.pressed.try_get_untracked().flatten().as_ref() == Some(&pressed) {
                        drag.carried.set(Some(pressed.what));
                    }
                },
                REST,
            );
        }
    };
    let moved = move |event: web_sys::PointerEvent| {
        let Some(pressed) = drag.pressed.get_untracked() else { return };
        if pressed.pointer != event.pointer_id() {
            return;
        }
        let (x, y) = place(&event);
        let far = (x - pressed.from.0).abs().max((y - pressed.from.1).abs()) > SLACK;
        if drag.carried.with_untracked(Option::is_none) {
            match (far, pressed.touch) {
                (true, false) => drag.carried.set(Some(pressed.what)),
                (true, true) => return drag.cancel(),
                (false, _) => return,
            }
        }
        drag.at.set((x, y));
        #[expect(clippy::cast_precision_loss, reason = "a window is not millions of pixels wide")]
        let below = document().element_from_point(x as f32, y as f32);
        let zone = below.and_then(|element| element.closest("[data-drop]").ok().flatten());
        let zone = zone.and_then(|zone| zone.get_attribute("data-drop"));
        if drag.over.with_untracked(|over| *over != zone) {
            drag.over.set(zone);
        }
    };
    let up = move |event: web_sys::PointerEvent| {
        if drag.pressed.with_untracked(|pressed| pressed.as_ref().is_none_or(|one| one.pointer != event.pointer_id())) {
            return;
        }
        let (what, zone) = (drag.carried.get_untracked(), drag.over.get_untracked());
        drag.cancel();
        if what.is_some() {
            swallow_click();
        }
        if let (Some(what), Some(zone)) = (what, zone) {
            dropped.run((what, zone));
        }
    };
    Effect::new(move |_| {
        let handles = [
            window_event_listener(ev::pointerdown, down),
            window_event_listener(ev::pointermove, moved),
            window_event_listener(ev::pointerup, up),
            window_event_listener(ev::pointercancel, move |_| drag.cancel()),
            window_event_listener(ev::keydown, move |event| {
                if event.key() == "Escape" && drag.carried.with_untracked(Option::is_some) {
                    event.prevent_default();
                    drag.cancel();
                }
            }),
            // A long press would open the browser's menu.
            window_event_listener(ev::contextmenu, move |event| {
                if drag.carried.with_untracked(Option::is_some) {
                    event.prevent_default();
                }
            }),
        ];
        on_cleanup(move || handles.into_iter().for_each(|handle| handle.remove()));
    });
    hold_scrolling(drag);
    Effect::new(move |_| {
        let (x, y) = drag.at.get();
        if let Some(ghost) = drag.ghost.get() {
            let element: &web_sys::HtmlElement = ghost.unchecked_ref();
            // Fails for no property of this name. The policy forbids style attributes, not this.
            let _unused = element.style().set_property("translate", &format!("{x}px {y}px"));
        }
    });
}

/// While something is carried by a finger the page does not scroll. Only a listener that says so beforehand may do that.
#[cfg(feature = "hydrate")]
fn hold_scrolling(drag: Drag) {
    use leptos::wasm_bindgen::{JsCast, closure::Closure};
    Effect::new(move |_| {
        let Some(source) = drag.source.get() else { return };
        let hold = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
            if event.cancelable() && drag.carried.try_with_untracked(Option::is_some) == Some(true) {
                event.prevent_default();
            }
        });
        let options = web_sys::AddEventListenerOptions::new();
        options.set_passive(false);
        let function = hold.as_ref().unchecked_ref();
        // Fails for no event of this name.
        let _unused =
            source.add_event_listener_with_callback_and_add_event_listener_options("touchmove", function, &options);
        // The element takes its listener along; the closure has to live as long.
        let kept = StoredValue::new_local(hold);
        on_cleanup(move || kept.dispose());
    });
}

/// The click that ends a drag chooses nothing.
#[cfg(feature = "hydrate")]
fn swallow_click() {
    use leptos::wasm_bindgen::{JsCast, closure::Closure};
    let swallow = Closure::once_into_js(|event: web_sys::Event| {
        event.stop_propagation();
        event.prevent_default();
    });
    let options = web_sys::AddEventListenerOptions::new();
    options.set_capture(true);
    options.set_once(true);
    let function = swallow.unchecked_ref();
    // Fails for no event of this name.
    let _unused = window().add_event_listener_with_callback_and_add_event_listener_options("click", function, &options);
    // Where no click follows, because it was let go elsewhere, the next one is a real one.
    let function: leptos::web_sys::js_sys::Function = function.clone();
    set_timeout(
        move || {
            let _unused = window().remove_event_listener_with_callback_and_bool("click", &function, true);
        },
        std::time::Duration::ZERO,
    );
}
