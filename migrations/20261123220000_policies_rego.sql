-- A policy is rules in JSON, or a module of Rego with its tests.
alter table access_policy_versions
    add column language text not null default 'rules',
    add column module text not null default '',
    add column tests text not null default '',
    add constraint access_policy_versions_language check (language in ('rules', 'rego')),
    -- Neither is kept beside the other.
    add constraint access_policy_versions_module check (
        case language
            when 'rego' then module <> '' and rules = '[]'::jsonb
            else module = '' and tests = ''
        end
    );
