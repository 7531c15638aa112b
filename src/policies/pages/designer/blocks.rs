//! How rules, groups and tests are drawn, and what they are called.

use leptos::{
    ev::{Event, KeyboardEvent},
    prelude::*,
};

use super::{
    Designer,
    tree::{self, Kind, Node, OPERATORS, Of, Path, Rule, Test, Way},
};
use crate::{
    base::language::td_string,
    ui::{
        browser,
        icons::{Icon, icon},
        is_arabic, locale,
        pieces::{self, Tone},
    },
};

/// The attributes that need no path of one's own.
const KNOWN: [&str; 13] = [
    "user.department",
    "user.region",
    "user.roles",
    "user.groups",
    "user.level",
    "user.id",
    "resource.department",
    "resource.region",
    "resource.owner",
    "env.time",
    "env.address",
    "env.device",
    "env.assurance",
];
/// What adds a rule: where the focus goes when none is left.
pub const FIRST_RULE: &str = "add-first-rule";
const WAYS: [Way; 4] = [Way::Up, Way::Down, Way::In, Way::Out];

pub fn id(what: &str, path: &[usize]) -> String {
    format!("{what}-{}", written(path))
}

fn written(path: &[usize]) -> String {
    path.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

pub fn path(written: &str) -> Path {
    written.split('-').filter_map(|step| step.parse().ok()).collect()
}

/// A new block: a group by its word, or a test of an attribute.
pub fn fresh(word: &str) -> Node {
    match Kind::of(word) {
        Some(kind) => Node::Group { kind, parts: Vec::new() },
        None => {
            let operator = if matches!(word, "user.roles" | "user.groups") { "contains" } else { "eq" };
            let values = vec![String::new()];
            Node::Test(Test { attribute: word.to_owned(), operator: operator.to_owned(), of: Of::Text, values })
        }
    }
}

fn kind_word(kind: Kind) -> &'static str {
    let locale = locale();
    match kind {
        Kind::All => td_string!(locale, policies.group_and),
        Kind::Any => td_string!(locale, policies.group_or),
        Kind::Not => td_string!(locale, policies.group_not),
    }
}

fn operator_word(operator: &str) -> &'static str {
    let locale = locale();
    match operator {
        "ne" => td_string!(locale, policies.test_ne),
        "in" => td_string!(locale, policies.test_in),
        "contains" => td_string!(locale, policies.test_contains),
        "starts_with" => td_string!(locale, policies.test_starts_with),
        "gt" => td_string!(locale, policies.test_gt),
        "gte" => td_string!(locale, policies.test_gte),
        "lt" => td_string!(locale, policies.test_lt),
        "lte" => td_string!(locale, policies.test_lte),
        "between" => td_string!(locale, policies.test_between),
        "exists" => td_string!(locale, policies.test_exists),
        "missing" => td_string!(locale, policies.test_missing),
        _ => td_string!(locale, policies.test_eq),
    }
}

fn of_word(of: Of) -> &'static str {
    let locale = locale();
    match of {
        Of::Text => td_string!(locale, policies.of_text),
        Of::Number => td_string!(locale, policies.of_number),
        Of::YesNo => td_string!(locale, policies.of_yes_no),
        Of::Attribute => td_string!(locale, policies.of_attribute),
    }
}

fn effect_word(denies: bool) -> &'static str {
    let locale = locale();
    if denies { td_string!(locale, policies.rule_deny) } else { td_string!(locale, policies.rule_allow) }
}

/// What a rule or a block is called.
pub fn name(rules: &[Rule], path: &[usize]) -> String {
    let locale = locale();
    if let [rule] = path {
        return td_string!(locale, policies.rule_number, number = rule + 1).to_string();
    }
    match tree::node(rules, path) {
        Some(Node::Group { kind, .. }) => kind_word(*kind).to_owned(),
        Some(Node::Test(test)) => {
            let values = test.values.join(td_string!(locale, base.list_separator));
            let values = if values.is_empty() { values } else { pieces::isolate_key(&values) };
            format!("{} {} {values}", pieces::isolate_key(&test.attribute), operator_word(&test.operator))
        }
        Some(Node::Raw(_)) => td_string!(locale, policies.block_raw).to_owned(),
        None => String::new(),
    }
}

/// Where a block stands, in words.
pub fn whereabouts(rules: &[Rule], path: &[usize]) -> String {
    let Some((last, parent)) = path.split_last() else { return String::new() };
    let around = tree::parts(rules, parent).map_or(rules.len(), Vec::len);
    let place = td_string!(locale(), policies.said_place, at = last + 1, of = around).to_string();
    if parent.is_empty() { place } else { format!("{place} · {}", name(rules, parent)) }
}

/// What is drawn beside the pointer.
pub fn carried(rules: &[Rule], what: &str) -> AnyView {
    let name = match what.strip_prefix("new:") {
        Some(word) => Kind::of(word).map_or_else(|| pieces::isolate_key(word), |kind| kind_word(kind).to_owned()),
        None => name(rules, &path(what)),
    };
    pieces::sentence(&name)
}

/// The blocks, what can be added to them, and the buttons that move the chosen one.
pub fn pane(designer: Designer) -> AnyView {
    let locale = locale();
    let known = KNOWN.map(|name| view! { <option value=name></option> });
    let groups = [Kind::All, Kind::Any, Kind::Not].map(|kind| piece(designer, kind.key(), kind_word(kind).into_any()));
    let attributes = KNOWN.map(|name| piece(designer, name, pieces::key(name)));
    let ways = WAYS.map(|way| {
        let (sign, word) = way_word(way);
        view! {
            <button
                class="btn sm"
                type="button"
                on:click=move |_| designer.step(&designer.chosen.get_untracked(), way)
            >
                {icon(sign)}
                {word}
            </button>
        }
    });
    let effects = [false, true].map(|denies| {
        view! {
            <button class="btn sm" type="button" id=(!denies).then_some(FIRST_RULE) on:click=move |_| designer.add_rule(denies)>
                {icon(Icon::Add)}
                {effect_word(denies)}
            </button>
        }
    });
    let tree = move || {
        designer.shape.track();
        let rules = designer.rules.get_untracked();
        rules.iter().enumerate().map(|(at, rule)| rule_card(designer, at, rule)).collect_view()
    };
    let chosen = move || {
        let path = designer.chosen.get();
        pieces::sentence(&designer.rules.with(|rules| name(rules, &path)))
    };
    view! {
        <fieldset
            class="blocks"
            disabled=move || designer.broken.with(Option::is_some)
            // In a line of a block Enter is the end of a value, not of the work on the policy.
            on:keydown=move |event| {
                if event.key() == "Enter" && browser::is_in_line(&event) {
                    event.prevent_default();
                }
            }
        >
            <legend>{td_string!(locale, policies.blocks)}</legend>
            <p class="hint" id="blocks-hint">{td_string!(locale, policies.blocks_hint)}</p>
            <div node_ref=designer.drag.source class="stack">
                <div class="palette-of" role="group" aria-label=td_string!(locale, policies.pieces)>
                    {groups.collect_view()}
                    {attributes.collect_view()}
                    {piece(designer, "user.", td_string!(locale, policies.another_attribute).into_any())}
                </div>
                <ol class="plain-list stack" role="list">
                    {tree}
                </ol>
                <div class="block-acts" role="group" aria-label=td_string!(locale, policies.block_acts)>
                    <span class="small muted">{td_string!(locale, policies.block_chosen)} " " {chosen}</span>
                    {ways.collect_view()}
                    <button
                        class="btn sm"
                        type="button"
                        on:click=move |_| designer.remove(&designer.chosen.get_untracked())
                    >
                        {icon(Icon::Remove)}
                        {td_string!(locale, policies.block_remove)}
                    </button>
                </div>
            </div>
            <div class="row-of" role="group" aria-label=td_string!(locale, policies.add_rule)>
                {effects.collect_view()}
            </div>
            <datalist id="known-attributes">{known.collect_view()}</datalist>
        </fieldset>
    }
    .into_any()
}

fn way_word(way: Way) -> (Icon, &'static str) {
    let locale = locale();
    match way {
        Way::Up => (Icon::Up, td_string!(locale, policies.way_up)),
        Way::Down => (Icon::Down, td_string!(locale, policies.way_down)),
        Way::In => (Icon::Inherited, td_string!(locale, policies.way_in)),
        Way::Out => (Icon::Out, td_string!(locale, policies.way_out)),
    }
}

/// One thing that can be added: by dragging it, or by pressing it.
fn piece(designer: Designer, word: &'static str, label: AnyView) -> AnyView {
    view! {
        <button
            class="piece"
            type="button"
            data-drag=format!("new:{word}")
            on:click=move |_| designer.add(word)
        >
            {label}
        </button>
    }
    .into_any()
}

/// By what a rule or a block is taken hold of, with its name for everybody who does not see it.
fn handle(designer: Designer, path: &Path, label: AnyView) -> AnyView {
    let (pressed, focused, by_key) = (path.clone(), path.clone(), path.clone());
    let keys = move |event: KeyboardEvent| {
        let key = event.key();
        let (inward, outward) = if is_arabic() { ("ArrowLeft", "ArrowRight") } else { ("ArrowRight", "ArrowLeft") };
        let way = match key.as_str() {
            "ArrowUp" => Way::Up,
            "ArrowDown" => Way::Down,
            key if key == inward => Way::In,
            key if key == outward => Way::Out,
            "Delete" => {
                event.prevent_default();
                designer.remove(&by_key);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        designer.step(&by_key, way);
    };
    let is_rule = path.len() == 1;
    view! {
        <button
            class="handle"
            type="button"
            id=id("block", path)
            data-drag=(!is_rule).then(|| written(path))
            aria-describedby="blocks-hint"
            aria-pressed=move || if designer.chosen.with(|chosen| *chosen == pressed) { "true" } else { "false" }
            on:click=move |_| designer.chosen.set(focused.clone())
            on:keydown=keys
        >
            {label}
        </button>
    }
    .into_any()
}

/// How a block stands, by word and by sign, and whether it decides.
fn mark(designer: Designer, path: &Path) -> AnyView {
    let path = path.clone();
    let stands = move || {
        let locale = locale();
        let mark = designer.stands(&path).map(|holds| match holds {
            Some(true) => pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, policies.holds)),
            Some(false) => pieces::badge(Tone::Bad, Some(Icon::Denied), td_string!(locale, policies.fails)),
            None => pieces::badge(Tone::Waiting, Some(Icon::Clock), td_string!(locale, policies.open)),
        });
        let decides = (designer.deciding().as_ref() == Some(&path))
            .then(|| pieces::badge(Tone::Accent, Some(Icon::Policy), td_string!(locale, policies.decides)));
        view! { {mark} {decides} }
    };
    view! { <span class="marks">{stands}</span> }.into_any()
}

fn rule_card(designer: Designer, at: usize, rule: &Rule) -> AnyView {
    let locale = locale();
    let path = vec![at];
    let label = td_string!(locale, policies.rule_number, number = at + 1).to_string();
    let inside = match &rule.raw {
        Some(raw) => kept(raw),
        None => view! {
            <select
                class="input"
                id=id("effect", &path)
                aria-label=td_string!(locale, policies.rule_effect)
                on:change=move |event| {
                    designer.turn(at, event_target_value(&event) == "deny");
                }
            >
                <option value="allow" selected={!rule.denies}>{effect_word(false)}</option>
                <option value="deny" selected={rule.denies}>{effect_word(true)}</option>
            </select>
        }
        .into_any(),
    };
    let parts = rule.raw.is_none().then(|| parts(designer, &path, &rule.parts));
    let empty = (rule.raw.is_none() && rule.parts.is_empty())
        .then(|| view! { <p class="small muted">{td_string!(locale, policies.rule_always)}</p> });
    view! {
        <li class="brick rule" class:denies=rule.denies>
            <div class="block-head">{handle(designer, &path, label.into_any())} {inside} {mark(designer, &path)}</div>
            {empty}
            {parts}
        </li>
    }
    .into_any()
}

/// What a rule or a group holds, and where more can be dropped.
fn parts(designer: Designer, path: &Path, parts: &[Node]) -> AnyView {
    let zone = format!("{}:{}", written(path), parts.len());
    let (here, over) = (zone.clone(), designer.drag.over);
    let blocks = parts.iter().enumerate().map(|(at, part)| {
        let path = path.iter().copied().chain([at]).collect::<Path>();
        block(designer, &path, part)
    });
    view! {
        <ol class="plain-list parts" role="list">
            {blocks.collect_view()}
        </ol>
        <div class="drop-here" data-drop=zone class:over=move || over.with(|over| over.as_deref() == Some(&*here))>
            {td_string!(locale(), policies.drop_here)}
        </div>
    }
    .into_any()
}

fn block(designer: Designer, path: &Path, part: &Node) -> AnyView {
    let (last, parent) = path.split_last().map_or((0, [].as_slice()), |(last, parent)| (*last, parent));
    let zone = format!("{}:{last}", written(parent));
    let (here, over) = (zone.clone(), designer.drag.over);
    let (label, inside, below) = match part {
        Node::Group { kind, parts: all } => {
            (icon(Icon::More).into_any(), choice(designer, path, *kind), Some(parts(designer, path, all)))
        }
        Node::Test(test) => (icon(Icon::More).into_any(), test_fields(designer, path, test), None),
        Node::Raw(raw) => (td_string!(locale(), policies.block_raw).into_any(), kept(raw), None),
    };
    let name_path = path.clone();
    let spoken = move || {
        let words = designer.rules.with(|rules| name(rules, &name_path));
        view! { <span class="away">{words}</span> }
    };
    let label = if !matches!(part, Node::Raw(_)) { view! { {label} {spoken} }.into_any() } else { label };
    view! {
        <li class="brick">
            <div
                class="block-head"
                data-drop=zone
                class:over=move || over.with(|over| over.as_deref() == Some(&*here))
            >
                {handle(designer, path, label)}
                {inside}
                {mark(designer, path)}
            </div>
            {below}
        </li>
    }
    .into_any()
}

/// What cannot be drawn, as it is written.
fn kept(raw: &serde_json::Value) -> AnyView {
    pieces::key(raw.to_string())
}

/// The choice of what a group is.
fn choice(designer: Designer, path: &Path, chosen: Kind) -> AnyView {
    let options = [Kind::All, Kind::Any, Kind::Not].map(|kind| {
        view! { <option value=kind.key() selected={kind == chosen}>{kind_word(kind)}</option> }
    });
    let at = path.clone();
    view! {
        <select
            class="input"
            id=id("kind", path)
            aria-label=td_string!(locale(), policies.group_kind)
            on:change=move |event| {
                let Some(turned) = Kind::of(&event_target_value(&event)) else { return };
                designer.edit(&at, Some("kind"), &|node| if let Node::Group { kind, .. } = node { *kind = turned });
            }
        >
            {options.collect_view()}
        </select>
    }
    .into_any()
}

fn on_test(designer: Designer, path: &[usize], again: Option<&'static str>, change: &dyn Fn(&mut Test)) {
    designer.edit(path, again, &|node| {
        if let Node::Test(test) = node {
            change(test);
        }
    });
}

fn test_fields(designer: Designer, path: &Path, test: &Test) -> AnyView {
    let locale = locale();
    let operators = OPERATORS.map(|operator| {
        view! { <option value=operator selected={test.operator == operator}>{operator_word(operator)}</option> }
    });
    let fits = |of: Of| match test.operator.as_str() {
        "exists" | "missing" => false,
        "starts_with" => of == Of::Text,
        "in" | "between" | "gt" | "gte" | "lt" | "lte" => matches!(of, Of::Text | Of::Number),
        _ => true,
    };
    let kinds = [Of::Text, Of::Number, Of::YesNo, Of::Attribute].into_iter().filter(|of| fits(*of) || *of == test.of);
    let kinds = kinds.map(|of| view! { <option value=of.key() selected={of == test.of}>{of_word(of)}</option> });
    let (for_name, for_operator, for_kind) = (path.clone(), path.clone(), path.clone());
    let kind = fits(test.of).then(|| {
        view! {
            <select
                class="input"
                id=id("of", path)
                aria-label=td_string!(locale, policies.value_kind)
                on:change=move |event| {
                    let chosen = event_target_value(&event);
                    on_test(designer, &for_kind, Some("of"), &|test| test.of = Of::parse(&chosen));
                }
            >
                {kinds.collect_view()}
            </select>
        }
    });
    let values = if test.operator == "in" {
        value_lines(designer, path, test)
    } else {
        (0..test.values.len()).map(|at| value_field(designer, path, test, at)).collect_view().into_any()
    };
    view! {
        <div class="test">
            <input
                class="input mono"
                id=id("attribute", path)
                dir="ltr"
                list="known-attributes"
                aria-label=td_string!(locale, policies.attribute)
                value=test.attribute.clone()
                on:input=move |event| {
                    let typed = event_target_value(&event);
                    on_test(designer, &for_name, None, &|test| test.attribute.clone_from(&typed));
                }
            />
            <select
                class="input"
                id=id("operator", path)
                aria-label=td_string!(locale, policies.operator)
                on:change=move |event| {
                    let chosen = event_target_value(&event);
                    on_test(designer, &for_operator, Some("operator"), &|test| test.turn_to(&chosen));
                }
            >
                {operators.collect_view()}
            </select>
            {kind}
            {values}
        </div>
    }
    .into_any()
}

/// The values of a list, one a line.
fn value_lines(designer: Designer, path: &Path, test: &Test) -> AnyView {
    let at = path.clone();
    view! {
        <textarea
            class="input"
            id=id("value", path)
            dir="auto"
            rows="3"
            aria-label=td_string!(locale(), policies.values_lines)
            on:input=move |event| {
                let typed = event_target_value(&event);
                let lines = || typed.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned);
                on_test(designer, &at, None, &|test| test.values = lines().collect());
            }
        >
            {test.values.join("\n")}
        </textarea>
    }
    .into_any()
}

fn value_field(designer: Designer, path: &Path, test: &Test, number: usize) -> AnyView {
    let locale = locale();
    let at = path.clone();
    let value = test.values.get(number).cloned().unwrap_or_default();
    let typed = move |event: Event| {
        let typed = event_target_value(&event);
        on_test(designer, &at, None, &|test| {
            if let Some(value) = test.values.get_mut(number) {
                value.clone_from(&typed);
            }
        });
    };
    let label = match (test.values.len(), number) {
        (2, 0) => td_string!(locale, policies.value_from),
        (2, _) => td_string!(locale, policies.value_to),
        _ => td_string!(locale, policies.value),
    };
    let own = id(if number == 0 { "value" } else { "value-to" }, path);
    if test.of == Of::YesNo {
        return view! {
            <select class="input" id=own aria-label=label on:change=typed>
                <option value="true" selected={value == "true"}>{td_string!(locale, policies.yes)}</option>
                <option value="false" selected={value != "true"}>{td_string!(locale, policies.no)}</option>
            </select>
        }
        .into_any();
    }
    let (direction, mode, known) = match test.of {
        Of::Number => ("ltr", Some("decimal"), None),
        Of::Attribute => ("ltr", None, Some("known-attributes")),
        Of::Text | Of::YesNo => ("auto", None, None),
    };
    view! {
        <input
            class="input"
            id=own
            dir=direction
            inputmode=mode
            list=known
            aria-label=label
            value=value
            on:input=typed
        />
    }
    .into_any()
}
