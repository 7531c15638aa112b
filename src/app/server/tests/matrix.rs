//! What every built-in role may do, printed for people who audit, and held against the committed print.

use std::{collections::BTreeSet, env, fmt::Write as _, fs};

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

const PRINT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/permission-matrix.txt");
const HEADER: &str = "\
What each built-in role may do, as the decision engine answers for a person who has that role alone.
x: allowed everywhere in the tenant. Wildcards are resolved; super-admin also has every key to come.
Policies count: the one that is seeded keeps signals.create for traders with an active subscription.
A test compares this file with the program; after a change of roles or permissions write it anew with
    BAWWAB_UPDATE=1 ./dev with-database ./dev cargo test --features ssr --lib matrix
";

fn texts(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[field].as_str().expect("a text").to_owned()).collect()
}

/// What somebody may do who has this role and nothing else.
async fn allowed(admin: &Client, role: &str) -> BTreeSet<String> {
    let email = format!("{role}@x.example");
    let body = json!({"email": email, "name": role, "password": "a long enough passphrase", "roles": [admin.role_id(role).await]});
    let added = admin.post("/admin/users", body).await.ok();
    admin.held(added["id"].as_str().expect("an id")).await.into_iter().collect()
}

fn print(keys: &[String], roles: &[(String, BTreeSet<String>)]) -> String {
    let mut text = HEADER.to_owned();
    let first = keys.iter().map(String::len).max().unwrap_or_default();
    let mut line = |head: &str, cells: Vec<(usize, &str)>| {
        let mut row = format!("{head:first$}");
        for (width, cell) in cells {
            write!(row, "  {cell:^width$}").expect("a text can be written to");
        }
        text.push('\n');
        text.push_str(row.trim_end());
    };
    line("", roles.iter().map(|(name, _)| (name.len(), name.as_str())).collect());
    let mut group = "";
    for key in keys {
        let resource = key.rsplit_once('.').map_or("", |(resource, _)| resource);
        if resource != group {
            line("", Vec::new());
            group = resource;
        }
        let cell = |keys: &BTreeSet<String>| if keys.contains(key) { "x" } else { "." };
        line(key, roles.iter().map(|(name, keys)| (name.len(), cell(keys))).collect());
    }
    text.push('\n');
    text
}

/// C17: nobody changes what a built-in role may do without the change being read.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_the_built_in_roles_may_do_is_what_the_printed_matrix_says(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let mut keys = texts(&admin.get("/admin/permissions").await.ok(), "key");
    keys.retain(|key| !key.ends_with('*'));
    let mut roles = Vec::new();
    for name in texts(&Value::Array(admin.all("/admin/roles").await), "name") {
        let allowed = allowed(&admin, &name).await;
        roles.push((name, allowed));
    }
    let now = print(&keys, &roles);
    if env::var_os("BAWWAB_UPDATE").is_some_and(|update| update == "1") {
        fs::write(PRINT, &now).expect("docs can be written");
    }
    let printed = fs::read_to_string(PRINT).expect("docs/permission-matrix.txt");
    assert!(printed == now, "docs/permission-matrix.txt is not what the program says, which is:\n{now}");
}
