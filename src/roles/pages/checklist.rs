//! What a role gives, with a box for each permission under the heading of its group.
//!
//! Of a large catalogue only the groups in which something is given begin open, and of a closed one no box is drawn. The
//! names in it can be read without scripts all the same.

use std::{collections::BTreeSet, sync::Arc};

use leptos::{ev, prelude::*};

use super::catalogue::{self, Entry, Search};
use crate::{
    access::Permission,
    base::language::td_string,
    roles::Catalogue,
    ui::{is_live, locale, pieces},
};

/// So many boxes are drawn without being asked for.
const MOST_DRAWN: usize = 120;

/// The permissions that are ticked.
pub type Ticked = RwSignal<BTreeSet<String>>;

#[derive(Clone)]
struct Group {
    resource: Arc<str>,
    entries: Arc<[Arc<Entry>]>,
    /// Whether its boxes are shown where nothing is searched for.
    open: RwSignal<bool>,
}

/// The permissions with a box each. What a search or a closed group hides keeps its state.
pub fn checklist(catalogue: Catalogue, ticked: Ticked, fixed: bool) -> AnyView {
    let locale = locale();
    let search = Search::new();
    let groups = ticked.with_untracked(|ticked| groups(&catalogue, ticked));
    let all = StoredValue::new(groups.clone());
    let found = Memo::new(move |_| {
        let found = |group: &Group| group.entries.iter().filter(|entry| search.finds_entry(entry)).count();
        all.with_value(|groups| groups.iter().map(found).sum::<usize>())
    });
    let is_empty = Signal::derive(move || found.get() == 0);
    // A search that finds little shows it at once.
    let shows_found = Memo::new(move |_| search.is_on() && found.get() <= MOST_DRAWN);
    let groups = groups.into_iter().map(|group| draw(group, ticked, fixed, search, shows_found)).collect_view();
    view! {
        <section class="card" aria-labelledby="permissions-title">
            <div class="card-head">
                <h2 class="grow" id="permissions-title">{td_string!(locale, roles.permissions)}</h2>
                {catalogue::search_field(search, "catalogue-search", td_string!(locale, roles.search))}
            </div>
            {groups}
            {catalogue::nothing_found(is_empty)}
        </section>
    }
    .into_any()
}

/// The groups: all of them open where the catalogue is small, else the first of those that give something.
fn groups(catalogue: &Catalogue, ticked: &BTreeSet<String>) -> Vec<Group> {
    let is_small = catalogue.len() <= MOST_DRAWN;
    let mut room = MOST_DRAWN;
    let groups = catalogue::groups(catalogue::rows(catalogue, false)).into_iter();
    let groups = groups.map(|(resource, entries)| {
        let gives = entries.iter().any(|entry| ticked.contains(&entry.info.key));
        let opens = is_small || (gives && entries.len() <= room);
        if opens && !is_small {
            room -= entries.len();
        }
        Group { resource, entries: entries.into(), open: RwSignal::new(opens) }
    });
    groups.collect()
}

/// The ticked key with which this one comes along, `audit.*` for instance.
fn comes_with(ticked: &BTreeSet<String>, key: &str) -> Option<String> {
    let covering = Permission::parse(key).ok()?.covering();
    covering.into_iter().find(|wide| wide != key && ticked.contains(wide))
}

fn is_given(ticked: &BTreeSet<String>, key: &str) -> bool {
    ticked.contains(key) || comes_with(ticked, key).is_some()
}

fn draw(group: Group, ticked: Ticked, fixed: bool, search: Search, shows_found: Memo<bool>) -> AnyView {
    let locale = locale();
    let Group { resource, entries, open } = group;
    let (finds, of_all, inside) = (Arc::clone(&entries), Arc::clone(&entries), entries);
    let is_open = Memo::new(move |_| open.get() || shows_found.get());
    // The page decides: the browser would open it before its boxes are there.
    let press = move |event: ev::MouseEvent| {
        event.prevent_default();
        open.set(!is_open.get_untracked());
    };
    let count = move || {
        let given = ticked.with(|ticked| of_all.iter().filter(|entry| is_given(ticked, &entry.info.key)).count());
        td_string!(locale, roles.given_of, given = given, all = of_all.len()).to_string()
    };
    let body = move || if is_open.get() { boxes(&inside, ticked, fixed, search) } else { names(&inside, ticked) };
    view! {
        <details class="group" open=move || is_open.get() hidden=move || !search.finds_any(&finds)>
            <summary on:click=press>
                <h3>{catalogue::group_title(&resource)}</h3>
                <span class="small muted">{count}</span>
            </summary>
            {body}
        </details>
    }
    .into_any()
}

fn boxes(entries: &[Arc<Entry>], ticked: Ticked, fixed: bool, search: Search) -> AnyView {
    let boxes = entries.iter().map(|entry| permission_box(Arc::clone(entry), ticked, fixed, search)).collect_view();
    view! { <div class="boxes">{boxes}</div> }.into_any()
}

/// What a closed group holds, for whoever opens it without scripts.
fn names(entries: &[Arc<Entry>], ticked: Ticked) -> AnyView {
    let locale = locale();
    let (given, others) =
        ticked.with(|ticked| entries.iter().cloned().partition::<Vec<_>, _>(|entry| is_given(ticked, &entry.info.key)));
    let line = |word: &'static str, entries: Vec<Arc<Entry>>| {
        let names = entries.iter().map(|entry| entry.name()).collect::<Vec<_>>();
        let names = names.join(td_string!(locale, base.list_separator));
        (!names.is_empty()).then(|| {
            view! { <p class="small padded"><span class="strong">{word}</span> {td_string!(locale, ui.colon)} " " {names}</p> }
        })
    };
    view! { {line(td_string!(locale, roles.gives_it), given)} {line(td_string!(locale, roles.gives_it_not), others)} }
        .into_any()
}

fn permission_box(entry: Arc<Entry>, ticked: Ticked, fixed: bool, search: Search) -> AnyView {
    let live = is_live();
    let key = entry.info.key.clone();
    let id = format!("permission-{key}");
    let name = entry.name();
    let has = {
        let key = key.clone();
        move || ticked.with(|ticked| ticked.contains(&key))
    };
    let was = untrack(&has);
    let with = {
        let key = key.clone();
        Memo::new(move |_| ticked.with(|ticked| comes_with(ticked, &key)))
    };
    let comes = move || {
        with.get().map(|wide| {
            let words = td_string!(locale(), roles.included_in, key = pieces::isolate_key(&wide)).to_string();
            view! { <span class="small inherited">{pieces::sentence(&words)}</span> }
        })
    };
    let tick = {
        let key = key.clone();
        move |on: bool| {
            ticked.update(|ticked| {
                if on {
                    ticked.insert(key.clone())
                } else {
                    ticked.remove(&key)
                };
            });
        }
    };
    view! {
        <div class="check" hidden=move || !search.finds_entry(&entry)>
            <input
                type="checkbox"
                id=id.clone()
                checked=was
                prop:checked=has
                disabled=move || fixed || !live.get()
                on:change:target=move |event| tick(event.target().checked())
            />
            <label class="about" for=id>
                <span>{name}</span>
                <span class="small muted">{pieces::key(key)}</span>
                {comes}
            </label>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C4: a wildcard shows as giving whatever it covers, and nothing else.
    #[test]
    fn what_comes_with_a_wildcard_counts_as_given() {
        let ticked = BTreeSet::from(["audit.*".to_owned(), "users.read".to_owned()]);
        assert_eq!(comes_with(&ticked, "audit.read").as_deref(), Some("audit.*"));
        assert_eq!(comes_with(&ticked, "audit.*"), None);
        assert_eq!(comes_with(&ticked, "users.read"), None);
        let given =
            ["audit.*", "audit.read", "users.read", "users.update", "roles.read"].map(|key| is_given(&ticked, key));
        assert_eq!(given, [true, true, true, false, false]);
        assert!(is_given(&BTreeSet::from(["*".to_owned()]), "users.update"));
    }
}
