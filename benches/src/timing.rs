//! Whether the time of a refusal tells that an account exists: told with its uncertainty, never asserted.

use anyhow::ensure;
use serde_json::json;
use tokio::time::Instant;

use crate::{Effort, server::Server};

/// Milliseconds.
pub struct Timing {
    pub wrong: f64,
    pub unknown: f64,
    pub difference: f64,
    /// Half the width of the difference's 95 % interval.
    pub margin: f64,
    /// Of the Mann–Whitney test, two-sided.
    pub p: f64,
}

impl Timing {
    /// As it stands in the report.
    pub fn text(&self, effort: Effort) -> String {
        let Timing { wrong, unknown, difference, margin, p } = self;
        let attempts = effort.attempts;
        format!(
            "### Does a refusal tell whether an account exists?\n\n{attempts} sign-ins with a wrong password and \
             {attempts} with an address that nobody has, in turn. Reported, never asserted.\n\n| | mean |\n| --- | --- |\n\
             | wrong password | {wrong:.2} ms |\n| unknown account | {unknown:.2} ms |\n\
             | difference | {difference:+.3} ms ± {margin:.3} (95 %) |\n| Mann–Whitney, two-sided | p = {p:.3} |"
        )
    }
}

/// So many attempts at one account come before it has to wait.
const BY_ACCOUNT: usize = 15;

pub async fn compare(server: &Server, effort: Effort) -> anyhow::Result<Timing> {
    let emails = server.add_people("timed", effort.attempts.div_ceil(BY_ACCOUNT)).await?;
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..effort.attempts {
        let known = emails[n / BY_ACCOUNT].clone();
        let nobody = format!("nobody{}@example.com", n / BY_ACCOUNT);
        // The one that comes first is not always the same.
        if n % 2 == 0 {
            wrong.push(refused(server, &known).await?);
            unknown.push(refused(server, &nobody).await?);
        } else {
            unknown.push(refused(server, &nobody).await?);
            wrong.push(refused(server, &known).await?);
        }
    }
    let (mean_wrong, mean_unknown) = (mean(&wrong), mean(&unknown));
    let margin = 1.96 * (variance(&wrong) / wrong.len() as f64 + variance(&unknown) / unknown.len() as f64).sqrt();
    let p = mann_whitney(&wrong, &unknown);
    Ok(Timing { wrong: mean_wrong, unknown: mean_unknown, difference: mean_wrong - mean_unknown, margin, p })
}

async fn refused(server: &Server, email: &str) -> anyhow::Result<f64> {
    let body = json!({"email": email, "password": "not the right one at all"});
    let started = Instant::now();
    let status = server.client.post_for_status("/auth/login", &body).await?;
    let took = started.elapsed().as_secs_f64() * 1_000.0;
    ensure!(status == 401, "{email}: {status}");
    Ok(took)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0).max(1.0)
}

/// The probability of ranks at least so unequal if both came from one distribution, by the normal approximation.
fn mann_whitney(a: &[f64], b: &[f64]) -> f64 {
    let mut all = a.iter().map(|value| (*value, true)).chain(b.iter().map(|value| (*value, false))).collect::<Vec<_>>();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let ranks =
        all.iter().enumerate().filter(|(_, (_, is_first))| *is_first).map(|(at, _)| at as f64 + 1.0).sum::<f64>();
    let (n, m) = (a.len() as f64, b.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    let z = (u - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt();
    two_sided(z)
}

/// Abramowitz and Stegun 7.1.26.
fn two_sided(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    poly * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_are_not_told_apart_and_shifted_ones_are() {
        let a = (0..100).map(f64::from).collect::<Vec<_>>();
        let b = a.iter().map(|value| value + 0.5).collect::<Vec<_>>();
        let far = a.iter().map(|value| value + 60.0).collect::<Vec<_>>();
        assert!(mann_whitney(&a, &b) > 0.8);
        assert!(mann_whitney(&a, &far) < 1e-6);
        assert!((two_sided(1.96) - 0.05).abs() < 0.001);
    }
}
