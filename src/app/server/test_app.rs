//! The real application for tests: real router, real database as the application role, a clock that is moved by hand.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use chrono::{DateTime, Utc};
use leptos::config::LeptosOptions;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tower::ServiceExt as _;

use crate::{
    access::server::Heart,
    app::server::{
        AppState,
        cli::set_up_link,
        router::{self, Wiring},
    },
    base::server::{
        clock::Clock,
        config::{Proxy, PublicUrl},
        crypto::Keys,
        db,
        mail::transport::Post,
        passwords::Hasher,
        places::Places,
    },
    sessions::server::FailuresLast,
};

pub const PUBLIC: &str = "http://localhost:3000";
pub const PASSWORD: &str = "a long enough passphrase";

/// One node. [`TestApp::second_node`] gives another on the same database.
#[derive(Clone)]
pub struct TestApp {
    pub router: Router,
    pub heart: Heart,
    /// The owner's pool, which row-level security does not hold: for looking at what was left behind.
    pub owner: PgPool,
    options: PgConnectOptions,
    hasher: Hasher,
    pub clock: Clock,
}

/// An answer, taken apart.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The answer of an act that must have worked.
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()
    }

    /// The cookies that were set, as a browser would send them back.
    pub fn cookies(&self) -> String {
        let set = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        set.filter_map(|text| text.split(';').next()).collect::<Vec<_>>().join("; ")
    }
}

/// The field and the code of the first thing that a refusal finds wrong.
pub fn first_error(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let error = &answer.json()["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("field"), text("code"))
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Client {
    app: TestApp,
    headers: Vec<(String, String)>,
    pub id: String,
}

impl TestApp {
    pub async fn start(options: PgConnectOptions) -> Self {
        let clock = Clock::fixed("2026-11-22T08:00:00Z".parse::<DateTime<Utc>>().expect("a moment"));
        let hasher = Hasher::new().expect("a hasher");
        let app = Self::node(options, clock, hasher, &[]).await;
        app.without_required_factors().await;
        app
    }

    /// With the rule as it comes: super-admins set up a second factor before anything else.
    pub async fn strict(options: PgConnectOptions) -> Self {
        let clock = Clock::fixed("2026-11-22T08:00:00Z".parse::<DateTime<Utc>>().expect("a moment"));
        let app = Self::node(options, clock, Hasher::new().expect("a hasher"), &[]).await;
        app.without_news().await;
        app
    }

    /// Most tests are about something else than new devices.
    async fn without_news(&self) {
        let calm = json!({
            "ask_new_device": false, "ask_new_network": false, "ask_new_country": false, "mail_new_device": false,
        });
        self.set("sessions.risk", calm).await;
    }

    /// Nor about setting a second factor up first, or asking others.
    pub async fn without_required_factors(&self) {
        self.without_news().await;
        self.set("sessions.sign_in", json!({"second_factor_roles": []})).await;
        self.set("approvals.rules", json!({"required": 0})).await;
    }

    /// Other limits than the product comes with.
    pub async fn admin_limits(&self, limits: Value) {
        self.set("sessions.limits", limits).await;
    }

    /// A group of settings of every tenant, around the rules for those who set them.
    async fn set(&self, key: &str, value: Value) {
        sqlx::query(
            "insert into settings (tenant_id, key, value) select id, $1, $2 from tenants
             on conflict (tenant_id, key) do update set value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&self.owner)
        .await
        .expect("a setting");
    }

    /// With the built files of the browser half in a folder.
    pub async fn start_with_site(options: PgConnectOptions, site: &Path) -> Self {
        let mut app = Self::start(options).await;
        app.router = Self::routed(&app.heart, &[], &site.to_string_lossy());
        app
    }

    pub async fn behind(options: PgConnectOptions, proxies: &[Proxy]) -> Self {
        let clock = Clock::fixed("2026-11-22T08:00:00Z".parse::<DateTime<Utc>>().expect("a moment"));
        let app = Self::node(options, clock, Hasher::new().expect("a hasher"), proxies).await;
        app.without_required_factors().await;
        app
    }

    /// Reached by people at this address.
    pub async fn start_at(options: PgConnectOptions, public: &str) -> Self {
        let clock = Clock::fixed("2026-11-22T08:00:00Z".parse::<DateTime<Utc>>().expect("a moment"));
        Self::node_at(options, clock, Hasher::new().expect("a hasher"), &[], public).await
    }

    /// Reached by people at this address, through these proxies.
    pub async fn start_at_behind(options: PgConnectOptions, public: &str, proxies: &[Proxy]) -> Self {
        let clock = Clock::fixed("2026-11-22T08:00:00Z".parse::<DateTime<Utc>>().expect("a moment"));
        let app = Self::node_at(options, clock, Hasher::new().expect("a hasher"), proxies, public).await;
        app.without_required_factors().await;
        app
    }

    async fn node(options: PgConnectOptions, clock: Clock, hasher: Hasher, proxies: &[Proxy]) -> Self {
        Self::node_at(options, clock, hasher, proxies, PUBLIC).await
    }

    async fn node_at(options: PgConnectOptions, clock: Clock, hasher: Hasher, proxies: &[Proxy], public: &str) -> Self {
        let pool = db::connect(options.clone(), 12).await.expect("a pool");
        let owner = PgPool::connect_lazy_with(options.clone());
        let public = public.parse::<PublicUrl>().expect("an origin");
        let heart = Heart::new(pool, clock.clone(), Keys::new([9; 32]), hasher.clone(), public);
        heart.refresh().await.expect("the grants");
        let router = Self::routed(&heart, proxies, "target/nothing");
        TestApp { router, heart, owner, options, hasher, clock }
    }

    fn wiring(heart: &Heart, proxies: &[Proxy], site: &str) -> Wiring {
        Wiring {
            heart: heart.clone(),
            options: LeptosOptions::builder().output_name("bawwab").site_root(site.to_owned()).build(),
            proxies: proxies.to_vec(),
            metrics_token: None,
            failures_last: FailuresLast(Duration::ZERO),
        }
    }

    fn routed(heart: &Heart, proxies: &[Proxy], site: &str) -> Router {
        router::router(Self::wiring(heart, proxies, site))
    }

    /// The same node with numbers for whoever shows this token.
    pub fn with_metrics(mut self, token: &str) -> Self {
        let wiring = Self::wiring(&self.heart, &[], "target/nothing");
        self.router = router::router(Wiring { metrics_token: Some(token.parse().expect("a token")), ..wiring });
        self
    }

    /// With other doors than the product's behind the product's outermost layers.
    pub fn with_doors(mut self, doors: Router<AppState>, deadline: Duration) -> Self {
        let state = router::state(Self::wiring(&self.heart, &[], "target/nothing"));
        self.router = router::surround(doors, state, deadline);
        self
    }

    /// Another node of the same installation, with its own memory.
    pub async fn second_node(&self) -> Self {
        self.again_behind(&[]).await
    }

    /// How many of 32 parallel requests on two nodes do what was asked; the others find what they bring spent.
    pub async fn race(&self, path: &'static str, body: Value) -> usize {
        let two = self.second_node().await;
        let tries = (0..32).map(|n| {
            let client = if n % 2 == 0 { self.anonymous() } else { two.anonymous() };
            let body = body.clone();
            tokio::spawn(async move { client.post(path, body).await.status })
        });
        let mut won = 0;
        for attempt in tries.collect::<Vec<_>>() {
            match attempt.await.expect("no panic") {
                StatusCode::OK => won += 1,
                status => assert_eq!(status, StatusCode::GONE),
            }
        }
        won
    }

    /// Another node that stands behind these proxies.
    pub async fn again_behind(&self, proxies: &[Proxy]) -> Self {
        Self::node(self.options.clone(), self.clock.clone(), self.hasher.clone(), proxies).await
    }

    /// The same node with a database that knows the country of some networks.
    pub fn with_countries(mut self, countries: &[(u8, &str)], proxies: &[Proxy]) -> Self {
        let database = crate::base::server::places::tests::database(countries);
        self.heart = self.heart.with_places(Places::of(database).expect("a database"));
        self.router = Self::routed(&self.heart, proxies, "target/nothing");
        self
    }

    /// Moves the clock and lets the node look at the versions, as its task would have done meanwhile.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.heart.refresh().await.expect("the grants");
    }

    pub fn anonymous(&self) -> Client {
        Client { app: self.clone(), headers: Vec::new(), id: String::new() }
    }

    /// Whoever holds these tokens, on this node.
    pub fn with_token(&self, token: &str) -> Client {
        self.anonymous().with("authorization", &format!("Bearer {token}"))
    }

    /// The first super-admin, by the link, and then as a program.
    pub async fn admin(&self) -> Client {
        let link = set_up_link(self.heart.clone()).await.expect("a link").expect("nobody is super-admin yet");
        let token = link.split_once("token=").expect("a token").1.to_owned();
        let form = [
            ("token", token.as_str()),
            ("name", "هند العتيبي"),
            ("email", "hind@nakheel.example"),
            ("password", PASSWORD),
            ("password_again", PASSWORD),
        ];
        let answer = self.anonymous().form("/setup", &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        self.sign_in("hind@nakheel.example").await
    }

    /// Signs in as a program with the tests' password.
    pub async fn sign_in(&self, email: &str) -> Client {
        let body = json!({"email": email, "password": PASSWORD});
        let tokens = self.anonymous().post("/auth/login", body).await.ok();
        let client = self.with_token(tokens["access_token"].as_str().expect("a token"));
        let id = client.get("/auth/me").await.ok()["id"].as_str().expect("an id").to_owned();
        Client { id, ..client }
    }

    /// A person whom `by` adds, signed in. Without roles they may do nothing.
    pub async fn person(&self, by: &Client, email: &str, roles: &[&str]) -> Client {
        let mut ids = Vec::new();
        for name in roles {
            ids.push(by.role_id(name).await);
        }
        let body = json!({"email": email, "name": email, "password": PASSWORD, "roles": ids});
        by.post("/admin/users", body).await.ok();
        self.sign_in(email).await
    }

    /// The actions in the audit log, oldest first.
    pub async fn actions(&self) -> Vec<String> {
        sqlx::query_scalar("select action from audit_logs order by id").fetch_all(&self.owner).await.expect("the log")
    }

    /// How many rows a query counts, as the owner.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.owner).await.expect("a count")
    }
}

impl Client {
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same person on another node.
    pub fn on(&self, app: &TestApp) -> Self {
        Client { app: app.clone(), ..self.clone() }
    }

    pub async fn send(&self, method: Method, path: &str, kind: Option<&str>, body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let mut request = request.body(body).expect("a request");
        let peer = SocketAddr::from(([192, 0, 2, 7], 4_711));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.app.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 24).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Body::empty()).await
    }

    pub async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send(method, path, Some("application/json"), Body::from(body.to_string())).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, Body::empty()).await
    }

    /// Posts a form as our own page would.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let client = self.with("origin", PUBLIC).with("sec-fetch-site", "same-origin");
        client.send(Method::POST, path, Some("application/x-www-form-urlencoded"), Body::from(body)).await
    }

    /// The id of a role by its name.
    pub async fn role_id(&self, name: &str) -> String {
        let roles = self.all("/admin/roles").await;
        let found = roles.iter().find(|role| role["name"] == name);
        found.unwrap_or_else(|| panic!("no role {name}"))["id"].as_str().expect("an id").to_owned()
    }

    /// Says yes to a request as it is listed now, as whoever looks before deciding.
    pub async fn approve(&self, id: &str) -> Answer {
        let listed = self.get("/admin/approvals").await;
        let all = if listed.status.is_success() { listed.json() } else { Value::Null };
        let found = all.as_array().into_iter().flatten().find(|one| one["id"] == id);
        let digest = found.map_or(Value::Null, |one| one["digest"].clone());
        self.post(&format!("/admin/approvals/{id}/approve"), json!({"comment": "نعم", "digest": digest})).await
    }

    /// Every row of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        self.all_by(path, 200).await
    }

    /// The same with so many rows a page.
    pub async fn all_by(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mark, mut rows, mut after) = (if path.contains('?') { '&' } else { '?' }, Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{mark}limit={limit}&after={after}")).await.ok();
            let items = page["items"].as_array().expect("a list");
            assert!(items.len() <= limit, "{path}: {} rows of {limit}", items.len());
            rows.extend(items.iter().cloned());
            assert!(rows.len() < 10_000, "{path} does not end");
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return rows,
            }
        }
    }

    /// A role of its own with these permissions.
    pub async fn make_role(&self, name: &str, permissions: &[&str]) -> String {
        let role = self.post("/admin/roles", json!({"name": name, "permissions": permissions})).await.ok();
        role["id"].as_str().expect("an id").to_owned()
    }

    /// Which permissions somebody holds now.
    pub async fn held(&self, id: &str) -> Vec<String> {
        let effective = self.get(&format!("/admin/users/{id}/effective-permissions")).await.ok();
        let held = effective.as_array().into_iter().flatten().filter(|one| one["allowed"] == true);
        held.map(|one| one["key"].as_str().expect("a key").to_owned()).collect()
    }
}

/// A post that speaks to an SMTP server of the test's own, without TLS.
pub fn post_to(port: u16) -> Post {
    let url = format!("smtp://127.0.0.1:{port}?tls=none").parse().expect("an address");
    Post::of(Some(&url), None, &PUBLIC.parse().expect("an origin"), "/nowhere".into()).expect("a post")
}

/// Connect options of the database that `#[sqlx::test]` has made, as its owner.
pub fn options_of(pool: &PgPool) -> PgConnectOptions {
    Arc::unwrap_or_clone(pool.connect_options())
}
