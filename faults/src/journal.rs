//! What was asked and what came of it. The question is on the disk before it is sent: whatever is killed, we know.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::Context as _;
use serde_json::{Value, json};

/// An act that is done at most once, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub key: String,
    pub kind: Kind,
    pub path: String,
    pub body: Value,
    /// What it makes: an address, a name, or for grants the role.
    pub what: String,
    /// Whom a grant is for.
    pub whom: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Person,
    Role,
    /// Names are free: the one thing here that could be made twice.
    ApiKey,
    Grant,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A 2xx, with the id in it.
    Done { id: String, text: String },
    /// It says that it was not done.
    Refused(u16, String),
    /// No answer, or one that leaves it open.
    Unknown(String),
}

pub struct Journal {
    file: Mutex<File>,
    path: PathBuf,
}

/// An act with the last outcome that was written down.
#[derive(Clone, Debug)]
pub struct Entry {
    pub act: Act,
    pub outcome: Outcome,
}

impl Act {
    pub fn kind_name(&self) -> &'static str {
        self.kind.name()
    }
}

impl Kind {
    /// What the audit log calls it.
    pub fn action(self) -> &'static str {
        match self {
            Kind::Person => "admin.user_create",
            Kind::Role => "admin.role_create",
            Kind::ApiKey => "admin.api_key_create",
            Kind::Grant => "admin.assign_roles",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Role => "role",
            Kind::ApiKey => "api_key",
            Kind::Grant => "grant",
        }
    }

    fn named(name: &str) -> Option<Kind> {
        [Kind::Person, Kind::Role, Kind::ApiKey, Kind::Grant].into_iter().find(|kind| kind.name() == name)
    }
}

impl Journal {
    pub fn begin(path: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(path).with_context(|| format!("open {path:?}"))?;
        Ok(Journal { file: Mutex::new(file), path: path.to_owned() })
    }

    fn write(&self, line: &Value) -> anyhow::Result<()> {
        let mut file = self.file.lock().map_err(|_poisoned| anyhow::anyhow!("a writer of the journal panicked"))?;
        writeln!(file, "{line}")?;
        Ok(file.sync_data()?)
    }

    /// To be called before the act is sent.
    pub fn asked(&self, act: &Act) -> anyhow::Result<()> {
        let Act { key, kind, path, body, what, whom } = act;
        self.write(&json!({"asked": key, "kind": kind.name(), "path": path, "body": body, "what": what, "whom": whom}))
    }

    pub fn answered(&self, act: &Act, outcome: &Outcome) -> anyhow::Result<()> {
        self.write(&match outcome {
            Outcome::Done { id, text } => json!({"answered": act.key, "as": "done", "id": id, "text": text}),
            Outcome::Refused(status, code) => {
                json!({"answered": act.key, "as": "refused", "status": status, "code": code})
            }
            Outcome::Unknown(why) => json!({"answered": act.key, "as": "unknown", "why": why}),
        })
    }

    /// From the file: what it holds is what is compared.
    pub fn read(&self) -> anyhow::Result<Vec<Entry>> {
        let text = std::fs::read_to_string(&self.path)?;
        let (mut entries, mut places) = (Vec::<Entry>::new(), BTreeMap::<String, usize>::new());
        for line in text.lines() {
            let line = serde_json::from_str::<Value>(line).context("read the journal")?;
            let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            if line["asked"].is_string() {
                let act = Act {
                    key: word("asked"),
                    kind: Kind::named(&word("kind")).context("a kind")?,
                    path: word("path"),
                    body: line["body"].clone(),
                    what: word("what"),
                    whom: line["whom"].as_str().map(str::to_owned),
                };
                places.insert(act.key.clone(), entries.len());
                entries.push(Entry { act, outcome: Outcome::Unknown("never answered".to_owned()) });
                continue;
            }
            let place = *places.get(&word("answered")).context("an answer to a question")?;
            entries[place].outcome = match word("as").as_str() {
                "done" => Outcome::Done { id: word("id"), text: word("text") },
                "refused" => {
                    Outcome::Refused(u16::try_from(line["status"].as_u64().unwrap_or(0)).unwrap_or(0), word("code"))
                }
                _ => Outcome::Unknown(word("why")),
            };
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was asked and not answered is unknown, and what was answered later counts.
    #[test]
    fn the_last_answer_counts() {
        let path = std::env::temp_dir().join(format!("bawwab-journal-{}", std::process::id()));
        let journal = Journal::begin(&path).expect("a journal");
        let act = |key: &str| Act {
            key: key.to_owned(),
            kind: Kind::Grant,
            path: "/x".to_owned(),
            body: json!({"a": 1}),
            what: "r".to_owned(),
            whom: Some("p".to_owned()),
        };
        journal.asked(&act("1")).expect("written");
        journal.asked(&act("2")).expect("written");
        journal.answered(&act("1"), &Outcome::Unknown("cut".to_owned())).expect("written");
        let done = Outcome::Done { id: "7".to_owned(), text: "{}".to_owned() };
        journal.answered(&act("1"), &done).expect("written");
        let entries = journal.read().expect("entries");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!((&entries[0].act, &entries[0].outcome), (&act("1"), &done));
        assert!(matches!(&entries[1].outcome, Outcome::Unknown(why) if why == "never answered"));
    }
}
