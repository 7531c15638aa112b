//! The private PostgreSQL, really started, stopped, killed and adopted.

use super::{
    programs::{choose, major_version},
    *,
};

/// A data directory of its own, removed at the end even when the test fails.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let mut bytes = [0; 8];
        rand::fill(&mut bytes).unwrap();
        Scratch(std::env::temp_dir().join(format!("bawwab-test-{name}-{}", hex::encode(bytes))))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn select_one(cluster: &Cluster) -> i32 {
    let mut connection = cluster.connect_options().connect().await.unwrap();
    sqlx::query_scalar("select 1").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_cluster_starts_serves_its_owner_alone_and_stops() {
    let scratch = Scratch::new("start");
    let cluster = Cluster::start(&scratch.0).await.unwrap();
    assert_eq!(select_one(&cluster).await, 1);

    let wrong = cluster.connect_options().password("wrong").connect().await.unwrap_err();
    assert_eq!(wrong.as_database_error().unwrap().code().unwrap(), "28P01");
    let mode = |name: &str| scratch.0.join(name).metadata().unwrap().mode() & 0o777;
    assert_eq!([mode("postgres"), mode("postgres.run"), mode("postgres.password")], [0o700, 0o700, 0o600]);

    let refusal = Cluster::start(&scratch.0).await.err().unwrap().to_string();
    assert!(refusal.starts_with("another Bawwab is using the data directory"), "{refusal}");
    assert_eq!(select_one(&cluster).await, 1);

    let options = cluster.connect_options();
    cluster.stop().await.unwrap();
    assert!(matches!(options.connect().await, Err(sqlx::Error::Io(_))));
    assert!(!scratch.0.join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_server_left_by_a_killed_owner_is_adopted_even_when_its_socket_is_elsewhere() {
    let scratch = Scratch::new("adopt");
    let data_dir = scratch.0.join("long".repeat(25));
    let mut killed = Cluster::start(&data_dir).await.unwrap();
    assert!(!killed.socket_dir.starts_with(&data_dir));
    let pid = killed.postmaster.take(); // what it does not know it does not stop
    let socket_dir = killed.socket_dir.clone();
    drop(killed);

    let heir = Cluster::start(&data_dir).await.unwrap();
    assert_eq!(heir.postmaster, pid);
    assert_eq!(select_one(&heir).await, 1);
    heir.stop().await.unwrap();
    fs::remove_dir(socket_dir).unwrap();
}

#[tokio::test]
async fn a_dropped_cluster_stops_and_starts_again_past_stale_files() {
    let scratch = Scratch::new("drop");
    drop(Cluster::start(&scratch.0).await.unwrap());
    let mut again = Cluster::start(&scratch.0).await.unwrap();
    again.shut_down().await.unwrap();
    drop(again);

    // The number of a process that is not PostgreSQL, and an `initdb` that was cut short.
    fs::write(scratch.0.join("postgres/postmaster.pid"), "1\n").unwrap();
    fs::create_dir(scratch.0.join("postgres.new")).unwrap();
    again = Cluster::start(&scratch.0).await.unwrap();
    assert_eq!(select_one(&again).await, 1);
    again.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_start_is_reported_with_its_log() {
    let scratch = Scratch::new("broken");
    Cluster::start(&scratch.0).await.unwrap().stop().await.unwrap();
    fs::write(scratch.0.join("postgres/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = Cluster::start(&scratch.0).await.err().unwrap().to_string();
    assert!(error.contains("stopped while starting") && error.contains("no_such_setting"), "{error}");
}

#[test]
fn the_major_version_is_read_from_every_form() {
    assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
    assert_eq!(major_version("postgres (PostgreSQL) 16beta1"), Some(16));
    assert_eq!(major_version("postgres (PostgreSQL) 14.2"), Some(14));
    assert_eq!(major_version("command not found"), None);
}

#[test]
fn the_server_must_be_new_enough_and_fit_the_data() {
    let found =
        |majors: &[u32]| majors.iter().map(|major| (PathBuf::from(format!("/{major}")), *major)).collect::<Vec<_>>();
    let refusal = |majors: &[u32], made_by| choose(found(majors), made_by).unwrap_err().to_string();
    assert_eq!(choose(found(&[14, 17, 15]), None).unwrap(), Path::new("/17"));
    assert_eq!(choose(found(&[17, 15]), Some(15)).unwrap(), Path::new("/15"));
    assert!(refusal(&[14], None).starts_with("PostgreSQL 14 is too old, Bawwab needs 15 or later: install it"));
    assert!(refusal(&[], None).contains("apt-get install postgresql"));
    assert!(refusal(&[17], Some(15)).starts_with("the data was made by PostgreSQL 15, which is not installed"));
}
