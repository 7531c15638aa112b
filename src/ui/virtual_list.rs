//! A long list of which only the rows in sight are drawn: thousands of permissions cost as much as thirty.
//!
//! Rows have one of two heights, which the style sheet gives as `--row` and `--head` on the list: the same numbers place
//! the rows and are read from there, so that they cannot differ.

use leptos::{html, prelude::*};

/// How many rows are drawn before the browser has told how many are in sight, and so on the server.
const FIRST: usize = 24;
/// How many rows are drawn beyond either edge, so that Tab and a quick hand find them there.
const BEYOND: usize = 8;

/// The part of a list that is in sight.
#[derive(Clone, Copy)]
pub struct Window {
    /// Goes onto the element that scrolls, with [`Window::scrolled`] as its listener.
    pub scroller: NodeRef<html::Div>,
    above: NodeRef<html::Div>,
    below: NodeRef<html::Div>,
    /// How far the list is scrolled, how high it is, and how high a row and a heading are; in pixels.
    offset: RwSignal<f64>,
    #[cfg(feature = "hydrate")]
    room: RwSignal<f64>,
    #[cfg(feature = "hydrate")]
    heights: RwSignal<(f64, f64)>,
    /// Where each row begins, and where the last one ends.
    starts: Memo<Vec<f64>>,
    range: Memo<(usize, usize)>,
}

impl Window {
    pub fn new<T: Send + Sync + 'static>(rows: Signal<Vec<T>>, is_head: fn(&T) -> bool) -> Self {
        let (offset, room) = (RwSignal::new(0.0), RwSignal::new(0.0));
        let heights = RwSignal::new((64.0, 40.0));
        let starts = Memo::new(move |_| {
            let (row, head) = heights.get();
            rows.with(|rows| starts(rows.iter().map(|one| if is_head(one) { head } else { row })))
        });
        let range = Memo::new(move |_| starts.with(|starts| in_sight(starts, offset.get(), room.get())));
        let window = Window {
            scroller: NodeRef::new(),
            above: NodeRef::new(),
            below: NodeRef::new(),
            offset,
            #[cfg(feature = "hydrate")]
            room,
            #[cfg(feature = "hydrate")]
            heights,
            starts,
            range,
        };
        watch_size(window);
        Effect::new(move |_| {
            let (from, to) = range.get();
            starts.with(|starts| {
                let end = starts.last().copied().unwrap_or_default();
                let at = |index: usize| starts.get(index).copied().unwrap_or(end);
                set_height(window.above, at(from));
                set_height(window.below, end - at(to));
            });
        });
        window
    }

    /// The list was scrolled.
    pub fn scrolled(self) {
        if let Some(list) = self.scroller.get_untracked() {
            self.offset.set(f64::from(list.scroll_top()));
        }
    }

    /// Scrolls as little as needed to have a row in sight.
    pub fn show(self, index: usize) {
        let Some(list) = self.scroller.get_untracked() else { return };
        let room = f64::from(list.client_height());
        let (top, bottom) = self.starts.with_untracked(|starts| {
            let at = |index: usize| starts.get(index).copied().unwrap_or_default();
            (at(index), at(index + 1))
        });
        let offset = f64::from(list.scroll_top());
        let wanted = if top < offset {
            top
        } else if bottom > offset + room {
            bottom - room
        } else {
            return;
        };
        list.set_scroll_top(pixels(wanted));
        self.offset.set(wanted);
    }

    /// Goes back to the first row.
    pub fn rewind(self) {
        if let Some(list) = self.scroller.get_untracked() {
            list.set_scroll_top(0);
        }
        self.offset.set(0.0);
    }

    /// The rows in sight between the space of those that are not. `key` tells rows apart; a row is drawn once for as
    /// long as it stays in sight.
    pub fn rows<T, D>(self, rows: Signal<Vec<T>>, key: fn(&T) -> String, draw: D) -> AnyView
    where
        T: Clone + Send + Sync + 'static,
        D: Fn(usize, T) -> AnyView + Clone + Send + Sync + 'static,
    {
        let seen = move || {
            // Before the range, which is made of them: of two sources that are out of date the first is asked first, and
            // other rows in a range of the same length would go unnoticed once it has answered.
            rows.track();
            let (from, to) = self.range.get();
            rows.with(|rows| {
                let to = to.min(rows.len());
                (from.min(to)..to).map(|at| (at, rows[at].clone())).collect::<Vec<_>>()
            })
        };
        view! {
            <div class="space" node_ref=self.above aria-hidden="true"></div>
            <For each=seen key=move |(at, row)| (*at, key(row)) let:((at, row))>
                {draw(at, row)}
            </For>
            <div class="space" node_ref=self.below aria-hidden="true"></div>
        }
        .into_any()
    }
}

/// Where a row stands among all of its list. Screen readers count what is in the page, which is a part of it: each row says
/// so itself, as `aria-posinset` and `aria-setsize`.
#[derive(Clone, Copy)]
pub struct Place {
    at: usize,
    all: Memo<usize>,
}

impl Place {
    /// Its number, beginning with one.
    pub fn number(self) -> String {
        (self.at + 1).to_string()
    }

    /// How many rows there are.
    pub fn of(self) -> String {
        self.all.get().to_string()
    }
}

/// A list as an element. Its class gives the rows their heights.
#[component]
pub fn VirtualList<T, D>(
    window: Window,
    class: &'static str,
    /// The id of what names the list.
    labelled_by: &'static str,
    rows: Signal<Vec<T>>,
    /// Tells rows apart.
    key: fn(&T) -> String,
    draw: D,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    D: Fn(Place, T) -> AnyView + Clone + Send + Sync + 'static,
{
    let all = Memo::new(move |_| rows.with(Vec::len));
    let draw = move |at: usize, row: T| draw(Place { at, all }, row);
    view! {
        <div
            class=class
            role="list"
            aria-labelledby=labelled_by
            node_ref=window.scroller
            on:scroll=move |_| window.scrolled()
        >
            {window.rows(rows, key, draw)}
        </div>
    }
    .into_any()
}

/// Where rows of these heights begin, and where the last one ends.
fn starts(heights: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut end = 0.0;
    let mut starts = vec![end];
    starts.extend(heights.map(|height| {
        end += height;
        end
    }));
    starts
}

/// The first row to be drawn and the one after the last.
fn in_sight(starts: &[f64], offset: f64, room: f64) -> (usize, usize) {
    let rows = starts.len().saturating_sub(1);
    if room <= 0.0 {
        return (0, rows.min(FIRST));
    }
    let first = starts.partition_point(|start| *start <= offset).saturating_sub(1);
    let last = starts.partition_point(|start| *start < offset + room);
    let first = first.min(rows).saturating_sub(BEYOND);
    (first, (last + BEYOND).min(rows))
}

/// Scroll positions are whole pixels far below this type's limit.
#[expect(clippy::cast_possible_truncation, reason = "a list of two thousand million pixels does not exist")]
fn pixels(wanted: f64) -> i32 {
    wanted.round() as i32
}

#[cfg(feature = "hydrate")]
fn set_height(space: NodeRef<html::Div>, height: f64) {
    use leptos::wasm_bindgen::JsCast;
    let Some(space) = space.get() else { return };
    let element: &web_sys::HtmlElement = space.unchecked_ref();
    // Fails for no property of this name. The policy forbids style attributes, not this.
    let _unused = element.style().set_property("block-size", &format!("{height}px"));
}

#[cfg(not(feature = "hydrate"))]
fn set_height(_space: NodeRef<html::Div>, _height: f64) {}

/// Follows the size of the list, and reads the heights that the style sheet gives to rows.
#[cfg(feature = "hydrate")]
fn watch_size(window: Window) {
    use leptos::wasm_bindgen::{JsCast, closure::Closure};
    Effect::new(move |_| {
        let Some(list) = window.scroller.get() else { return };
        let element: web_sys::HtmlElement = list.unchecked_into();
        let measured = element.clone();
        let measure = move || {
            let style = leptos::prelude::window().get_computed_style(&measured).ok().flatten();
            let read = |name: &str| -> Option<f64> {
                style.as_ref()?.get_property_value(name).ok()?.trim().strip_suffix("px")?.parse().ok()
            };
            if let (Some(row), Some(head)) = (read("--row"), read("--head")) {
                window.heights.try_set((row, head));
            }
            window.room.try_set(f64::from(measured.client_height()));
        };
        measure();
        let changed = Closure::<dyn FnMut()>::new(measure);
        let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) else { return };
        observer.observe(&element);
        let kept = StoredValue::new_local((observer, changed));
        on_cleanup(move || {
            kept.try_with_value(|(observer, _)| observer.disconnect());
        });
    });
}

#[cfg(not(feature = "hydrate"))]
fn watch_size(_window: Window) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_sight_is_drawn() {
        let starts = starts(std::iter::repeat_n(50.0, 1_000));
        assert_eq!(starts.last(), Some(&50_000.0));
        assert_eq!(in_sight(&starts, 0.0, 500.0), (0, 10 + BEYOND));
        assert_eq!(in_sight(&starts, 25_000.0, 500.0), (500 - BEYOND, 510 + BEYOND));
        assert_eq!(in_sight(&starts, 49_500.0, 500.0), (990 - BEYOND, 1_000));
    }

    #[test]
    fn before_anything_is_measured_the_first_rows_are_drawn() {
        assert_eq!(in_sight(&starts(std::iter::repeat_n(50.0, 1_000)), 0.0, 0.0), (0, FIRST));
        assert_eq!(in_sight(&starts(std::iter::repeat_n(50.0, 3)), 0.0, 0.0), (0, 3));
        assert_eq!(in_sight(&starts(std::iter::empty()), 0.0, 500.0), (0, 0));
    }

    #[test]
    fn a_row_is_in_sight_as_long_as_a_pixel_of_it_is() {
        let starts = starts([40.0, 64.0, 64.0, 40.0, 64.0].into_iter());
        assert_eq!(starts, [0.0, 40.0, 104.0, 168.0, 208.0, 272.0]);
        // Short lists are drawn whole because of the rows beyond the edges.
        assert_eq!(in_sight(&starts, 39.0, 1.0), (0, 5));
    }
}
