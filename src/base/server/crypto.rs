//! Keys, sealed values, random tokens and digests. All of it stands on one master key.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time, digest, hkdf, hmac, rand,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// A value that is never printed.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub fn new(value: T) -> Self {
        Secret(value)
    }

    /// Named so that each use can be found.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

/// The master key, and the data keys that it seals (E7). Invariants: what is made is made with the current data key;
/// different purposes get independent keys (RFC 5869). Clones share the data keys, so that all of a node learn of a new one.
#[derive(Clone)]
pub struct Keys(Arc<Held>);

struct Held {
    master: Secret<[u8; 32]>,
    ring: ArcSwap<Ring>,
}

/// Invariant: never empty; the current one is first, the others follow from new to old.
struct Ring(Vec<DataKey>);

/// A key from which those of all purposes are derived.
#[derive(Clone)]
pub struct DataKey {
    /// Counts from 0, which is the master key itself.
    pub number: i32,
    pub key: Secret<[u8; 32]>,
    /// It still tells what was made with it, but opens nothing any more.
    pub is_retired: bool,
}

const SEAL_VERSION: u8 = 1;
/// So many bytes of a digest name a key.
pub const KEY_ID_LENGTH: usize = 4;
const HEADER_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LEN;

impl Keys {
    /// With the master key as the only data key, until others are adopted.
    pub fn new(master: [u8; 32]) -> Self {
        let first = DataKey { number: 0, key: Secret::new(master), is_retired: false };
        Keys(Arc::new(Held { master: Secret::new(master), ring: ArcSwap::from_pointee(Ring(vec![first])) }))
    }

    /// Takes over the data keys of the installation; `current` is what new values are made with. Nothing changes where
    /// that is not among them.
    pub fn adopt(&self, mut keys: Vec<DataKey>, current: i32) {
        keys.sort_by_key(|key| (key.number != current, std::cmp::Reverse(key.number)));
        if keys.first().is_some_and(|first| first.number == current) {
            self.0.ring.store(Arc::new(Ring(keys)));
        }
    }

    /// The number of the data key that new values are made with.
    pub fn current(&self) -> i32 {
        self.0.ring.load().0[0].number
    }

    /// A fresh data key, to be kept sealed.
    pub fn make_data_key(&self, number: i32) -> (DataKey, Vec<u8>) {
        let key = DataKey { number, key: Secret::new(random()), is_retired: false };
        let sealed = self.wrap(&key);
        (key, sealed)
    }

    /// A data key under the master key.
    pub fn wrap(&self, key: &DataKey) -> Vec<u8> {
        seal_with(&self.wrapping(), &data_key_place(key.number), key.key.expose())
    }

    /// Opens a data key. `None` is the master key itself, under the number 0.
    pub fn unwrap(&self, number: i32, sealed: Option<&[u8]>, is_retired: bool) -> anyhow::Result<DataKey> {
        let key = match sealed {
            None => *self.0.master.expose(),
            Some(sealed) => open_with(&self.wrapping(), &data_key_place(number), sealed)?
                .try_into()
                .map_err(|_length| anyhow::anyhow!("the data key {number} has another length"))?,
        };
        Ok(DataKey { number, key: Secret::new(key), is_retired })
    }

    fn wrapping(&self) -> [u8; 32] {
        derived(self.0.master.expose(), "data-keys")
    }

    /// A key for codes that need the master key itself: over what has to be told before the data keys can be read.
    pub fn of_master(&self, purpose: &str) -> MacKey {
        MacKey::of([derived(self.0.master.expose(), purpose)])
    }

    /// Names the master key without telling anything about it.
    pub fn master_id(&self) -> String {
        hex::encode(key_id(&self.wrapping()))
    }

    /// Reads `BAWWAB_SECRET_KEY`: 32 bytes as 64 hexadecimal digits or as base64.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        let bytes = match hex::decode(text) {
            Ok(bytes) => bytes,
            Err(_not_hex) => base64::engine::general_purpose::STANDARD
                .decode(text)
                .or_else(|_| URL_SAFE_NO_PAD.decode(text))
                .context("BAWWAB_SECRET_KEY is neither hexadecimal nor base64")?,
        };
        let Ok(master) = <[u8; 32]>::try_from(bytes) else {
            bail!("BAWWAB_SECRET_KEY must be 32 bytes: `openssl rand -hex 32` makes one");
        };
        Ok(Self::new(master))
    }

    /// Reads the key file, or makes one that only its owner can read. The flag tells that it was made just now.
    pub fn from_file(path: &Path) -> anyhow::Result<(Self, bool)> {
        match fs::read_to_string(path) {
            Ok(text) => Ok((Self::parse(&text).with_context(|| format!("read {}", path.display()))?, false)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let master = random::<32>();
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .with_context(|| format!("create {}", path.display()))?;
                writeln!(file, "{}", hex::encode(master))?;
                file.sync_all()?;
                Ok((Self::new(master), true))
            }
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }

    /// The current key for one purpose.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        derived(self.0.ring.load().0[0].key.expose(), purpose)
    }

    /// All keys for one purpose, the current one first: for digests that were made before it was.
    pub fn derive_all(&self, purpose: &str) -> Vec<[u8; 32]> {
        self.0.ring.load().0.iter().map(|key| derived(key.key.expose(), purpose)).collect()
    }

    /// The key for one purpose that has this name, unless it is retired.
    pub fn derive_named(&self, purpose: &str, id: &str) -> Option<[u8; 32]> {
        let ring = self.0.ring.load();
        let mut keys = ring.0.iter().filter(|key| !key.is_retired).map(|key| derived(key.key.expose(), purpose));
        keys.find(|key| hex::encode(key_id(key)) == id)
    }

    /// A code over a text under the current key for one purpose.
    pub fn code(&self, purpose: &str, text: &[u8]) -> Vec<u8> {
        MacKey::of([self.derive(purpose)]).code(text)
    }

    /// A key for codes of one purpose. It makes them with the current key and knows those of earlier ones.
    pub fn mac(&self, purpose: &str) -> MacKey {
        MacKey::of(self.derive_all(purpose))
    }

    /// Names the current key for one purpose without telling anything about it.
    pub fn id(&self, purpose: &str) -> String {
        hex::encode(key_id(&self.derive(purpose)))
    }

    /// Encrypts a value and binds it to the place where it is kept: `table:column:row`. Opening it for another row
    /// fails.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        seal_with(&self.derive(SEALING), place, plain)
    }

    /// Opens what `seal` made for the same place, with whichever data key that is not retired.
    pub fn open(&self, place: &str, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        let ring = self.0.ring.load();
        let keys = ring.0.iter().filter(|key| !key.is_retired).map(|key| derived(key.key.expose(), SEALING));
        let named = sealed.get(1..=KEY_ID_LENGTH);
        let key = keys.into_iter().find(|key| named == Some(&key_id(key)[..]));
        // What is too short or of another version is told by whichever key.
        open_with(&key.unwrap_or_else(|| self.derive(SEALING)), place, sealed)
    }

    /// The id that stands in everything which is sealed now: what has another is to be sealed anew.
    pub fn sealing_id(&self) -> [u8; KEY_ID_LENGTH] {
        key_id(&self.derive(SEALING))
    }
}

/// Derivation purpose of the key that seals values.
const SEALING: &str = "seal";

fn data_key_place(number: i32) -> String {
    format!("data_keys:sealed:{number}")
}

fn derived(from: &[u8; 32], purpose: &str) -> [u8; 32] {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"bawwab");
    let prk = salt.extract(from);
    let mut key = [0; 32];
    prk.expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("32 bytes are within what HKDF-SHA256 gives");
    key
}

fn key_id(key: &[u8; 32]) -> [u8; KEY_ID_LENGTH] {
    let id = digest::digest(&digest::SHA256, key);
    id.as_ref()[..KEY_ID_LENGTH].try_into().expect("a digest is longer than a key id")
}

fn aead(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has AES-256's length"))
}

fn seal_with(key: &[u8; 32], place: &str, plain: &[u8]) -> Vec<u8> {
    let nonce = random::<NONCE_LEN>();
    let mut sealed = vec![SEAL_VERSION];
    sealed.extend(key_id(key));
    sealed.extend(nonce);
    let mut text = plain.to_vec();
    aead(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut text)
        .expect("the value is far below AES-GCM's 64 GiB");
    sealed.extend(text);
    sealed
}

fn open_with(key: &[u8; 32], place: &str, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
    if sealed.len() < HEADER_LENGTH || sealed[0] != SEAL_VERSION {
        bail!("not a sealed value of a known version");
    }
    if sealed[1..=KEY_ID_LENGTH] != key_id(key) {
        bail!("sealed with another key");
    }
    let nonce = Nonce::try_assume_unique_for_key(&sealed[1 + KEY_ID_LENGTH..HEADER_LENGTH])?;
    let mut text = sealed[HEADER_LENGTH..].to_vec();
    let plain = aead(key)
        .open_in_place(nonce, Aad::from(place.as_bytes()), &mut text)
        .context("the sealed value was altered or moved")?;
    Ok(plain.to_vec())
}

/// A sealed value as it is kept, for whoever goes over all of them.
#[derive(Clone)]
pub struct SealedValue {
    /// Of its row.
    pub id: Uuid,
    /// What it is bound to.
    pub place: String,
    pub value: Vec<u8>,
}

/// Which of the sealed values of one kind are looked at next, in the order of their ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct SealedAfter {
    pub id: Uuid,
    /// Only those that were not sealed with the key of this id.
    pub unless: Option<[u8; KEY_ID_LENGTH]>,
}

/// How many of them at once.
pub const SEALED_AT_ONCE: i64 = 200;

/// A key that signs what others may hold against its public half (Ed25519).
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// A fresh one, and how it is kept: PKCS #8, to be sealed.
    pub fn make() -> anyhow::Result<(Self, Vec<u8>)> {
        let kept = Ed25519KeyPair::generate_pkcs8(&rand::SystemRandom::new()).context("make a signing key")?;
        Ok((Self::read(kept.as_ref())?, kept.as_ref().to_vec()))
    }

    pub fn read(kept: &[u8]) -> anyhow::Result<Self> {
        Ok(SigningKey(Ed25519KeyPair::from_pkcs8(kept).context("read the signing key")?))
    }

    pub fn public(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).as_ref().to_vec()
    }
}

/// Whether the holder of the private half has signed this text.
pub fn is_signed(public: &[u8], text: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(text, signature).is_ok()
}

/// A key for codes over texts that this program alone can make (HMAC-SHA-256); the current one first.
pub struct MacKey(Vec<hmac::Key>);

impl MacKey {
    fn of(keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        MacKey(keys.into_iter().map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key)).collect())
    }

    pub fn code(&self, text: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0[0], text).as_ref().to_vec()
    }

    pub fn made(&self, text: &[u8], code: &[u8]) -> bool {
        self.0.iter().any(|key| hmac::verify(key, text, code).is_ok())
    }
}

/// Whether two secrets are the same, without telling by time how far.
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Random bytes of the operating system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A fresh token of 256 bits. Only its digest is ever stored.
pub fn token() -> Secret<String> {
    Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()))
}

/// The digest under which a token of one kind is stored. The kind keeps a token of one door from opening another
/// (CVE-2026-4325).
pub fn token_digest(kind: &str, token: &str) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(kind.as_bytes());
    context.update(&[0]);
    context.update(token.as_bytes());
    context.finish().as_ref().to_vec()
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use super::*;

    /// Whether values of a type can be compared with `==`: the own constant, where there is one, goes before the trait's.
    struct Compared<T>(PhantomData<T>);

    trait Not {
        const WITH_EQ: bool = false;
    }

    impl<T> Not for Compared<T> {}

    impl<T: PartialEq> Compared<T> {
        const WITH_EQ: bool = true;
    }

    /// RAUTHY-005, RUSTSEC-2022-0018: no secret can be compared with `==`, which stops at the first difference. The
    /// program compares them with [`is_same`].
    #[test]
    fn secrets_cannot_be_compared_by_eq() {
        assert_eq!(
            [
                Compared::<Secret<String>>::WITH_EQ,
                Compared::<Secret<[u8; 32]>>::WITH_EQ,
                Compared::<DataKey>::WITH_EQ,
                Compared::<MacKey>::WITH_EQ,
                Compared::<String>::WITH_EQ,
            ],
            [false, false, false, false, true]
        );
        assert!(is_same(b"abc", b"abc"));
        assert!([&b"abd"[..], b"ab", b"abcd", b""].iter().all(|other| !is_same(b"abc", other)));
    }

    /// E7: a sealed value opens only at its place, whole and with its key.
    #[test]
    fn a_sealed_value_is_bound_to_its_row() {
        let keys = Keys::new([7; 32]);
        let sealed = keys.seal("users:totp:1", b"secret");
        assert_eq!(keys.open("users:totp:1", &sealed).expect("its own place"), b"secret");
        assert!(keys.open("users:totp:2", &sealed).is_err());
        assert!(Keys::new([8; 32]).open("users:totp:1", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(keys.open("users:totp:1", &altered).is_err(), "byte {at}");
            assert!(keys.open("users:totp:1", &sealed[..at]).is_err(), "cut at {at}");
        }
        assert_ne!(keys.seal("a", b"x"), keys.seal("a", b"x"));
    }

    /// E7, F29: after a new data key old values open until theirs is retired; digests of theirs are known for good.
    #[test]
    fn a_new_data_key_takes_over_and_a_retired_one_opens_nothing() {
        let keys = Keys::new([7; 32]);
        let clone = keys.clone();
        let (first, old_id) = (keys.seal("a", b"x"), keys.id("tokens"));
        let code = keys.mac("rows").code(b"row");
        let (made, kept) = keys.make_data_key(1);
        let before = keys.unwrap(0, None, false).expect("the master key");
        keys.adopt(vec![before.clone(), made.clone()], 1);
        assert_eq!((clone.current(), clone.open("a", &first).expect("still")), (1, b"x".to_vec()));
        let second = clone.seal("a", b"y");
        assert_eq!(second[1..=KEY_ID_LENGTH], clone.sealing_id());
        assert_ne!(first[1..=KEY_ID_LENGTH], clone.sealing_id());
        assert!(keys.mac("rows").made(b"row", &code) && keys.derive_named("tokens", &old_id).is_some());

        keys.adopt(vec![DataKey { is_retired: true, ..before }, made], 1);
        assert!(clone.open("a", &first).is_err() && clone.open("a", &second).is_ok());
        assert!(keys.mac("rows").made(b"row", &code) && keys.derive_named("tokens", &old_id).is_none());
        assert_eq!(keys.derive_all("codes").len(), 2);
        keys.adopt(Vec::new(), 2);
        assert_eq!(keys.current(), 1, "nothing is given up for a key that is not there");

        let same = keys.unwrap(1, Some(&kept), false).expect("the same key");
        assert_eq!(*same.key.expose(), *keys.0.ring.load().0[0].key.expose());
        assert!(keys.unwrap(2, Some(&kept), false).is_err(), "a key stays at its number");
        let error = Keys::new([8; 32]).unwrap(1, Some(&kept), false).err().expect("another master key");
        assert_eq!(error.to_string(), "sealed with another key");
    }

    #[test]
    fn a_master_key_is_32_bytes_in_either_writing() {
        let hex = "07".repeat(32);
        let base64 = base64::engine::general_purpose::STANDARD.encode([7; 32]);
        assert_eq!(Keys::parse(&hex).expect("hex").derive("a"), Keys::parse(&base64).expect("base64").derive("a"));
        for text in ["", "00", "zz", &"07".repeat(31), &"07".repeat(33)] {
            assert!(Keys::parse(text).is_err(), "{text:?}");
        }
    }

    /// CVE-2026-4325: the same token of another kind is another token.
    #[test]
    fn a_token_of_one_kind_is_not_a_token_of_another() {
        assert_ne!(token_digest("setup", "t"), token_digest("welcome", "t"));
        assert_ne!(token_digest("a", "bc"), token_digest("ab", "c"));
    }
}
