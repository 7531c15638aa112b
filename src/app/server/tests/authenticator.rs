//! An authenticator in software: it makes passkeys and answers challenges, rightly or as it is told to.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{app::server::test_app::PUBLIC, base::server::crypto::random};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const MAY_BE_COPIED: u8 = 0x08;
const IS_COPIED: u8 = 0x10;
const HAS_KEY: u8 = 0x40;

pub struct Authenticator {
    pub key: EcdsaKeyPair,
    pub id: Vec<u8>,
    /// Whom it stands for.
    pub user: Option<Vec<u8>>,
    pub origin: String,
    pub site: String,
    /// What it last counted; zero for ever where it does not count.
    pub counter: u32,
    /// Whether it recognises its person.
    pub verifies: bool,
    /// Whether its maker keeps copies of its keys.
    pub synced: bool,
    pub kind: Option<&'static str>,
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The head of a CBOR value: major type and length (RFC 8949 §3).
fn head(major: u8, length: usize) -> Vec<u8> {
    match length {
        0..24 => vec![major << 5 | u8::try_from(length).expect("small")],
        24..256 => vec![major << 5 | 24, u8::try_from(length).expect("a byte")],
        _ => {
            let [high, low] = u16::try_from(length).expect("below 64 KiB").to_be_bytes();
            vec![major << 5 | 25, high, low]
        }
    }
}

fn cbor_text(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

impl Authenticator {
    pub fn new() -> Self {
        let random_source = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random_source).expect("a key");
        Authenticator {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref()).expect("a key"),
            id: random::<32>().to_vec(),
            user: None,
            origin: PUBLIC.to_owned(),
            site: "localhost".to_owned(),
            counter: 0,
            verifies: true,
            synced: false,
            kind: None,
        }
    }

    fn client_data(&self, kind: &str, public_key: &Value) -> Vec<u8> {
        let challenge = public_key["challenge"].as_str().expect("a challenge");
        let kind = self.kind.unwrap_or(kind);
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    fn data(&self, with_key: bool) -> Vec<u8> {
        let mut flags = PRESENT;
        if self.verifies {
            flags |= VERIFIED;
        }
        if self.synced {
            flags |= MAY_BE_COPIED | IS_COPIED;
        }
        if with_key {
            flags |= HAS_KEY;
        }
        [sha256(self.site.as_bytes()), vec![flags], self.counter.to_be_bytes().to_vec()].concat()
    }

    /// Makes its passkey for what a site asks.
    pub fn create(&mut self, public_key: &Value) -> Value {
        let user = public_key["user"]["id"].as_str().expect("a user");
        self.user = Some(URL_SAFE_NO_PAD.decode(user).expect("an id"));
        let client_data = self.client_data("webauthn.create", public_key);
        let point = self.key.public_key().as_ref();
        // COSE: an elliptic key, ES256, P-256, x, y.
        let cose = [
            vec![0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21],
            cbor_bytes(&point[1..33]),
            vec![0x22],
            cbor_bytes(&point[33..65]),
        ];
        let length = u16::try_from(self.id.len()).expect("an id").to_be_bytes();
        let data = [self.data(true), vec![0; 16], length.to_vec(), self.id.clone(), cose.concat()].concat();
        let attestation = [
            vec![0xA3],
            cbor_text("fmt"),
            cbor_text("none"),
            cbor_text("attStmt"),
            vec![0xA0],
            cbor_text("authData"),
            cbor_bytes(&data),
        ];
        json!({
            "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(&client_data), "attestationObject": text(&attestation.concat()),
                "transports": ["internal", "hybrid", "telepathy"],
            },
        })
    }

    /// Answers what a site asks.
    pub fn get(&self, public_key: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", public_key);
        let data = self.data(false);
        let signed = [data.clone(), sha256(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        json!({
            "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(&client_data), "authenticatorData": text(&data),
                "signature": text(signature.as_ref()), "userHandle": self.user.as_deref().map(text),
            },
        })
    }
}
