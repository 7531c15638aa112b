//! Puzzles: made, signed, and found solved. Nothing is kept until one is spent.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::base::{
    puzzle::Puzzle,
    server::crypto::{self, Keys},
};

/// How long a puzzle may be solved and sent back.
const LIFE: TimeDelta = TimeDelta::minutes(10);
const ALGORITHM: &str = "SHA-256";
/// Derivation purpose of the key that signs puzzles.
const PURPOSE: &str = "puzzles";

/// What comes back, as base64 of JSON.
#[derive(Deserialize)]
struct Solution {
    algorithm: String,
    challenge: String,
    number: u64,
    salt: String,
    signature: String,
}

/// A puzzle that was solved for the right purpose and in time: its name, by which it is spent once.
#[derive(Debug, PartialEq, Eq)]
pub struct Solved {
    pub digest: Vec<u8>,
    pub expires_at: DateTime<Utc>,
}

/// A fresh puzzle for one purpose, such as the attempts at one account.
pub fn make(keys: &Keys, purpose: &[u8], size: u32, now: DateTime<Utc>) -> Puzzle {
    let salt = salt(&hex::encode(crypto::random::<12>()), purpose, (now + LIFE).timestamp());
    let number = u64::from_be_bytes(crypto::random::<8>()) % (u64::from(size) + 1);
    let challenge = challenge(&salt, number);
    let signature = sign(keys, &challenge);
    Puzzle { algorithm: ALGORITHM.to_owned(), challenge, maxnumber: size, salt, signature }
}

/// Judges what came back. The challenge's signature says that it is ours; the salt, which the challenge covers, for what and
/// until when.
pub fn judge(keys: &Keys, purpose: &[u8], solution: &str, now: DateTime<Utc>) -> Option<Solved> {
    if solution.len() > 2_000 {
        return None;
    }
    let solution = serde_json::from_slice::<Solution>(&STANDARD.decode(solution.trim()).ok()?).ok()?;
    let Solution { algorithm, challenge: shown, number, salt: shown_salt, signature } = solution;
    // CVE-2025-68113: the salt ends where the number begins, so that no digit of the one can become one of the other.
    if algorithm != ALGORITHM || !shown_salt.ends_with('&') || challenge(&shown_salt, number) != shown {
        return None;
    }
    keys.mac(PURPOSE).made(shown.as_bytes(), &hex::decode(signature).ok()?).then_some(())?;
    let (random, rest) = shown_salt.split_once("?expires=")?;
    let expires = rest.split('&').next()?.parse::<i64>().ok()?;
    (shown_salt == salt(random, purpose, expires) && expires > now.timestamp()).then_some(())?;
    let expires_at = DateTime::from_timestamp(expires, 0)?;
    Some(Solved { digest: crypto::token_digest("puzzle", &shown), expires_at })
}

fn salt(random: &str, purpose: &[u8], expires: i64) -> String {
    format!("{random}?expires={expires}&for={}&", hex::encode(&crypto::sha256(purpose)[..8]))
}

fn challenge(salt: &str, number: u64) -> String {
    hex::encode(crypto::sha256(format!("{salt}{number}").as_bytes()))
}

fn sign(keys: &Keys, challenge: &str) -> String {
    hex::encode(keys.code(PURPOSE, challenge.as_bytes()))
}

/// Solves a puzzle as a browser does. For tests and measurements.
pub fn solve(puzzle: &Puzzle) -> Option<String> {
    let number =
        (0..=u64::from(puzzle.maxnumber)).find(|number| challenge(&puzzle.salt, *number) == puzzle.challenge)?;
    let solution = serde_json::json!({
        "algorithm": puzzle.algorithm,
        "challenge": puzzle.challenge,
        "number": number,
        "salt": puzzle.salt,
        "signature": puzzle.signature,
    });
    Some(STANDARD.encode(solution.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
    }

    fn keys() -> Keys {
        Keys::new([3; 32])
    }

    fn bent(solution: &str, field: &str, value: serde_json::Value) -> String {
        let bytes = STANDARD.decode(solution).expect("base64");
        let mut solution = serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON");
        solution[field] = value;
        STANDARD.encode(solution.to_string())
    }

    /// A8: a solution counts for its purpose, in its time, and only for a puzzle of ours.
    #[test]
    fn a_solution_is_of_our_puzzle_for_its_purpose_and_in_time() {
        let puzzle = make(&keys(), b"sara", 500, now());
        let solution = solve(&puzzle).expect("a number");
        let solved = judge(&keys(), b"sara", &solution, now()).expect("solved");
        assert_eq!(solved.expires_at, now() + LIFE);
        assert!(judge(&keys(), b"omar", &solution, now()).is_none(), "another purpose");
        assert!(judge(&keys(), b"sara", &solution, now() + LIFE).is_none(), "too late");
        assert!(judge(&Keys::new([4; 32]), b"sara", &solution, now()).is_none(), "another installation's");
        for (field, value) in [
            ("number", serde_json::json!(501)),
            ("algorithm", serde_json::json!("SHA-1")),
            ("challenge", serde_json::json!("0".repeat(64))),
            ("signature", serde_json::json!("0".repeat(64))),
            ("salt", serde_json::json!(puzzle.salt.replace("expires=18", "expires=19"))),
        ] {
            assert!(judge(&keys(), b"sara", &bent(&solution, field, value), now()).is_none(), "{field}");
        }
        for nonsense in ["", "?", "e30=", &"A".repeat(3_000)] {
            assert!(judge(&keys(), b"sara", nonsense, now()).is_none());
        }
    }

    /// CVE-2025-68113: digits of the number cannot be moved into the salt's end of life.
    #[test]
    fn no_digit_of_the_number_becomes_one_of_the_salt() {
        let puzzle = make(&keys(), b"sara", 100_000, now());
        let solution = solve(&puzzle).expect("a number");
        let bytes = STANDARD.decode(&solution).expect("base64");
        let number = serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON")["number"].to_string();
        for cut in 1..number.len() {
            let salt = format!("{}{}", puzzle.salt, &number[..cut]);
            let moved =
                bent(&bent(&solution, "salt", salt.into()), "number", number[cut..].parse::<u64>().unwrap_or(0).into());
            assert!(judge(&keys(), b"sara", &moved, now()).is_none(), "{cut}");
        }
    }
}
