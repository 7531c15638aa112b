//! Draws the permissions graph from the snapshot on which the engine decides.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ptr,
};

use chrono::{DateTime, Utc};

use crate::{
    access::{
        GROUPS_READ, PERMISSIONS_READ, Permission, ROLES_READ, Scope, USERS_READ,
        server::{
            Cx, Tx,
            engine::{PersonGrants, Snapshot, is_live},
        },
    },
    accounts,
    base::{
        errors::{AppError, FieldCode},
        ids::{GroupId, RoleId, UserId},
        search,
        server::{input::Input, search as text},
        time::Timestamp,
    },
    policies::{
        graph::{Graph, GraphQuery, Line, LineKind, Node, NodeKind},
        server::find,
    },
};

/// How many nodes of a kind are drawn; with all kinds together a picture can still be read.
const MOST: &[(NodeKind, usize)] = &[
    (NodeKind::Person, 40),
    (NodeKind::Group, 50),
    (NodeKind::Role, 80),
    (NodeKind::Resource, 80),
    (NodeKind::Permission, 80),
];
/// How often the layers are put in order anew, forth and back.
const SWEEPS: usize = 4;

/// What a node stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Person(UserId),
    Group(GroupId),
    Role(RoleId),
    Resource(String),
    Permission(Permission),
}

/// One leads to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lead {
    from: Thing,
    to: Thing,
    kind: LineKind,
    scope: Option<Scope>,
    expires_at: Option<DateTime<Utc>>,
}

impl Thing {
    fn kind(&self) -> NodeKind {
        match self {
            Thing::Person(_) => NodeKind::Person,
            Thing::Group(_) => NodeKind::Group,
            Thing::Role(_) => NodeKind::Role,
            Thing::Resource(_) => NodeKind::Resource,
            Thing::Permission(_) => NodeKind::Permission,
        }
    }

    fn parse(id: &str) -> Option<Self> {
        let (kind, rest) = id.split_once(':')?;
        match kind {
            "person" => Some(Thing::Person(rest.parse().ok()?)),
            "group" => Some(Thing::Group(rest.parse().ok()?)),
            "role" => Some(Thing::Role(rest.parse().ok()?)),
            "resource" => Some(Thing::Resource(rest.to_owned())),
            "permission" => Some(Thing::Permission(Permission::parse(rest).ok()?)),
            _ => None,
        }
    }

    fn id(&self) -> String {
        match self {
            Thing::Person(id) => format!("person:{id}"),
            Thing::Group(id) => format!("group:{id}"),
            Thing::Role(id) => format!("role:{id}"),
            Thing::Resource(name) => format!("resource:{name}"),
            Thing::Permission(key) => format!("permission:{key}"),
        }
    }

    fn name(&self, snapshot: &Snapshot, people: &BTreeMap<UserId, String>) -> String {
        match self {
            Thing::Person(id) => people.get(id).cloned().unwrap_or_default(),
            Thing::Group(id) => snapshot.group(*id).map(|group| group.name.clone()).unwrap_or_default(),
            Thing::Role(id) => snapshot.role(*id).map(|role| role.name.clone()).unwrap_or_default(),
            Thing::Resource(name) => name.clone(),
            Thing::Permission(key) => key.to_string(),
        }
    }
}

impl Lead {
    fn new(from: Thing, to: Thing, kind: LineKind) -> Self {
        Lead { from, to, kind, scope: None, expires_at: None }
    }

    fn until(self, expires_at: Option<DateTime<Utc>>) -> Self {
        Lead { expires_at, ..self }
    }

    fn within(self, scope: &Scope) -> Self {
        Lead { scope: (!scope.is_everything()).then(|| scope.clone()), ..self }
    }
}

/// Which kinds are not wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    All,
    NoPeople,
    NoPermissions,
}

/// The graph, or what of it surrounds something. Needs `permissions.read` and `roles.read`; people are drawn for whoever
/// has `users.read`, those of the caller's scopes, and groups for whoever has `groups.read`.
pub async fn graph(cx: &Cx, query: Input<GraphQuery>) -> Result<Graph, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(ROLES_READ).await?;
    let GraphQuery { focus, q, show } = query.read()?;
    let show = match text::given(show).as_deref() {
        None | Some("all") => Show::All,
        Some("no_people") => Show::NoPeople,
        Some("no_permissions") => Show::NoPermissions,
        Some(_) => return Err(AppError::field("show", FieldCode::Unknown)),
    };
    let (snapshot, now) = (tx.snapshot()?.clone(), tx.now());
    let with_groups = tx.also_holds(&GROUPS_READ)?;
    let sees = People::of(&mut tx, &snapshot).await?;
    let mut leads = bones(&snapshot, with_groups, now);

    let wanted = match (text::given(focus), text::given(q)) {
        (Some(id), _) => {
            let thing = Thing::parse(&id).ok_or_else(|| AppError::field("focus", FieldCode::Malformed))?;
            Some(there(&snapshot, thing, &leads, &sees, with_groups)?)
        }
        (None, Some(q)) => Some(named(&mut tx, &snapshot, &q, &leads, &sees).await?),
        (None, None) => None,
    };
    let Some(wanted) = wanted else {
        if show == Show::NoPermissions {
            leads.retain(|lead| lead.kind != LineKind::Gives);
        }
        let (mut things, leads) = folded(&snapshot, leads, with_groups);
        let left_out = cut(&mut things, &BTreeSet::new());
        return drawn(&mut tx, &snapshot, &sees, things, leads, &BTreeSet::new(), left_out).await;
    };

    leads.extend(covers(&snapshot, &wanted, &leads));
    let single = wanted.iter().filter_map(|thing| match thing {
        Thing::Person(id) => Some(*id),
        _ => None,
    });
    for id in single.collect::<Vec<_>>() {
        if let Some(person) = snapshot.person(id) {
            leads.extend(of_person(id, person, with_groups, now));
        }
    }
    let before = reached(&wanted, &leads, |lead| (&lead.to, &lead.from));
    let mut things = reached(&wanted, &leads, |lead| (&lead.from, &lead.to));
    things.extend(before.iter().cloned());
    let mut beside = 0;
    if show != Show::NoPeople {
        let (people, more) = sees.led_to(&snapshot, &before, with_groups, now);
        beside = more;
        for (id, own) in people {
            things.insert(Thing::Person(id));
            leads.extend(own);
        }
    }
    if show == Show::NoPermissions {
        things.retain(|thing| thing.kind() != NodeKind::Permission || wanted.contains(thing));
    }
    let left_out = cut(&mut things, &wanted) + beside;
    drawn(&mut tx, &snapshot, &sees, things, leads, &wanted, left_out).await
}

/// The people whom the caller may see; nobody where people may not be read.
struct People<'a> {
    all: Vec<(UserId, &'a PersonGrants)>,
    may: bool,
}

impl<'a> People<'a> {
    async fn of(tx: &mut Tx, snapshot: &'a Snapshot) -> Result<Self, AppError> {
        if !tx.also_holds(&USERS_READ)? {
            return Ok(People { all: Vec::new(), may: false });
        }
        let visitor = tx.cx().visitor_of(tx.tenant()?).map(|person| person.user);
        let mut all = snapshot.everybody().filter(|(id, _)| visitor != Some(*id)).collect::<Vec<_>>();
        if tx.filter().is_some() {
            let ids = all.iter().map(|(id, _)| *id).collect::<Vec<_>>();
            let inside = accounts::server::store::within(tx, &ids).await?.into_iter().collect::<BTreeSet<_>>();
            all.retain(|(id, _)| inside.contains(id));
        }
        Ok(People { all, may: true })
    }

    fn has(&self, id: UserId) -> bool {
        self.all.iter().any(|(other, _)| *other == id)
    }

    /// Whoever is not active has nothing now.
    fn active(&self) -> impl Iterator<Item = (UserId, &'a PersonGrants)> {
        self.all.iter().copied().filter(|(_, person)| person.active)
    }

    /// Those from whom something leads to one of `things`, each with what does; and how many more there are.
    fn led_to(
        &self,
        snapshot: &Snapshot,
        things: &BTreeSet<Thing>,
        with_groups: bool,
        now: DateTime<Utc>,
    ) -> (Vec<(UserId, Vec<Lead>)>, u32) {
        let most = most(NodeKind::Person);
        let mut found = Vec::new();
        for (id, person) in self.active() {
            if things.contains(&Thing::Person(id)) || !leads_into(snapshot, person, things, with_groups, now) {
                continue;
            }
            found.push((id, person));
        }
        found.sort_unstable_by_key(|(id, _)| *id);
        let more = found.len().saturating_sub(most);
        found.truncate(most);
        let found = found.into_iter().map(|(id, person)| {
            let own = of_person(id, person, with_groups, now);
            (id, own.into_iter().filter(|lead| things.contains(&lead.to)).collect())
        });
        (found.collect(), u32::try_from(more).unwrap_or(u32::MAX))
    }

    /// How many have each role or are in each group now, by whatever way.
    fn counts(&self, snapshot: &Snapshot, now: DateTime<Utc>) -> BTreeMap<Thing, u32> {
        // Many share what they were given.
        let mut kinds = HashMap::<*const PersonGrants, (&PersonGrants, u32)>::new();
        for (_, person) in self.active() {
            kinds.entry(ptr::from_ref(person)).or_insert((person, 0)).1 += 1;
        }
        let mut counts = BTreeMap::new();
        for (person, people) in kinds.into_values() {
            let roles = snapshot.given(person, now).map(|given| Thing::Role(given.id));
            let live = person.groups.iter().filter(|membership| is_live(membership.expires_at, now));
            let groups = live.map(|membership| Thing::Group(membership.group));
            for thing in roles.chain(groups).collect::<BTreeSet<_>>() {
                *counts.entry(thing).or_default() += people;
            }
        }
        counts
    }
}

/// What a person was given leads to one of these. Nothing is put together for it: everybody is asked.
fn leads_into(
    snapshot: &Snapshot,
    person: &PersonGrants,
    things: &BTreeSet<Thing>,
    with_groups: bool,
    now: DateTime<Utc>,
) -> bool {
    let live = |end| is_live(end, now);
    person.roles.iter().any(|grant| live(grant.expires_at) && things.contains(&Thing::Role(grant.role)))
        || person.overrides.iter().any(|one| {
            // The cheap part first: an override is seldom.
            live(one.expires_at) && things.contains(&Thing::Permission(one.pattern.clone()))
        })
        || person.groups.iter().any(|membership| {
            let known = snapshot.group(membership.group).is_some();
            with_groups && known && live(membership.expires_at) && things.contains(&Thing::Group(membership.group))
        })
}

/// What was given to a person.
fn of_person(id: UserId, person: &PersonGrants, with_groups: bool, now: DateTime<Utc>) -> Vec<Lead> {
    let me = || Thing::Person(id);
    let roles = person.roles.iter().filter(|grant| is_live(grant.expires_at, now)).map(|grant| {
        Lead::new(me(), Thing::Role(grant.role), LineKind::Has).within(&grant.scope).until(grant.expires_at)
    });
    let groups = person.groups.iter().filter(|membership| with_groups && is_live(membership.expires_at, now));
    let groups = groups.map(|membership| {
        Lead::new(me(), Thing::Group(membership.group), LineKind::Member).until(membership.expires_at)
    });
    let overrides = person.overrides.iter().filter(|one| is_live(one.expires_at, now)).map(|one| {
        let kind = if one.allowed { LineKind::Allows } else { LineKind::Denies };
        Lead::new(me(), Thing::Permission(one.pattern.clone()), kind).until(one.expires_at)
    });
    groups.chain(roles).chain(overrides).collect()
}

/// Everything between groups, roles and permissions.
fn bones(snapshot: &Snapshot, with_groups: bool, now: DateTime<Utc>) -> Vec<Lead> {
    let mut leads = Vec::new();
    for id in snapshot.role_ids() {
        let Some(role) = snapshot.role(id) else { continue };
        let me = || Thing::Role(id);
        leads.extend(role.parents.iter().map(|parent| Lead::new(me(), Thing::Role(*parent), LineKind::Inherits)));
        leads.extend(role.own.iter().map(|key| Lead::new(me(), Thing::Permission(key.clone()), LineKind::Gives)));
    }
    for id in snapshot.group_ids().into_iter().filter(|_| with_groups) {
        let Some(group) = snapshot.group(id) else { continue };
        let me = || Thing::Group(id);
        leads.extend(group.parents.iter().map(|parent| Lead::new(me(), Thing::Group(*parent), LineKind::LiesIn)));
        leads.extend(group.roles.iter().filter(|grant| is_live(grant.expires_at, now)).map(|grant| {
            Lead::new(me(), Thing::Role(grant.role), LineKind::Has).within(&grant.scope).until(grant.expires_at)
        }));
    }
    leads
}

/// The wildcards that are given and cover a wanted key or wildcard without being it.
fn covers(snapshot: &Snapshot, wanted: &BTreeSet<Thing>, leads: &[Lead]) -> Vec<Lead> {
    let wildcards = leads.iter().filter_map(|lead| match &lead.to {
        Thing::Permission(key) if key.is_wildcard() => Some(key),
        _ => None,
    });
    let wildcards = wildcards.collect::<BTreeSet<_>>();
    // An override may name a wildcard that no role gives.
    let of_overrides = snapshot.catalogue().iter().filter_map(|info| Permission::parse(&info.key).ok());
    let of_overrides = of_overrides.filter(|key| key.is_wildcard()).collect::<Vec<_>>();
    let wildcards = wildcards.into_iter().chain(&of_overrides).collect::<BTreeSet<_>>();
    let mut found = Vec::new();
    for thing in wanted {
        let Thing::Permission(key) = thing else { continue };
        for wildcard in wildcards.iter().filter(|wildcard| **wildcard != key && wildcard.covers(key)) {
            found.push(Lead::new(Thing::Permission((*wildcard).clone()), thing.clone(), LineKind::Covers));
        }
    }
    found
}

/// The thing, if the caller may see it and it is there.
fn there(
    snapshot: &Snapshot,
    thing: Thing,
    leads: &[Lead],
    people: &People<'_>,
    with_groups: bool,
) -> Result<BTreeSet<Thing>, AppError> {
    let found = match &thing {
        Thing::Person(id) => people.has(*id),
        Thing::Group(id) => with_groups && snapshot.group(*id).is_some(),
        Thing::Role(id) => snapshot.role(*id).is_some(),
        Thing::Permission(key) => snapshot.knows(key) || leads.iter().any(|lead| lead.to == thing),
        Thing::Resource(name) => {
            let all = given(leads).filter(|key| key.resource() == name);
            let all = all.map(|key| Thing::Permission(key.clone())).collect::<BTreeSet<_>>();
            return if all.is_empty() { Err(AppError::NotFound) } else { Ok(all) };
        }
    };
    if found { Ok(BTreeSet::from([thing])) } else { Err(AppError::NotFound) }
}

/// The keys and wildcards that roles give.
fn given(leads: &[Lead]) -> impl Iterator<Item = &Permission> {
    leads.iter().filter_map(|lead| match &lead.to {
        Thing::Permission(key) => Some(key),
        _ => None,
    })
}

/// Everything of that name that may be seen; nobody and nothing is an empty graph.
async fn named(
    tx: &mut Tx,
    snapshot: &Snapshot,
    q: &str,
    leads: &[Lead],
    people: &People<'_>,
) -> Result<BTreeSet<Thing>, AppError> {
    if people.may
        && let Some(id) = find(tx, q).await?
        && people.has(id)
    {
        return Ok(BTreeSet::from([Thing::Person(id)]));
    }
    let (nobody, words) = (BTreeMap::new(), search::fold(q));
    let groups = leads.iter().filter(|lead| matches!(lead.from, Thing::Group(_))).map(|lead| lead.from.clone());
    let roles = snapshot.role_ids().into_iter().map(Thing::Role);
    let keys = snapshot.plain_keys().map(|(info, key)| (Thing::Permission(key), Some(info)));
    let patterns = given(leads).map(|key| (Thing::Permission(key.clone()), snapshot.info(key.as_str())));
    let named = groups.chain(roles).map(|thing| (thing, None)).chain(keys).chain(patterns);
    let found = named.filter(|(thing, info)| {
        let name = thing.name(snapshot, &nobody);
        let texts = info.map(|info| format!("{} {}", info.name_ar, info.name_en)).unwrap_or_default();
        search::finds(&search::fold(&format!("{name} {texts}")), &words)
    });
    Ok(found.map(|(thing, _)| thing).collect())
}

/// Whatever is reached from these along the leads, these included.
fn reached<'a>(
    start: &BTreeSet<Thing>,
    leads: &'a [Lead],
    ends: impl Fn(&'a Lead) -> (&'a Thing, &'a Thing),
) -> BTreeSet<Thing> {
    let mut next = BTreeMap::<&Thing, Vec<&Thing>>::new();
    for lead in leads {
        let (from, to) = ends(lead);
        next.entry(from).or_default().push(to);
    }
    let mut found = start.clone();
    let mut open = start.iter().cloned().collect::<Vec<_>>();
    while let Some(thing) = open.pop() {
        for to in next.get(&thing).into_iter().flatten() {
            if found.insert((*to).clone()) {
                open.push((*to).clone());
            }
        }
    }
    found
}

/// All groups and roles, and what the roles give put together by what it is about. `*` is about everything and stays.
fn folded(snapshot: &Snapshot, leads: Vec<Lead>, with_groups: bool) -> (BTreeSet<Thing>, Vec<Lead>) {
    let mut things = snapshot.role_ids().into_iter().map(Thing::Role).collect::<BTreeSet<_>>();
    things.extend(snapshot.group_ids().into_iter().filter(|_| with_groups).map(Thing::Group));
    let (mut kept, mut met) = (Vec::new(), BTreeSet::new());
    for mut lead in leads {
        if let Thing::Permission(key) = &lead.to
            && !key.resource().is_empty()
        {
            lead.to = Thing::Resource(key.resource().to_owned());
            // Only these can be the same as one before.
            if !met.insert((lead.from.clone(), lead.to.clone())) {
                continue;
            }
        }
        things.insert(lead.to.clone());
        kept.push(lead);
    }
    (things, kept)
}

fn most(kind: NodeKind) -> usize {
    MOST.iter().find(|(other, _)| *other == kind).map_or(0, |(_, most)| *most)
}

/// Leaves out what is too much of a kind, and tells how much that was. What was asked about stays.
fn cut(things: &mut BTreeSet<Thing>, wanted: &BTreeSet<Thing>) -> u32 {
    let mut seen = BTreeMap::<NodeKind, usize>::new();
    let before = things.len();
    things.retain(|thing| {
        let so_far = seen.entry(thing.kind()).or_default();
        *so_far += 1;
        *so_far <= most(thing.kind()) || wanted.contains(thing)
    });
    u32::try_from(before - things.len()).unwrap_or(u32::MAX)
}

/// Names, counts and places for these things, and the leads between them.
async fn drawn(
    tx: &mut Tx,
    snapshot: &Snapshot,
    people: &People<'_>,
    things: BTreeSet<Thing>,
    leads: Vec<Lead>,
    wanted: &BTreeSet<Thing>,
    left_out: u32,
) -> Result<Graph, AppError> {
    let ids = things.iter().filter_map(|thing| match thing {
        Thing::Person(id) => Some(*id),
        _ => None,
    });
    let brief = accounts::server::store::brief(tx, &ids.collect::<Vec<_>>()).await?;
    let names = brief.into_iter().map(|person| (person.id, person.name)).collect::<BTreeMap<_, _>>();
    let counts = people.may.then(|| people.counts(snapshot, tx.now()));
    let roles = snapshot.role_ids().into_iter().filter_map(|id| snapshot.role(id));
    let keys = roles.flat_map(|role| role.own.iter()).collect::<BTreeSet<_>>();
    let leads = leads.into_iter().filter(|lead| things.contains(&lead.from) && things.contains(&lead.to));
    let leads = leads.collect::<Vec<_>>();

    let mut things = things.into_iter().map(|thing| (thing.name(snapshot, &names), thing)).collect::<Vec<_>>();
    things.sort_by(|a, b| (search::fold(&a.0), &a.1).cmp(&(search::fold(&b.0), &b.1)));
    let places = things.iter().enumerate().map(|(at, (_, thing))| (thing, at)).collect::<BTreeMap<_, _>>();
    let ends = leads.iter().filter_map(|lead| Some((*places.get(&lead.from)?, *places.get(&lead.to)?)));
    let ends = ends.collect::<Vec<_>>();
    let kinds = things.iter().map(|(_, thing)| thing.kind()).collect::<Vec<_>>();
    let columns = layers(&kinds, &ends);
    let order = ordered(&columns, &ends);

    let mut place = vec![0; things.len()];
    for (at, old) in order.iter().enumerate() {
        place[*old] = at;
    }
    let nodes = order.iter().map(|old| {
        let (name, thing) = &things[*old];
        let count = match thing {
            Thing::Role(_) | Thing::Group(_) => {
                counts.as_ref().map(|counts| counts.get(thing).copied().unwrap_or_default())
            }
            Thing::Resource(about) => u32::try_from(keys.iter().filter(|key| key.resource() == about).count()).ok(),
            Thing::Person(_) | Thing::Permission(_) => None,
        };
        Node {
            id: thing.id(),
            kind: thing.kind(),
            name: name.clone(),
            count,
            column: number(columns[*old]),
            focused: wanted.contains(thing),
        }
    });
    let lines = leads.into_iter().zip(&ends).map(|(lead, (from, to))| Line {
        from: number(place[*from]),
        to: number(place[*to]),
        kind: lead.kind,
        scope: lead.scope,
        expires_at: lead.expires_at.map(Timestamp::from),
    });
    let mut lines = lines.collect::<Vec<_>>();
    lines.sort_by_key(|line| (line.from, line.to, line.kind));
    Ok(Graph { nodes: nodes.collect(), lines, left_out })
}

/// Of a few hundred.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The layer of each node: those of a kind stand together, and within a kind whatever leads to another stands before it.
/// Leads must not go round in a circle, which nesting and inheritance never do.
fn layers(kinds: &[NodeKind], ends: &[(usize, usize)]) -> Vec<usize> {
    // Resources and keys are of one kind here.
    let band = |node: usize| if kinds[node] == NodeKind::Permission { NodeKind::Resource } else { kinds[node] };
    let mut depth = vec![0; kinds.len()];
    // The longest way has fewer steps than there are nodes.
    for _ in 0..kinds.len() {
        let mut changed = false;
        for (from, to) in ends.iter().filter(|(from, to)| band(*from) == band(*to)) {
            if depth[*to] <= depth[*from] {
                depth[*to] = depth[*from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let mut starts = BTreeMap::new();
    for (node, depth) in depth.iter().enumerate() {
        let width = starts.entry(band(node)).or_insert(0);
        *width = (*width).max(depth + 1);
    }
    let mut next = 0;
    for width in starts.values_mut() {
        next += std::mem::replace(width, next);
    }
    (0..kinds.len()).map(|node| starts[&band(node)] + depth[node]).collect()
}

/// The nodes layer after layer, each layer in the order of where its neighbours stand on average, swept forth and back:
/// the barycenter method of Sugiyama, Tagawa and Toda (1981).
fn ordered(columns: &[usize], ends: &[(usize, usize)]) -> Vec<usize> {
    let count = columns.iter().max().map_or(0, |last| last + 1);
    let mut layers = vec![Vec::new(); count];
    for (node, column) in columns.iter().enumerate() {
        layers[*column].push(node);
    }
    let mut neighbours = vec![Vec::new(); columns.len()];
    for (from, to) in ends {
        neighbours[*from].push(*to);
        neighbours[*to].push(*from);
    }
    // Where in its layer each stands, from 0 to 1, so that short and long layers compare.
    let mut height = vec![0.5; columns.len()];
    let stand = |layer: &[usize], height: &mut Vec<f64>| {
        for (at, node) in layer.iter().enumerate() {
            height[*node] = (at as f64 + 0.5) / layer.len() as f64;
        }
    };
    for layer in &layers {
        stand(layer, &mut height);
    }
    for sweep in 0..SWEEPS {
        let forth = sweep % 2 == 0;
        for step in 0..count {
            let column = if forth { step } else { count - 1 - step };
            let middle = |node: &usize| {
                let before = neighbours[*node].iter().filter(|other| (columns[**other] < column) == forth);
                let (sum, number) = before.fold((0.0, 0.0), |(sum, n), other| (sum + height[*other], n + 1.0));
                if number > 0.0 { sum / number } else { height[*node] }
            };
            let mut layer = layers[column].iter().map(|node| (middle(node), *node)).collect::<Vec<_>>();
            layer.sort_by(|a, b| a.0.total_cmp(&b.0));
            layers[column] = layer.into_iter().map(|(_, node)| node).collect();
            stand(&layers[column], &mut height);
        }
    }
    layers.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C8: kinds stand in layers, and whoever inherits stands before what is inherited from.
    #[test]
    fn what_leads_stands_before_what_it_leads_to() {
        use NodeKind::{Group, Permission, Person, Resource, Role};
        let kinds = [Role, Person, Role, Permission, Group, Role, Resource];
        let ends = [(1, 4), (4, 0), (0, 2), (2, 5), (0, 5), (5, 3), (5, 6)];
        let columns = layers(&kinds, &ends);
        assert_eq!(columns, [2, 0, 3, 5, 1, 4, 5]);
        assert!(ends.iter().all(|(from, to)| columns[*from] < columns[*to]));
    }

    /// C8: lines that need not cross do not.
    #[test]
    fn a_layer_follows_the_one_before_it() {
        // 0..3 lead to 5, 4, 3 in turn.
        let order = ordered(&[0, 0, 0, 1, 1, 1], &[(0, 5), (1, 4), (2, 3)]);
        let place = |node| order.iter().position(|other| *other == node);
        let upside_down = place(0) > place(2);
        assert_eq!(place(5) > place(3), upside_down);
        assert!((place(4) > place(3)) == (place(1) > place(2)) && (place(5) > place(4)) == (place(0) > place(1)));
    }

    /// C8: no more than can be read, and what was asked about among it.
    #[test]
    fn what_is_too_much_is_left_out_but_not_what_was_asked_about() {
        let resource = |n: usize| Thing::Resource(format!("r{n:04}"));
        let mut things = (0..500).map(resource).collect::<BTreeSet<_>>();
        let wanted = BTreeSet::from([resource(499)]);
        let left_out = cut(&mut things, &wanted);
        assert_eq!((things.len(), left_out), (most(NodeKind::Resource) + 1, 500 - 81));
        assert!(things.contains(&resource(499)));
    }
}
