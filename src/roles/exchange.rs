//! The catalogue as a file: a tenant's own permissions and its roles, to be kept, compared and brought elsewhere.

use serde::{Deserialize, Serialize};

use crate::{base::errors::Denial, roles::OwnPermission};

/// The form of the file that this program writes and reads.
pub const FORMAT: u32 = 1;

/// The tenant's own permissions and its roles; of the built-in roles what they give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CatalogueFile {
    /// Always 1.
    pub format: u32,
    #[serde(default)]
    pub permissions: Vec<OwnPermission>,
    #[serde(default)]
    pub roles: Vec<RoleInFile>,
}

/// A role by name: ids differ between installations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleInFile {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Names of the roles that it inherits from.
    #[serde(default)]
    pub parents: Vec<String>,
}

/// What an import does, or would do. What the file does not name stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ImportReport {
    /// Keys that are added.
    pub permissions_added: Vec<String>,
    /// Keys whose words change.
    pub permissions_changed: Vec<String>,
    pub roles: Vec<ImportedRole>,
    /// How many roles are as in the file already.
    pub unchanged: u32,
    /// How many people would hold more, and how many less.
    pub people_gaining: u32,
    pub people_losing: u32,
    /// Why saving would be refused.
    pub refused: Option<Denial>,
}

/// A role that an import creates or changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ImportedRole {
    pub name: String,
    /// It does not exist yet.
    pub is_new: bool,
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub parents_added: Vec<String>,
    pub parents_removed: Vec<String>,
}
