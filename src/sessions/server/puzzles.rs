//! Spending a solved puzzle: each lets one attempt through.

use crate::{
    access::server::{Cx, Tx},
    base::{
        errors::AppError,
        puzzle::Puzzle,
        server::puzzles::{self, Solved},
    },
};

/// A puzzle for attempts at one subject. It grows with them.
pub fn make(cx: &Cx, subject: &[u8], size: i64, beyond: i32) -> Puzzle {
    let size = size * i64::from(1 + (beyond / 5).clamp(0, 9));
    puzzles::make(cx.keys(), subject, u32::try_from(size).unwrap_or(u32::MAX), cx.now())
}

/// Whether what came back is a solution that nobody has used. Of two at the same time one is.
pub async fn spend(tx: &mut Tx, subject: &[u8], solution: &str) -> Result<bool, AppError> {
    let now = tx.now();
    let Some(Solved { digest, expires_at }) = puzzles::judge(tx.cx().keys(), subject, solution, now) else {
        return Ok(false);
    };
    let spent = sqlx::query!(
        "insert into spent_puzzles (digest, expires_at) values ($1, $2) on conflict do nothing",
        digest,
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(spent.rows_affected() == 1)
}
