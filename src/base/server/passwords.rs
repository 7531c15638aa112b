//! Passwords: hashing on a bounded pool with reused memory, and equal work for everybody.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use crate::base::{errors::FieldCode, password::Password, server::crypto};

/// OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// More than anybody types, little enough to hash.
pub const LONGEST: usize = 256;

/// Whether a password can be one at all. What a chosen one has to be is for `choice` to say.
pub fn check(password: &Password) -> Result<(), FieldCode> {
    match password.0.chars().count() {
        0 => Err(FieldCode::Required),
        length if length > LONGEST => Err(FieldCode::TooLong),
        _ => Ok(()),
    }
}

/// As many hashes at a time as there are cores: each costs a core some 20 ms and 19 MiB.
#[derive(Clone)]
pub struct Hasher(Arc<Inner>);

struct Inner {
    places: Arc<Semaphore>,
    /// Memory that a hash has used and the next one uses again.
    memory: Mutex<Vec<Vec<Block>>>,
    /// What an unknown person's password is compared with.
    dummy: String,
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but kept in an old form: hash it anew.
    RightButOld,
}

impl Hasher {
    pub fn new() -> anyhow::Result<Self> {
        Self::with_places(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }

    fn with_places(places: usize) -> anyhow::Result<Self> {
        let mut memory = Vec::new();
        let dummy = hash_with(&mut memory, b"nobody's password")?;
        let (places, memory) = (Arc::new(Semaphore::new(places)), Mutex::new(vec![memory]));
        Ok(Hasher(Arc::new(Inner { places, memory, dummy })))
    }

    /// Hashes a password for keeping, as a PHC string.
    pub async fn hash(&self, password: &Password) -> anyhow::Result<String> {
        let bytes = normalized(password);
        self.work(move |memory| hash_with(memory, &bytes)).await?
    }

    /// Compares. Without a stored hash it does the same work and finds it wrong.
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> anyhow::Result<Verdict> {
        let bytes = normalized(password);
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.0.dummy).to_owned();
        let verdict = self.work(move |memory| compare(memory, &bytes, &stored)).await??;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let place = self.0.places.clone().acquire_owned().await.context("the hasher is never closed")?;
        let inner = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Whoever asked may be gone; the core and the memory are taken until the hash is done.
            let _place = place;
            let mut memory = inner.memory.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            let done = work(&mut memory);
            inner.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            done
        });
        done.await.context("a hash was interrupted")
    }
}

/// NFKC, the same way at choosing and at signing in: one keyboard's Arabic forms equal another's.
fn normalized(password: &Password) -> Vec<u8> {
    password.0.nfkc().collect::<String>().into_bytes()
}

fn argon2(memory_kib: u32, passes: u32, lanes: u32) -> anyhow::Result<(Argon2<'static>, usize)> {
    let params = Params::new(memory_kib, passes, lanes, Some(HASH_LENGTH))
        .map_err(|error| anyhow::anyhow!("Argon2 parameters: {error}"))?;
    let blocks = params.block_count();
    Ok((Argon2::new(Algorithm::Argon2id, Version::V0x13, params), blocks))
}

fn derive(
    memory: &mut Vec<Block>,
    (memory_kib, passes, lanes): (u32, u32, u32),
    password: &[u8],
    salt: &[u8],
) -> anyhow::Result<[u8; HASH_LENGTH]> {
    let (argon2, blocks) = argon2(memory_kib, passes, lanes)?;
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut hash = [0; HASH_LENGTH];
    argon2
        .hash_password_into_with_memory(password, salt, &mut hash, &mut memory[..blocks])
        .map_err(|error| anyhow::anyhow!("hash a password: {error}"))?;
    Ok(hash)
}

fn hash_with(memory: &mut Vec<Block>, password: &[u8]) -> anyhow::Result<String> {
    let salt = crypto::random::<SALT_LENGTH>();
    let hash = derive(memory, (MEMORY_KIB, PASSES, LANES), password, &salt)?;
    Ok(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    ))
}

fn compare(memory: &mut Vec<Block>, password: &[u8], stored: &str) -> anyhow::Result<Verdict> {
    if stored.starts_with("$2") {
        let right = bcrypt::verify(password, stored).context("compare with a bcrypt hash")?;
        return Ok(if right { Verdict::RightButOld } else { Verdict::Wrong });
    }
    let (params, salt, expected) = parse(stored).context("a stored password hash cannot be read")?;
    let hash = derive(memory, params, password, &salt)?;
    Ok(match constant_time::verify_slices_are_equal(&hash, &expected) {
        Err(_different) => Verdict::Wrong,
        Ok(()) if params == (MEMORY_KIB, PASSES, LANES) => Verdict::Right,
        Ok(()) => Verdict::RightButOld,
    })
}

type Parsed = ((u32, u32, u32), Vec<u8>, Vec<u8>);

/// Reads the PHC string of Argon2id version 1.3.
fn parse(stored: &str) -> Option<Parsed> {
    let mut parts = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let (params, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers =
        params.split(',').zip(["m=", "t=", "p="]).map(|(part, name)| part.strip_prefix(name)?.parse().ok());
    let params = (numbers.next()??, numbers.next()??, numbers.next()??);
    let hash = STANDARD_NO_PAD.decode(hash).ok().filter(|hash| hash.len() == HASH_LENGTH)?;
    Some((params, STANDARD_NO_PAD.decode(salt).ok()?, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    /// A2: a password fits its own hash only, an unknown person's never fits.
    #[tokio::test]
    async fn a_password_fits_its_hash_only() -> anyhow::Result<()> {
        let hasher = Hasher::new()?;
        let stored = hasher.hash(&password("كلمة مرور طويلة جدًا")).await?;
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(hasher.verify(&password("كلمة مرور طويلة جدًا"), Some(&stored)).await?, Verdict::Right);
        assert_eq!(hasher.verify(&password("كلمة مرور طويلة جدا"), Some(&stored)).await?, Verdict::Wrong);
        assert_eq!(hasher.verify(&password("nobody's password"), None).await?, Verdict::Wrong);
        Ok(())
    }

    /// Decision "password hash": bcrypt hashes still verify and are hashed anew, as are weaker Argon2id ones.
    #[tokio::test]
    async fn old_hashes_verify_and_ask_to_be_renewed() -> anyhow::Result<()> {
        let hasher = Hasher::new()?;
        let old = bcrypt::hash("ChangeMe!123", 4)?;
        assert_eq!(hasher.verify(&password("ChangeMe!123"), Some(&old)).await?, Verdict::RightButOld);
        assert_eq!(hasher.verify(&password("ChangeMe!124"), Some(&old)).await?, Verdict::Wrong);
        let mut memory = Vec::new();
        let salt = [1; 16];
        let weak = derive(&mut memory, (64, 1, 1), b"weak", &salt)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(weak));
        let weak = format!("$argon2id$v=19$m=64,t=1,p=1${salt}${hash}");
        assert_eq!(hasher.verify(&password("weak"), Some(&weak)).await?, Verdict::RightButOld);
        Ok(())
    }

    /// The reused memory carries nothing from one hash to the next: RFC 9106's algorithm, checked against a fresh one.
    #[test]
    fn reused_memory_gives_the_same_hash_as_fresh_memory() -> anyhow::Result<()> {
        let mut used = Vec::new();
        derive(&mut used, (256, 1, 1), b"first", &[1; 16])?;
        let again = derive(&mut used, (64, 2, 1), b"second", &[2; 16])?;
        assert_eq!(again, derive(&mut Vec::new(), (64, 2, 1), b"second", &[2; 16])?);
        Ok(())
    }

    /// faults, "resources": whoever asks and goes away frees no place for another hash before theirs is done.
    #[tokio::test]
    async fn a_hash_nobody_waits_for_keeps_its_place_until_it_is_done() -> anyhow::Result<()> {
        let hasher = Hasher::with_places(1)?;
        let (has_begun, begun) = tokio::sync::oneshot::channel();
        let (end, may_end) = std::sync::mpsc::channel::<()>();
        let asking = tokio::spawn({
            let hasher = hasher.clone();
            async move {
                let work = move |_memory: &mut Vec<Block>| {
                    has_begun.send(()).ok();
                    may_end.recv().ok();
                };
                hasher.work(work).await
            }
        });
        begun.await?;
        asking.abort();
        assert!(asking.await.expect_err("nobody waits any more").is_cancelled());
        assert_eq!(hasher.0.places.available_permits(), 0);
        end.send(())?;
        hasher.work(|_memory| ()).await
    }

    #[test]
    fn a_chosen_password_is_bounded_in_characters_not_bytes() {
        assert_eq!(check(&password("")), Err(FieldCode::Required));
        assert_eq!(check(&password("م")), Ok(()));
        assert_eq!(check(&password(&"م".repeat(256))), Ok(()));
        assert_eq!(check(&password(&"م".repeat(257))), Err(FieldCode::TooLong));
    }
}
