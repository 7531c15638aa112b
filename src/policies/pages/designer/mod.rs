//! The designer of a policy's rules: blocks that are moved by mouse, touch and keyboard, with the JSON that they are
//! beside them (C7).

use leptos::prelude::*;
use serde_json::Value;

use crate::{
    access::PolicyMode,
    base::language::td_string,
    policies::Tried,
    ui::{browser, drag::Drag, fields, icons::Icon, icons::icon, is_live, locale, pieces},
};

mod blocks;
mod tree;

use tree::{Node, Path, Rule};

/// What is drawn and written.
#[derive(Clone, Copy)]
pub struct Designer {
    /// The rules as blocks.
    rules: RwSignal<Vec<Rule>>,
    /// What stands in the JSON field.
    text: RwSignal<String>,
    /// Line and column where the JSON cannot be read on; the blocks wait until it can.
    broken: RwSignal<Option<(usize, usize)>>,
    /// Counts what gives the tree another shape; it is drawn anew then. A value that is typed leaves its field in place.
    shape: RwSignal<u32>,
    /// The block that the buttons move, and beside or in which new ones are put.
    chosen: RwSignal<Path>,
    said: RwSignal<String>,
    drag: Drag,
    /// How the blocks stand for somebody, under which mode.
    pub tried: RwSignal<Option<(Tried, PolicyMode)>>,
}

impl Designer {
    pub fn new(text: String) -> Self {
        let this = StoredValue::new(None::<Designer>);
        // The listener of the drag needs the designer, and the designer the drag.
        // The window's listeners do not know the language of the page.
        let owner = StoredValue::new(Owner::current());
        let dropped = Callback::new(move |(what, place): (String, String)| {
            if let (Some(designer), Some(owner)) = (this.get_value(), owner.get_value()) {
                owner.with(|| designer.drop_at(&what, &place));
            }
        });
        let designer = Designer {
            rules: RwSignal::new(Vec::new()),
            text: RwSignal::new(String::new()),
            broken: RwSignal::new(None),
            shape: RwSignal::new(0),
            chosen: RwSignal::new(vec![0]),
            said: RwSignal::new(String::new()),
            drag: Drag::new(dropped),
            tried: RwSignal::new(None),
        };
        designer.read(text);
        this.set_value(Some(designer));
        designer
    }

    /// The rules that the blocks are; none while the JSON cannot be read.
    pub fn rules(self) -> Option<Value> {
        let is_whole = self.broken.with(Option::is_none);
        self.rules.with(|rules| is_whole.then(|| tree::write(rules)))
    }

    /// Takes JSON over. What cannot be read leaves the blocks as they are.
    fn read(self, text: String) {
        let read = serde_json::from_str::<Value>(&text);
        let broken = match &read {
            Err(error) => Some((error.line(), error.column())),
            Ok(value) => match tree::read(value) {
                Some(rules) => {
                    self.rules.set(rules);
                    self.shape.update(|shape| *shape += 1);
                    self.tried.set(None);
                    None
                }
                None => Some((1, 1)),
            },
        };
        self.broken.set(broken);
        self.text.set(text);
    }

    /// Writes the JSON that the blocks are.
    fn write(self) {
        self.text.set(self.rules.with_untracked(|rules| super::editor::pretty(&tree::write(rules))));
        self.broken.set(None);
        self.tried.set(None);
    }

    /// Gives the tree another shape, and says so. Nothing changes where `change` tells no place.
    fn change(self, word: Said, change: &dyn Fn(&mut Vec<Rule>) -> Option<Path>) {
        let locale = locale();
        if self.broken.with_untracked(Option::is_some) {
            return;
        }
        let mut rules = self.rules.get_untracked();
        let name = blocks::name(&rules, &self.chosen.get_untracked());
        let Some(path) = change(&mut rules) else {
            self.said.set(td_string!(locale, policies.said_no_way).to_owned());
            return;
        };
        let place = blocks::whereabouts(&rules, &path);
        let said = match word {
            Said::Added => {
                let name = blocks::name(&rules, &path);
                td_string!(locale, policies.said_added, name = name, place = place).to_string()
            }
            Said::Moved => {
                let name = blocks::name(&rules, &path);
                td_string!(locale, policies.said_moved, name = name, place = place).to_string()
            }
            Said::Removed => td_string!(locale, policies.said_removed, name = name).to_string(),
        };
        let focus = if rules.is_empty() { blocks::FIRST_RULE.to_owned() } else { blocks::id("block", &path) };
        self.rules.set(rules);
        self.write();
        self.chosen.set(path);
        self.said.set(said);
        self.draw(focus);
    }

    /// Changes what is in a block. Where that gives it other fields it is drawn anew, and the focus stays in the field named.
    fn edit(self, path: &[usize], again: Option<&'static str>, change: &dyn Fn(&mut Node)) {
        self.rules.update(|rules| {
            if let Some(node) = tree::node_mut(rules, path) {
                change(node);
            }
        });
        self.write();
        if let Some(field) = again {
            self.draw(blocks::id(field, path));
        }
    }

    fn turn(self, rule: usize, denies: bool) {
        self.rules.update(|rules| {
            if let Some(rule) = rules.get_mut(rule) {
                rule.denies = denies;
            }
        });
        self.write();
        self.draw(blocks::id("effect", &[rule]));
    }

    /// Draws the tree anew, and then moves the focus.
    fn draw(self, focus: String) {
        self.shape.update(|shape| *shape += 1);
        set_timeout(move || browser::focus(&focus), std::time::Duration::from_millis(20));
    }

    /// What was dragged is new, `new:` with a word, or a block, and a place is a rule or group with a number in it.
    fn drop_at(self, what: &str, place: &str) {
        let Some((into, at)) = place.split_once(':') else { return };
        let (into, at) = (blocks::path(into), at.parse().unwrap_or(usize::MAX));
        match what.strip_prefix("new:") {
            Some(word) => self.change(Said::Added, &|rules| tree::insert(rules, &into, at, blocks::fresh(word))),
            None => self.change(Said::Moved, &|rules| tree::shift(rules, &blocks::path(what), &into, at)),
        }
    }

    /// Puts a new block into what is chosen, or behind it.
    fn add(self, word: &str) {
        let chosen = self.chosen.get_untracked();
        self.change(Said::Added, &|rules| {
            if rules.is_empty() {
                rules.push(Rule { denies: false, parts: Vec::new(), raw: None });
            }
            let open = |path: &[usize]| tree::parts(rules, path).map(Vec::len);
            let (into, at) = match (open(&chosen), chosen.split_last()) {
                (Some(end), _) => (chosen.clone(), end),
                (None, Some((last, parent))) if open(parent).is_some() => (parent.to_vec(), last + 1),
                _ => (vec![rules.len() - 1], usize::MAX),
            };
            tree::insert(rules, &into, at, blocks::fresh(word))
        });
    }

    fn add_rule(self, denies: bool) {
        self.change(Said::Added, &|rules| {
            rules.push(Rule { denies, parts: Vec::new(), raw: None });
            Some(vec![rules.len() - 1])
        });
    }

    fn step(self, path: &[usize], way: tree::Way) {
        self.change(Said::Moved, &|rules| tree::step(rules, path, way));
    }

    fn remove(self, path: &[usize]) {
        self.chosen.set(path.to_vec());
        self.change(Said::Removed, &|rules| {
            tree::remove(rules, path).then(|| match path.split_last() {
                // What has moved up to its place, or else what is before or around it.
                Some((rule, [])) => vec![(*rule).min(rules.len().saturating_sub(1))],
                None => vec![0],
                Some((_, parent)) if tree::node(rules, path).is_none() => parent.to_vec(),
                Some(_) => path.to_vec(),
            })
        });
    }

    /// How a block stands, once somebody was tried.
    fn stands(self, path: &[usize]) -> Option<Option<bool>> {
        self.tried.with(|tried| {
            let (tried, _) = tried.as_ref()?;
            let at = self.rules.with(|rules| tree::place(rules, path))?;
            tried.conditions.iter().find(|one| one.at == at).map(|one| one.holds)
        })
    }

    /// The block that decides.
    pub fn deciding(self) -> Option<Path> {
        self.tried.with(|tried| {
            let (tried, mode) = tried.as_ref()?;
            let holds = |at: &str| tried.conditions.iter().find(|one| one.at == at).and_then(|one| one.holds);
            self.rules.with(|rules| tree::deciding(rules, *mode == PolicyMode::Require, &holds))
        })
    }

    /// The rule that decides in a sentence; nothing before somebody was tried.
    pub fn decision(self) -> Option<String> {
        let locale = locale();
        self.tried.with(Option::is_some).then(|| match self.deciding() {
            None => td_string!(locale, policies.decides_none).to_owned(),
            Some(path) => {
                let number = path.first().map_or(1, |rule| rule + 1);
                match self.rules.with(|rules| (path.len() > 1).then(|| blocks::name(rules, &path))) {
                    Some(name) => td_string!(locale, policies.decides_by, number = number, name = name).to_string(),
                    None => td_string!(locale, policies.decides_rule, number = number).to_string(),
                }
            }
        })
    }
}

/// What a change is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Added,
    Moved,
    Removed,
}

/// The blocks and the field with the JSON.
pub fn view(designer: Designer, error: Signal<Option<String>>) -> AnyView {
    let (locale, live) = (locale(), is_live());
    let error = Signal::derive(move || match designer.broken.get() {
        Some((line, column)) if live.get() => {
            Some(td_string!(locale, policies.json_breaks, line = line, column = column).to_string())
        }
        _ => error.get(),
    });
    let wrong = move || error.with(Option::is_some);
    let drawn = designer.text.get_untracked();
    // What was typed into the page before it came to life.
    if !live.get_untracked()
        && let Some(typed) = browser::lines_of(&fields::id("rules"))
        && typed != drawn
    {
        designer.read(typed);
    }
    view! {
        <div class="designer whole" class:carrying=move || designer.drag.is_on()>
            {move || live.get().then(|| blocks::pane(designer))}
            <div class="field rules">
                <label for=fields::id("rules")>{td_string!(locale, policies.rules)}</label>
                <textarea
                    class="input mono"
                    id=fields::id("rules")
                    name="rules"
                    dir="ltr"
                    spellcheck="false"
                    prop:value=move || designer.text.get()
                    aria-invalid=move || wrong().then_some("true")
                    aria-describedby=fields::described("rules", true, error)
                    on:input=move |event| designer.read(event_target_value(&event))
                >
                    {drawn}
                </textarea>
                {fields::below("rules", Some(td_string!(locale, policies.rules_hint).into()), error)}
                {move || {
                    (live.get() && designer.broken.with(Option::is_some))
                        .then(|| {
                            view! {
                                <button class="btn sm" type="button" on:click=move |_| designer.write()>
                                    {icon(Icon::Undo)} {td_string!(locale, policies.json_restore)}
                                </button>
                            }
                        })
                }}
            </div>
            <div class="carry" node_ref=designer.drag.ghost hidden=move || !designer.drag.is_on() aria-hidden="true">
                {move || designer.drag.carried.get().map(|what| designer.rules.with(|rules| blocks::carried(rules, &what)))}
            </div>
            <p class="away" role="status">{move || pieces::sentence(&designer.said.get())}</p>
        </div>
    }
    .into_any()
}
