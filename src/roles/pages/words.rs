//! Words about roles that pages and programs share, in either language.

use crate::{base::language::td_string, i18n::Locale};

/// What a template is called; empty for one that is not known.
pub fn template_name(locale: Locale, id: &str) -> &'static str {
    match id {
        "support" => td_string!(locale, roles.template_support),
        "readonly" => td_string!(locale, roles.template_readonly),
        "analyst" => td_string!(locale, roles.template_analyst),
        "user_manager" => td_string!(locale, roles.template_user_manager),
        "auditor" => td_string!(locale, roles.template_auditor),
        _ => "",
    }
}

/// What a template is for.
pub fn template_about(locale: Locale, id: &str) -> &'static str {
    match id {
        "support" => td_string!(locale, roles.template_support_about),
        "readonly" => td_string!(locale, roles.template_readonly_about),
        "analyst" => td_string!(locale, roles.template_analyst_about),
        "user_manager" => td_string!(locale, roles.template_user_manager_about),
        "auditor" => td_string!(locale, roles.template_auditor_about),
        _ => "",
    }
}
