//! Other engines on the same model, each as its documentation says it is used. What can be made before a question comes is
//! made before: their requests are ready when the clock starts.

use std::{collections::HashSet, fmt::Display, ops::Range};

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
};
use serde_json::{Map, Value, json};

use crate::{
    contenders::{Contender, Kind},
    model::{Model, key},
};

fn told(error: impl Display) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}

fn entity(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// One policy a role with all of its actions, which is how roles are written in Cedar.
pub fn cedar(model: &Model) -> anyhow::Result<Contender> {
    let [user, role, action, thing] = ["User", "Role", "Action", "Thing"].map(|name| name.parse::<EntityTypeName>());
    let (user, role) = (user.map_err(told)?, role.map_err(told)?);
    let (action, thing) = (action.map_err(told)?, thing.map_err(told)?);
    let policies = (0..model.roles).map(|at| {
        let actions = model.keys_of(at).map(|at| format!("Action::\"{}\"", key(at))).collect::<Vec<_>>().join(", ");
        format!("permit(principal in Role::\"{at}\", action in [{actions}], resource);\n")
    });
    let policies = policies.collect::<String>().parse::<PolicySet>().map_err(told)?;
    let roles = (0..model.roles).map(|at| Entity::new_no_attrs(entity(&role, &at.to_string()), HashSet::new()));
    let people = (0..model.people).map(|person| {
        let parents = model.roles_of(person).map(|at| entity(&role, &at.to_string())).collect();
        Entity::new_no_attrs(entity(&user, &person.to_string()), parents)
    });
    let entities = Entities::from_entities(roles.chain(people), None).map_err(told)?;
    let requests = model.questions.iter().map(|asked| {
        let (who, what) = (entity(&user, &asked.person.to_string()), entity(&action, &key(asked.key)));
        Request::new(who, what, entity(&thing, "one"), Context::empty(), None).map_err(told)
    });
    let requests = requests.collect::<anyhow::Result<Vec<_>>>()?;
    let authorizer = Authorizer::new();
    let run = move |range: Range<usize>| {
        let answers = requests[range].iter().map(|request| authorizer.is_authorized(request, &policies, &entities));
        anyhow::Ok(answers.filter(|answer| answer.decision() == Decision::Allow).count())
    };
    Ok(Contender { kind: Kind::Cedar, people: model.people, batch: 1, run: Box::new(run) })
}

/// The cheap half of the matcher stands first: whether it is the key, then whether they have the role.
const CASBIN: &str = "
[request_definition]
r = sub, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && g(r.sub, p.sub)
";

pub async fn casbin(model: &Model) -> anyhow::Result<Contender> {
    let rules = DefaultModel::from_str(CASBIN).await.map_err(told)?;
    let mut enforcer = Enforcer::new(rules, MemoryAdapter::default()).await.map_err(told)?;
    enforcer.enable_auto_save(false);
    let gives = (0..model.roles).flat_map(|at| model.keys_of(at).map(move |of| vec![format!("role{at}"), key(of)]));
    enforcer.add_policies(gives.collect()).await.map_err(told)?;
    let has = (0..model.people)
        .flat_map(|person| model.roles_of(person).map(move |at| vec![format!("user{person}"), format!("role{at}")]));
    enforcer.add_grouping_policies(has.collect()).await.map_err(told)?;
    let questions = model.questions.iter().map(|asked| (format!("user{}", asked.person), key(asked.key)));
    let questions = questions.collect::<Vec<_>>();
    let run = move |range: Range<usize>| {
        let mut yes = 0;
        for (who, what) in &questions[range] {
            yes += usize::from(enforcer.enforce((who.as_str(), what.as_str())).map_err(told)?);
        }
        anyhow::Ok(yes)
    };
    Ok(Contender { kind: Kind::Casbin, people: model.people, batch: 1, run: Box::new(run) })
}

const REGO: &str = "
package bench

default allow := false

allow if {
    some role in data.users[input.user]
    data.roles[role][input.key]
}
";

pub fn regorus(model: &Model) -> anyhow::Result<Contender> {
    let mut engine = regorus::Engine::new();
    engine.add_policy("bench.rego".to_owned(), REGO.to_owned())?;
    let roles = (0..model.roles).map(|at| {
        let keys = model.keys_of(at).map(|of| (key(of), Value::Bool(true))).collect::<Map<_, _>>();
        (format!("role{at}"), Value::Object(keys))
    });
    let users = (0..model.people).map(|person| {
        let has = model.roles_of(person).map(|at| Value::String(format!("role{at}"))).collect();
        (format!("user{person}"), Value::Array(has))
    });
    let data = json!({"roles": roles.collect::<Map<_, _>>(), "users": users.collect::<Map<_, _>>()});
    engine.add_data_json(&data.to_string())?;
    let inputs = model.questions.iter().map(|asked| {
        let input = json!({"user": format!("user{}", asked.person), "key": key(asked.key)});
        regorus::Value::from_json_str(&input.to_string())
    });
    let inputs = inputs.collect::<anyhow::Result<Vec<_>>>()?;
    let run = move |range: Range<usize>| {
        let mut yes = 0;
        for input in &inputs[range] {
            engine.set_input(input.clone());
            yes += usize::from(*engine.eval_rule("data.bench.allow".to_owned())?.as_bool()?);
        }
        anyhow::Ok(yes)
    };
    Ok(Contender { kind: Kind::Regorus, people: model.people, batch: 1, run: Box::new(run) })
}
