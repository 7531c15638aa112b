//! Reports: a tenant in numbers, day by day.

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use crate::base::{errors::AppError, time::Timestamp};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// How many days may be looked at (D5).
pub const RANGES: [u32; 3] = [7, 30, 90];

/// How many are, if nobody says (D5).
pub const USUAL_RANGE: u32 = 30;

/// Which days to look at (D5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct DashboardQuery {
    /// 7, 30 or 90, today included; 30 without it.
    pub days: Option<u32>,
}

/// The numbers of a tenant (D5). Days are those of UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Dashboard {
    /// What happened on each day, oldest first, today last. A super-admin's include attempts that belong to no tenant: a
    /// name that nobody has.
    pub events: Vec<DayEvents>,
    /// How the tenant stood, oldest first; the last is how it stands now. A day on which nobody looked is left out.
    pub standings: Vec<Standing>,
    pub log: LogState,
}

/// How often something happened on a day (D5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DayEvents {
    #[cfg_attr(feature = "ssr", schema(format = Date))]
    pub day: String,
    pub signed_in: i64,
    /// Sign-ins with a wrong password, code or passkey.
    pub failed: i64,
    /// Sign-ins that were refused because too many had failed.
    pub locked_out: i64,
    /// Refresh tokens that were traded for the next.
    pub rotations: i64,
    /// Spent refresh tokens that were shown again.
    pub reused: i64,
}

/// How many there were on a day (D5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Standing {
    #[cfg_attr(feature = "ssr", schema(format = Date))]
    pub day: String,
    pub active: i64,
    pub invited: i64,
    pub suspended: i64,
    /// Active people with an authenticator app or a passkey.
    pub with_second_factor: i64,
    pub roles: i64,
    pub groups: i64,
    pub approvals_waiting: i64,
}

impl Standing {
    /// How many in a hundred active people have a second factor; nothing where nobody is active (D5). The two are not counted
    /// at the same moment: it is never more than all.
    pub fn adoption(&self) -> Option<i64> {
        (self.with_second_factor * 100).checked_div(self.active).map(|part| part.min(100))
    }
}

/// How the last look at the whole log ended (D5, E2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LogState {
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub verified_at: Option<Timestamp>,
    /// None before the first look.
    pub intact: Option<bool>,
    /// Rows that are not counted yet; a matter of seconds.
    pub waiting: i64,
}

#[server(prefix = "/api", endpoint = "reports/dashboard", input = Json)]
pub async fn get_dashboard(query: DashboardQuery) -> Result<Dashboard, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::reports::server::dashboard(&cx, query.into()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D5: adoption is a part of those who may sign in, and of nobody where there is none.
    #[test]
    fn adoption_is_a_part_of_active_people() {
        let of = |active, with_second_factor| Standing { active, with_second_factor, ..Standing::default() }.adoption();
        assert_eq!((of(3, 2), of(4, 4), of(5, 0), of(0, 0)), (Some(66), Some(100), Some(0), None));
        assert_eq!(of(3, 4), Some(100));
    }
}
