//! Everything that is kept sealed, for whoever has to go over all of it: sealing it anew under another key, and looking
//! whether it opens. Left out is what is good for a day at most: the answers to repeated requests and passkeys' challenges.

use uuid::Uuid;

use crate::{
    access::server::{Cx, Quiet, Tx, outside},
    audit::server::seal,
    base::{
        errors::AppError,
        ids::TenantId,
        server::{
            crypto::{SealedAfter, SealedValue},
            mail,
        },
    },
    passkeys, second_factor,
};

/// Where sealed values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Totp,
    Passkeys,
    Letters,
    SigningKey,
    PolicyAgents,
}

impl Source {
    /// Those that are kept within a tenant.
    pub const OF_TENANT: &[Source] = &[Source::Totp, Source::Passkeys, Source::PolicyAgents];
    /// Those of the installation.
    pub const OF_NODE: &[Source] = &[Source::Letters, Source::SigningKey];

    async fn page(self, tx: &mut Tx, after: SealedAfter) -> Result<Vec<SealedValue>, AppError> {
        match self {
            Source::Totp => second_factor::server::sealed(tx, after).await,
            Source::Passkeys => passkeys::server::sealed(tx, after).await,
            Source::Letters => Ok(mail::sealed(tx.conn(), after).await?),
            Source::SigningKey => seal::sealed(tx, after).await,
            Source::PolicyAgents => outside::sealed(tx, after).await,
        }
    }

    async fn put(self, tx: &mut Tx, old: &SealedValue, new: &[u8]) -> Result<(), AppError> {
        match self {
            Source::Totp => second_factor::server::put_sealed(tx, old, new).await,
            Source::Passkeys => passkeys::server::put_sealed(tx, old, new).await,
            Source::Letters => Ok(mail::put_sealed(tx.conn(), old, new).await?),
            Source::SigningKey => seal::put_sealed(tx, old, new).await,
            Source::PolicyAgents => outside::put_sealed(tx, old, new).await,
        }
    }
}

/// The tenants, and `None` for what belongs to the installation.
async fn owners(cx: &Cx) -> Result<Vec<Option<TenantId>>, AppError> {
    let mut tx = cx.node().await?;
    let chains = seal::chains(&mut tx).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(chains.into_iter().map(|(chain, _ruler)| seal::owner(chain)).collect())
}

async fn open_for(cx: &Cx, owner: Option<TenantId>) -> Result<Tx, AppError> {
    let mut tx = cx.node().await?;
    if let Some(tenant) = owner {
        tx.enter(tenant).await?;
    }
    Ok(tx)
}

fn sources_of(owner: Option<TenantId>) -> &'static [Source] {
    if owner.is_some() { Source::OF_TENANT } else { Source::OF_NODE }
}

/// Seals everything anew that is sealed with another key than the current one, in small transactions. Gives back how many
/// values there were. What does not open stays as it is and is told as an error at the end: nothing is lost by it.
pub async fn seal_anew(cx: &Cx) -> Result<u64, AppError> {
    let (mut done, mut stuck) = (0, Vec::new());
    for owner in owners(cx).await? {
        for source in sources_of(owner) {
            let mut after = SealedAfter { id: Uuid::nil(), unless: Some(cx.keys().sealing_id()) };
            loop {
                let mut tx = open_for(cx, owner).await?;
                let page = source.page(&mut tx, after).await?;
                let Some(last) = page.last() else { break };
                after.id = last.id;
                for old in &page {
                    match cx.keys().open(&old.place, &old.value) {
                        Ok(plain) => {
                            source.put(&mut tx, old, &cx.keys().seal(&old.place, &plain)).await?;
                            done += 1;
                        }
                        Err(error) => stuck.push(format!("{}: {error}", old.place)),
                    }
                }
                tx.commit_quietly(Quiet::Job).await?;
            }
        }
    }
    if stuck.is_empty() {
        Ok(done)
    } else {
        Err(anyhow::anyhow!("{} values cannot be sealed anew: {}", stuck.len(), stuck.join("; ")).into())
    }
}

/// The places of values that do not open at all.
pub async fn unreadable(cx: &Cx, owner: Option<TenantId>) -> Result<Vec<String>, AppError> {
    let mut found = Vec::new();
    for source in sources_of(owner) {
        let mut after = SealedAfter::default();
        loop {
            let mut tx = open_for(cx, owner).await?;
            let page = source.page(&mut tx, after).await?;
            tx.commit_quietly(Quiet::Job).await?;
            let Some(last) = page.last() else { break };
            after.id = last.id;
            let shut = page.iter().filter_map(|one| {
                cx.keys().open(&one.place, &one.value).err().map(|error| format!("{}: {error}", one.place))
            });
            found.extend(shut);
        }
    }
    Ok(found)
}
