//! Administrators at work: weighted random acts, each journalled with its key before it is sent.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use bawwab_running::{ADMIN, Answer, Client, PASSWORD};
use serde_json::{Value, json};

use crate::{
    journal::{Act, Journal, Kind, Outcome},
    random::Random,
};

/// The roles that are granted: made before the load begins.
pub const ROLES: [&str; 3] = ["clerk", "reader", "keeper"];

/// How many API keys the administrator makes: a person may have no more.
const KEYS: u32 = 50;

pub struct Load {
    pub journal: Journal,
    state: Mutex<State>,
    token: Mutex<String>,
}

struct State {
    random: Random,
    made: u64,
    /// Ids of people who are known to exist.
    people: Vec<String>,
    granted: BTreeSet<(String, &'static str)>,
    keys: u32,
    /// Refresh tokens that were given and not used.
    fresh: Vec<String>,
    /// I4: what must not have happened to them.
    broken: Vec<String>,
    rotations: u64,
}

impl Load {
    /// Signs in and makes the roles.
    pub async fn begin(client: &Client, journal: Journal, random: Random) -> anyhow::Result<Arc<Self>> {
        let tokens = sign_in(client, ADMIN).await?;
        let token = tokens.text_of("access_token");
        for name in ROLES {
            client.post("/admin/roles", &json!({"name": name, "permissions": ["users.read"]}), Some(&token)).await?;
        }
        let state = State {
            random,
            made: 0,
            people: Vec::new(),
            granted: BTreeSet::new(),
            keys: 0,
            fresh: vec![tokens.text_of("refresh_token")],
            broken: Vec::new(),
            rotations: 0,
        };
        Ok(Arc::new(Load { journal, state: Mutex::new(state), token: Mutex::new(token) }))
    }

    fn state(&self) -> anyhow::Result<MutexGuard<'_, State>> {
        self.state.lock().map_err(|_poisoned| anyhow::anyhow!("a part of the load panicked"))
    }

    pub fn token(&self) -> anyhow::Result<String> {
        Ok(self.token.lock().map_err(|_poisoned| anyhow::anyhow!("a part of the load panicked"))?.clone())
    }

    /// Another access token: one lasts for a quarter of an hour.
    pub async fn renew(&self, client: &Client) -> anyhow::Result<()> {
        let token = sign_in(client, ADMIN).await?.text_of("access_token");
        *self.token.lock().map_err(|_poisoned| anyhow::anyhow!("a part of the load panicked"))? = token;
        Ok(())
    }

    /// What happened to refresh tokens that must not, and how many were rotated.
    pub fn rotations(&self) -> anyhow::Result<(u64, Vec<String>)> {
        let state = self.state()?;
        Ok((state.rotations, state.broken.clone()))
    }

    /// The next act. What it is about nobody else's is.
    pub fn next(&self) -> anyhow::Result<Act> {
        let mut state = self.state()?;
        state.made += 1;
        let n = state.made;
        let salt = state.random.next();
        let key = format!("{n}-{salt:016x}");
        let act =
            |kind, path: &str, body, what: String| Act { key, kind, path: path.to_owned(), body, what, whom: None };
        let choice = state.random.below(10);
        if choice < 4 {
            let mut random = state.random.clone();
            if let (Some(person), Some(role)) = (random.pick(&state.people).cloned(), random.pick(&ROLES).copied()) {
                state.random = random;
                if state.granted.insert((person.clone(), role)) {
                    let body = json!({"roles": [role]});
                    let path = format!("/admin/users/{person}/roles");
                    return Ok(Act { whom: Some(person), ..act(Kind::Grant, &path, body, role.to_owned()) });
                }
            }
        }
        Ok(match choice {
            9 if state.keys < KEYS => {
                state.keys += 1;
                let body = json!({"name": format!("key {n}"), "scopes": ["users.read"]});
                act(Kind::ApiKey, "/admin/api-keys", body, format!("key {n}"))
            }
            8 | 9 => act(Kind::Role, "/admin/roles", json!({"name": format!("role {n}")}), format!("role {n}")),
            _ => {
                let email = format!("load{n}@example.com");
                act(
                    Kind::Person,
                    "/admin/users",
                    json!({"email": email, "name": format!("Load {n}"), "roles": []}),
                    email,
                )
            }
        })
    }

    /// The next act of a kind. What comes before it is done.
    pub async fn next_of(&self, client: &Client, kind: Kind) -> anyhow::Result<Act> {
        for _ in 0..500 {
            let act = self.next()?;
            if act.kind == kind {
                return Ok(act);
            }
            self.act(client, &act).await?;
        }
        anyhow::bail!("no {kind:?} among 500 acts")
    }

    /// Journals, sends, journals.
    pub async fn act(&self, client: &Client, act: &Act) -> anyhow::Result<Outcome> {
        self.journal.asked(act)?;
        self.send(client, act).await
    }

    /// Sends once more what has been asked before.
    pub async fn send(&self, client: &Client, act: &Act) -> anyhow::Result<Outcome> {
        let token = self.token()?;
        let answer = client.send("POST", &act.path, Some(&act.body), Some(&token), Some(&act.key)).await;
        let outcome = judged(answer);
        self.journal.answered(act, &outcome)?;
        if let (Kind::Person, Outcome::Done { id, .. }) = (act.kind, &outcome) {
            self.state()?.people.push(id.clone());
        }
        Ok(outcome)
    }

    /// Acts until told to stop. Now and then it rotates a refresh token instead.
    pub async fn work(self: Arc<Self>, client: Client, stop: Arc<AtomicBool>) -> anyhow::Result<u64> {
        let mut acts = 0;
        while !stop.load(Ordering::Relaxed) {
            if self.state()?.random.below(5) == 0 {
                self.rotate(&client).await?;
                continue;
            }
            let act = self.next()?;
            if let Outcome::Unknown(_) = self.act(&client, &act).await? {
                // Nobody there: not to spin.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            acts += 1;
        }
        Ok(acts)
    }

    /// A token whose answer was lost is given up: its child may or may not be there.
    async fn rotate(&self, client: &Client) -> anyhow::Result<()> {
        let held = self.state()?.fresh.pop();
        let Some(old) = held else {
            if let Ok(answer) = sign_in(client, ADMIN).await {
                self.state()?.fresh.push(answer.text_of("refresh_token"));
            }
            return Ok(());
        };
        let answer = client.send("POST", "/auth/refresh", Some(&json!({"refresh_token": old})), None, None).await;
        let mut state = self.state()?;
        match answer {
            Ok(answer) if answer.is_success() => {
                state.fresh.push(answer.text_of("refresh_token"));
                state.rotations += 1;
            }
            Ok(Answer { status, text, .. }) if (400..500).contains(&status) => {
                state.broken.push(format!("a fresh refresh token was refused: {status} {text}"));
            }
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }
}

/// Works with so many clients on these nodes in turn while something is done to them; gives back how many acts there were.
pub async fn during<T>(
    load: &Arc<Load>,
    nodes: &[Client],
    clients: usize,
    something: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(u64, T)> {
    let stop = Arc::new(AtomicBool::new(false));
    let tasks = (0..clients)
        .filter_map(|n| nodes.get(n % nodes.len().max(1)))
        .map(|node| tokio::spawn(load.clone().work(node.clone(), stop.clone())))
        .collect::<Vec<_>>();
    let result = something.await;
    stop.store(true, Ordering::Relaxed);
    let mut acts = 0;
    for task in tasks {
        acts += task.await??;
    }
    Ok((acts, result?))
}

pub async fn sign_in(client: &Client, email: &str) -> anyhow::Result<Answer> {
    let body = json!({"email": email, "password": PASSWORD});
    let answer = client.send("POST", "/auth/login", Some(&body), None, None).await?;
    anyhow::ensure!(answer.is_success(), "sign in: {} {}", answer.status, answer.text);
    Ok(answer)
}

/// What an answer says about whether the act was done.
fn judged(answer: anyhow::Result<Answer>) -> Outcome {
    match answer {
        Err(error) => Outcome::Unknown(format!("{error:#}")),
        Ok(answer) if answer.is_success() => {
            let id = answer.text_of("id");
            Outcome::Done { id, text: answer.text }
        }
        Ok(answer) => {
            let code = answer.text_of("code");
            match answer.status {
                400..500 if !matches!(answer.status, 401 | 408 | 409 | 425 | 429) => {
                    Outcome::Refused(answer.status, code)
                }
                status => Outcome::Unknown(format!("{status} {code}")),
            }
        }
    }
}

/// Somebody with roles, signed in: their id and tokens.
pub async fn person(client: &Client, by: &str, email: &str, roles: &[&str]) -> anyhow::Result<(String, Value)> {
    let mut ids = Vec::new();
    for name in roles {
        let answer = client.send("GET", &format!("/admin/roles?q={name}"), None, Some(by), None).await?;
        let found = answer.json();
        let items = found["items"].as_array().context("roles")?;
        let role =
            items.iter().find(|role| role["name"] == *name).with_context(|| format!("no role {name}: {found}"))?;
        ids.push(role["id"].clone());
    }
    let body = json!({"email": email, "name": email, "password": PASSWORD, "roles": ids});
    let made = client.post("/admin/users", &body, Some(by)).await?;
    let id = made["id"].as_str().context("an id")?.to_owned();
    Ok((id, sign_in(client, email).await?.json()))
}
