//! An SMTP server for tests: it holds a real conversation, keeps what it was given, and can misbehave.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::Notify,
};

use crate::{
    access::server::Cx,
    app::server::{
        mailer,
        test_app::{TestApp, post_to},
    },
    base::server::mail,
};

/// How the server behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// Answers this to every recipient.
    RefusesRecipient(&'static str),
    /// Closes the connection instead of greeting.
    HangsUp,
    /// Has taken the letter, but the connection is cut before it says so.
    TakesSilently,
    /// Says that it has taken the letter and cuts the connection at once.
    TakesAndHangsUp,
    /// Greets only when it is woken.
    Slow,
    /// Offers STARTTLS and then goes on in clear.
    LiesAboutTls,
}

#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    manner: Arc<Mutex<Manner>>,
    letters: Arc<Mutex<Vec<Taken>>>,
    pub wake: Arc<Notify>,
    pub reached: Arc<Notify>,
}

/// A letter as it came.
#[derive(Clone, Debug)]
pub struct Taken {
    pub to: Vec<String>,
    pub text: String,
}

impl Taken {
    /// The value of a header.
    pub fn header(&self, name: &str) -> String {
        let line = self.text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.text)).to_owned()
    }

    /// The plain text part, decoded.
    pub fn plain(&self) -> String {
        let part = self.text.split("Content-Type: text/plain").nth(1).expect("a plain part");
        let part = part.split("\r\n--").next().expect("its end");
        let (head, body) = part.split_once("\r\n\r\n").expect("a body");
        decode(head, body)
    }

    /// The link on the letter's button.
    pub fn link(&self) -> String {
        let plain = self.plain();
        let link = plain.lines().find(|line| line.starts_with("http"));
        link.unwrap_or_else(|| panic!("no link in {plain}")).trim().to_owned()
    }

    /// The token in that link.
    pub fn token(&self) -> String {
        self.link().split_once("token=").expect("a token").1.to_owned()
    }
}

fn decode(head: &str, body: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let head = head.to_ascii_lowercase();
    if head.contains("base64") {
        let joined = body.split_whitespace().collect::<String>();
        return String::from_utf8(STANDARD.decode(joined).expect("base64")).expect("UTF-8");
    }
    if !head.contains("quoted-printable") {
        return body.to_owned();
    }
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'=' {
            let pair = std::str::from_utf8(&tail[..2]).expect("ASCII");
            bytes.push(u8::from_str_radix(pair, 16).expect("hexadecimal"));
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

impl Sink {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let sink = Sink {
            port: listener.local_addr().expect("an address").port(),
            manner: Arc::new(Mutex::new(manner)),
            letters: Arc::default(),
            wake: Arc::default(),
            reached: Arc::default(),
        };
        let server = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move {
                    let (reader, writer) = stream.into_split();
                    // A client that is cut off ends the conversation; that is what some tests want.
                    server.converse(reader, writer).await.ok();
                });
            }
        });
        sink
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    pub fn letters(&self) -> Vec<Taken> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends what waits; the letters that came by it.
    pub async fn deliver(&self, app: &TestApp) -> Vec<Taken> {
        let before = self.letters().len();
        let cx = Cx::for_job(app.heart.clone(), mail::KIND);
        while mailer::once(&cx, &post_to(self.port)).await.expect("the queue works") {}
        self.letters().split_off(before)
    }

    pub async fn converse(
        &self,
        reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        let manner = self.manner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.reached.notify_one();
        match manner {
            Manner::HangsUp => return Ok(()),
            Manner::Slow => self.wake.notified().await,
            _ => {}
        }
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 sink.example ESMTP\r\n").await?;
        let mut to = Vec::new();
        while let Some(line) = lines.next_line().await? {
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let answer = match (verb.as_str(), &manner) {
                ("EHLO", Manner::LiesAboutTls) => "250-sink.example\r\n250 STARTTLS".to_owned(),
                ("STARTTLS", Manner::LiesAboutTls) => "220 go on\r\n250 in clear".to_owned(),
                ("EHLO", _) => "250-sink.example\r\n250 8BITMIME".to_owned(),
                ("RCPT", Manner::RefusesRecipient(answer)) => (*answer).to_owned(),
                ("RCPT", _) => {
                    to.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                    "250 fine".to_owned()
                }
                ("DATA", _) => {
                    writer.write_all(b"354 go on\r\n").await?;
                    let mut text = String::new();
                    while let Some(line) = lines.next_line().await? {
                        if line == "." {
                            break;
                        }
                        text.push_str(line.strip_prefix('.').unwrap_or(&line));
                        text.push_str("\r\n");
                    }
                    let taken = Taken { to: std::mem::take(&mut to), text };
                    self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
                    if manner == Manner::TakesSilently {
                        return Ok(());
                    }
                    "250 taken".to_owned()
                }
                ("QUIT", _) => "221 bye".to_owned(),
                ("MAIL" | "RSET" | "NOOP", _) => "250 fine".to_owned(),
                _ => "502 what?".to_owned(),
            };
            writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
            if verb == "QUIT" || (verb == "DATA" && manner == Manner::TakesAndHangsUp) {
                return Ok(());
            }
        }
        Ok(())
    }
}
