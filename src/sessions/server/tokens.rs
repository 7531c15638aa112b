//! Access tokens: HS256 JWTs under a key of our own (RFC 7519, RFC 8725). They carry a session for a quarter of an hour;
//! the session's row decides.

use std::collections::HashSet;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::base::{
    ids::{SessionId, TenantId, UserId},
    server::crypto::Keys,
};

/// Derivation purpose of the signing key.
const PURPOSE: &str = "session-tokens";
/// RFC 8725 §3.11: a type of their own keeps them from being taken for another kind.
const TYPE: &str = "bawwab-access+jwt";
const AUDIENCE: &str = "bawwab";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: Uuid,
    /// Session.
    pub sid: Uuid,
    /// Tenant.
    pub tid: Uuid,
    pub jti: Uuid,
    #[serde(rename = "type")]
    pub kind: String,
    pub iat: i64,
    pub exp: i64,
    /// Whoever acts as the subject (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// The party that acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    pub sub: Uuid,
}

impl Claims {
    pub fn session(&self) -> SessionId {
        SessionId(self.sid)
    }
}

/// Signs an access token.
pub fn sign(
    keys: &Keys,
    issuer: &str,
    whose: (UserId, SessionId, TenantId),
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> anyhow::Result<String> {
    sign_for(keys, issuer, whose, None, (now, until))
}

/// Signs one with which somebody acts as the subject.
pub fn sign_acting(
    keys: &Keys,
    issuer: &str,
    whose: (UserId, SessionId, TenantId),
    by: UserId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> anyhow::Result<String> {
    sign_for(keys, issuer, whose, Some(Actor { sub: by.0 }), (now, until))
}

fn sign_for(
    keys: &Keys,
    issuer: &str,
    (user, session, tenant): (UserId, SessionId, TenantId),
    act: Option<Actor>,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> anyhow::Result<String> {
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(keys.id(PURPOSE));
    let claims = Claims {
        iss: issuer.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: user.0,
        sid: session.0,
        tid: tenant.0,
        jti: Uuid::now_v7(),
        kind: "access".to_owned(),
        iat: now.timestamp(),
        exp: until.timestamp(),
        act,
    };
    encode(&header, &claims, &EncodingKey::from_secret(&keys.derive(PURPOSE))).context("sign an access token")
}

/// Reads an access token: the right key, type, algorithm, issuer and audience, every claim there and of its type, and
/// not run out by the database's clock. Everything else is no token.
pub fn verify(keys: &Keys, issuer: &str, token: &str, now: DateTime<Utc>) -> Option<Claims> {
    let header = decode_header(token).ok()?;
    if header.typ.as_deref() != Some(TYPE) {
        return None;
    }
    let key = keys.derive_named(PURPOSE, header.kid.as_deref()?)?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[issuer]);
    validation.required_spec_claims = HashSet::from(["exp", "aud", "iss", "sub"].map(str::to_owned));
    // Judged below by the database's clock, not this machine's.
    validation.validate_exp = false;
    let claims = decode::<Claims>(token, &DecodingKey::from_secret(&key), &validation).ok()?.claims;
    (claims.kind == "access" && claims.exp > now.timestamp() && claims.iat <= now.timestamp() + 1).then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    const ISSUER: &str = "http://localhost:3000";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
    }

    fn keys() -> Keys {
        Keys::new([1; 32])
    }

    fn token() -> String {
        let ids = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)), TenantId(Uuid::from_u128(3)));
        sign(&keys(), ISSUER, ids, now(), now() + TimeDelta::minutes(15)).expect("a token")
    }

    fn signed(header: &Header, claims: &Value) -> String {
        encode(header, claims, &EncodingKey::from_secret(&keys().derive(PURPOSE))).expect("a token")
    }

    #[test]
    fn a_token_is_good_until_it_runs_out_and_only_here() {
        let token = token();
        assert!(verify(&keys(), ISSUER, &token, now() + TimeDelta::seconds(899)).is_some());
        assert!(verify(&keys(), ISSUER, &token, now() + TimeDelta::seconds(900)).is_none());
        assert!(verify(&keys(), "http://elsewhere", &token, now()).is_none());
        assert!(verify(&Keys::new([2; 32]), ISSUER, &token, now()).is_none());
    }

    /// CVE-2026-27840: no prefix, suffix or altered character of a token is a token.
    #[test]
    fn a_cut_or_altered_token_is_refused() {
        let token = token();
        for at in 0..token.len() {
            assert!(verify(&keys(), ISSUER, &token[..at], now()).is_none(), "prefix {at}");
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            // The last character of a signature carries spare bits, which a strict decoder refuses as well.
            assert!(verify(&keys(), ISSUER, &altered, now()).is_none(), "altered {at}");
        }
    }

    /// CVE-2026-25537: a claim of the wrong type or none is refused, not taken as absent.
    #[test]
    fn every_claim_is_required_and_typed() {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys().id(PURPOSE));
        let good = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::from_u128(1), "sid": Uuid::from_u128(2),
            "tid": Uuid::from_u128(3), "jti": Uuid::from_u128(4), "type": "access",
            "iat": now().timestamp(), "exp": now().timestamp() + 60,
        });
        assert!(verify(&keys(), ISSUER, &signed(&header, &good), now()).is_some());
        let wrong = [json!(null), json!("9999999999"), json!(1e308), json!([]), json!(-1), json!({})];
        for claim in ["iss", "aud", "sub", "sid", "tid", "jti", "type", "iat", "exp"] {
            let mut without = good.clone();
            without.as_object_mut().expect("an object").remove(claim);
            assert!(verify(&keys(), ISSUER, &signed(&header, &without), now()).is_none(), "without {claim}");
            for value in &wrong {
                if claim == "iat" && *value == json!(-1) {
                    continue;
                }
                let mut bent = good.clone();
                bent[claim] = value.clone();
                assert!(verify(&keys(), ISSUER, &signed(&header, &bent), now()).is_none(), "{claim} = {value}");
            }
        }
    }

    /// RFC 8725 §3.1: the algorithm and the type are ours to say.
    #[test]
    fn other_algorithms_types_and_keys_are_refused() {
        let claims = token();
        let claims = claims.split('.').nth(1).expect("three parts");
        let claims = serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
        let mut header = Header::new(Algorithm::HS512);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys().id(PURPOSE));
        assert!(verify(&keys(), ISSUER, &signed(&header, &claims), now()).is_none());
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(keys().id(PURPOSE));
        assert!(verify(&keys(), ISSUER, &signed(&header, &claims), now()).is_none(), "typ JWT");
        header.typ = Some(TYPE.to_owned());
        header.kid = Some("../../etc/passwd".to_owned());
        assert!(verify(&keys(), ISSUER, &signed(&header, &claims), now()).is_none(), "kid");
        let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","typ":"{TYPE}","kid":"{}"}}"#, keys().id(PURPOSE)));
        let unsigned = format!("{none}.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()));
        assert!(verify(&keys(), ISSUER, &unsigned, now()).is_none());
    }
}
