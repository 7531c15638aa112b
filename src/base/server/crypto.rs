//! Keys, sealed values, random tokens and digests. All of it stands on one master key.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time, digest, hkdf, hmac, rand,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

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

/// The master key and what is derived from it. Invariant: different purposes get independent keys (RFC 5869).
#[derive(Clone)]
pub struct Keys(Arc<Secret<[u8; 32]>>);

const SEAL_VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 4;
const HEADER_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LEN;

impl Keys {
    pub fn new(master: [u8; 32]) -> Self {
        Keys(Arc::new(Secret::new(master)))
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

    /// A key for one purpose.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"bawwab");
        let prk = salt.extract(self.0.expose());
        let mut key = [0; 32];
        prk.expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key))
            .expect("32 bytes are within what HKDF-SHA256 gives");
        key
    }

    /// A key for codes of one purpose.
    pub fn mac(&self, purpose: &str) -> MacKey {
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, &self.derive(purpose)))
    }

    /// Names a derived key without telling anything about it.
    pub fn id(&self, purpose: &str) -> String {
        hex::encode(&digest::digest(&digest::SHA256, &self.derive(purpose)).as_ref()[..KEY_ID_LENGTH])
    }

    /// Encrypts a value and binds it to the place where it is kept: `table:column:row`. Opening it for another row
    /// fails.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = random::<NONCE_LEN>();
        let mut sealed = vec![SEAL_VERSION];
        sealed.extend(self.sealing_id());
        sealed.extend(nonce);
        let mut text = plain.to_vec();
        self.sealing_key()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut text)
            .expect("the value is far below AES-GCM's 64 GiB");
        sealed.extend(text);
        sealed
    }

    /// Opens what `seal` made for the same place with the same key.
    pub fn open(&self, place: &str, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        if sealed.len() < HEADER_LENGTH || sealed[0] != SEAL_VERSION {
            bail!("not a sealed value of a known version");
        }
        if sealed[1..=KEY_ID_LENGTH] != self.sealing_id() {
            bail!("sealed with another key");
        }
        let nonce = Nonce::try_assume_unique_for_key(&sealed[1 + KEY_ID_LENGTH..HEADER_LENGTH])?;
        let mut text = sealed[HEADER_LENGTH..].to_vec();
        let plain = self
            .sealing_key()
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut text)
            .context("the sealed value was altered or moved")?;
        Ok(plain.to_vec())
    }

    fn sealing_key(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.derive("seal")).expect("the key has AES-256's length");
        LessSafeKey::new(key)
    }

    fn sealing_id(&self) -> [u8; KEY_ID_LENGTH] {
        let id = digest::digest(&digest::SHA256, &self.derive("seal"));
        id.as_ref()[..KEY_ID_LENGTH].try_into().expect("a digest is longer than a key id")
    }
}

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

/// A key for codes over texts that this program alone can make (HMAC-SHA-256).
pub struct MacKey(hmac::Key);

impl MacKey {
    pub fn code(&self, text: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, text).as_ref().to_vec()
    }

    pub fn made(&self, text: &[u8], code: &[u8]) -> bool {
        hmac::verify(&self.0, text, code).is_ok()
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
    use super::*;

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
