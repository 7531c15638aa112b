//! Between a node and PostgreSQL: understands as much of the protocol as it takes to cut a connection at a commit.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::JoinHandle,
};

use crate::random::Random;

/// What is done to the next connection that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The COMMIT of a transaction that has run such a statement never arrives.
    BeforeCommit(&'static str),
    /// It arrives and is done; the answer never comes back.
    AfterCommit(&'static str),
    /// After so many more bytes to the server, on whichever connection.
    AfterBytes(u64),
}

#[derive(Default)]
struct Plan {
    cut: Option<Cut>,
    /// Up to so many microseconds before each piece.
    jitter: u64,
}

struct Shared {
    plan: Mutex<Plan>,
    random: Mutex<Random>,
    hits: AtomicU64,
}

pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(to: u16, random: Random) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared { plan: Mutex::default(), random: Mutex::new(random), hits: AtomicU64::new(0) });
        let task = tokio::spawn({
            let shared = shared.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(connection(client, to, shared.clone()));
                }
            }
        });
        Ok(Proxy { port, shared, task })
    }

    /// Cuts once, at the next occasion.
    pub fn arm(&self, cut: Cut) {
        self.shared.plan().cut = Some(cut);
    }

    pub fn disarm(&self) {
        self.shared.plan().cut = None;
    }

    pub fn jitter(&self, microseconds: u64) {
        self.shared.plan().jitter = microseconds;
    }

    /// How many connections were cut.
    pub fn hits(&self) -> u64 {
        self.shared.hits.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        // Nothing in here is left half-done by a panic.
        self.plan.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn hit(&self) {
        self.hits.fetch_add(1, Ordering::SeqCst);
    }

    async fn dawdle(&self) {
        let most = self.plan().jitter;
        if most == 0 {
            return;
        }
        let wait = self.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner).below(most);
        tokio::time::sleep(Duration::from_micros(wait)).await;
    }

    /// Whether the cut that is planned is for this message; then it is planned no more.
    fn takes(&self, message: &Message<'_>, transaction: &BTreeSet<Mark>, len: u64) -> Option<Cut> {
        let mut plan = self.plan();
        let fits = match plan.cut? {
            Cut::BeforeCommit(mark) | Cut::AfterCommit(mark) => {
                matches!(message, Message::Commit) && transaction.contains(&mark)
            }
            Cut::AfterBytes(left) if left > len => {
                plan.cut = Some(Cut::AfterBytes(left - len));
                false
            }
            Cut::AfterBytes(_) => true,
        };
        if fits { plan.cut.take() } else { None }
    }
}

/// One that the cases look for.
type Mark = &'static str;
/// The statements that transactions are told apart by.
pub const AUDITED: Mark = "insert into audit_logs";
pub const ANSWER_KEPT: Mark = "update idempotency_keys";
const MARKS: [Mark; 2] = [AUDITED, ANSWER_KEPT];

enum Message<'a> {
    Parse { name: &'a [u8], query: &'a [u8] },
    Bind { statement: &'a [u8] },
    Begin,
    Commit,
    Other,
}

async fn connection(client: TcpStream, to: u16, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (swallow, over) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let back = tokio::spawn(backward(from_server, to_client, shared.clone(), swallow.clone(), over.clone()));
    // An error is an end: whoever was cut finds out by themselves.
    tokio::select! {
        _ = forward(from_client, to_server, &shared, &swallow, &over) => {}
        () = over.notified() => {}
    }
    back.abort();
}

/// Answers, unless they are to be swallowed.
async fn backward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: Arc<Shared>,
    swallow: Arc<AtomicBool>,
    over: Arc<Notify>,
) {
    let mut buffer = vec![0; 16_384];
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        if swallow.load(Ordering::SeqCst) {
            // The server has answered, so it has done it.
            shared.hit();
            break;
        }
        shared.dawdle().await;
        if to.write_all(&buffer[..len]).await.is_err() {
            break;
        }
    }
    over.notify_one();
}

/// Whole messages, so that it is known between which of them the cut is.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    swallow: &AtomicBool,
    over: &Notify,
) -> std::io::Result<()> {
    let (mut buffer, mut held) = (vec![0; 16_384], Vec::<u8>::new());
    let mut statements = std::collections::BTreeMap::<Vec<u8>, BTreeSet<Mark>>::new();
    let mut transaction = BTreeSet::new();
    let mut is_started = false;
    loop {
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            return to.shutdown().await;
        }
        held.extend_from_slice(&buffer[..len]);
        shared.dawdle().await;
        while let Some(len) = whole(&held, is_started) {
            let frame = held.drain(..len).collect::<Vec<_>>();
            if !is_started {
                // Before it says who it is it may ask for TLS or GSS, which has a number of its own.
                is_started = frame.get(4..6) == Some(&[0, 3]);
                to.write_all(&frame).await?;
                continue;
            }
            let message = understood(&frame);
            match &message {
                Message::Parse { name, query } => {
                    statements.insert(name.to_vec(), marks_in(query));
                }
                Message::Bind { statement } => {
                    transaction.extend(statements.get(*statement).into_iter().flatten().copied());
                }
                Message::Begin => transaction.clear(),
                Message::Commit | Message::Other => {}
            }
            let bytes = u64::try_from(len).unwrap_or(u64::MAX);
            match shared.takes(&message, &transaction, bytes) {
                Some(Cut::BeforeCommit(_)) => {
                    shared.hit();
                    return Ok(());
                }
                Some(Cut::AfterBytes(left)) => {
                    let part = usize::try_from(left).unwrap_or(0).min(frame.len());
                    to.write_all(&frame[..part]).await?;
                    shared.hit();
                    return Ok(());
                }
                Some(Cut::AfterCommit(_)) => {
                    swallow.store(true, Ordering::SeqCst);
                    to.write_all(&frame).await?;
                    over.notified().await;
                    return Ok(());
                }
                None => to.write_all(&frame).await?,
            }
        }
    }
}

/// The length of the first message, if all of it is there.
fn whole(held: &[u8], is_started: bool) -> Option<usize> {
    let skip = usize::from(is_started);
    let len = held.get(skip..skip + 4)?.try_into().map(u32::from_be_bytes).ok()?;
    let len = usize::try_from(len).ok()?.max(4) + skip;
    (held.len() >= len).then_some(len)
}

fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

fn understood(frame: &[u8]) -> Message<'_> {
    let body = frame.get(5..).unwrap_or_default();
    match frame.first() {
        Some(b'P') => {
            let (name, rest) = text(body);
            Message::Parse { name, query: text(rest).0 }
        }
        Some(b'B') => Message::Bind { statement: text(text(body).1).0 },
        Some(b'Q') => {
            let query = text(body).0.to_ascii_uppercase();
            if query.starts_with(b"COMMIT") {
                Message::Commit
            } else if query.starts_with(b"BEGIN") {
                Message::Begin
            } else {
                Message::Other
            }
        }
        _ => Message::Other,
    }
}

fn marks_in(query: &[u8]) -> BTreeSet<Mark> {
    let query = String::from_utf8_lossy(query);
    MARKS.into_iter().filter(|mark| query.contains(mark)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
        [&[kind], len.as_slice(), body].concat()
    }

    /// F4: the commit of a transaction that has written to the audit log is told from others.
    #[test]
    fn a_commit_and_what_came_before_it_are_understood() {
        let parse = frame(b'P', b"s1\0insert into audit_logs\n (id) values ($1)\0\0\0");
        assert!(
            matches!(understood(&parse), Message::Parse { name: b"s1", query } if marks_in(query).contains(AUDITED))
        );
        assert!(matches!(understood(&frame(b'B', b"\0s1\0\0\0")), Message::Bind { statement: b"s1" }));
        assert!(matches!(understood(&frame(b'Q', b"COMMIT\0")), Message::Commit));
        assert!(matches!(understood(&frame(b'Q', b"BEGIN\0")), Message::Begin));
        let two = [parse.clone(), frame(b'Q', b"COMMIT\0")].concat();
        assert_eq!(whole(&two, true), Some(parse.len()));
        assert_eq!(whole(&two[..parse.len() - 1], true), None);
        assert_eq!(whole(&[0, 0, 0, 8, 4, 210, 22, 47], false), Some(8), "the question for TLS");
    }
}
