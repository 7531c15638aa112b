-- What goes with each question to a tenant's own policy agent: sealed, and beside the setting, which is shown and recorded.
create table opa_tokens (
    tenant_id uuid not null constraint opa_tokens_pkey primary key
        constraint opa_tokens_tenant_fk references tenants (id),
    sealed bytea not null,
    created_at timestamptz not null
);

alter table opa_tokens enable row level security;
alter table opa_tokens force row level security;
create policy opa_tokens_tenant on opa_tokens
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

grant select, insert, update, delete on opa_tokens to bawwab_app;

-- A policy may also be what another server answers: its module is then the path of the decision there.
alter table access_policy_versions
    drop constraint access_policy_versions_language,
    drop constraint access_policy_versions_module,
    add constraint access_policy_versions_language check (language in ('rules', 'rego', 'opa')),
    -- Neither is kept beside the other.
    add constraint access_policy_versions_module check (
        case language
            when 'rego' then module <> '' and rules = '[]'::jsonb
            when 'opa' then module <> '' and tests = '' and rules = '[]'::jsonb
            else module = '' and tests = ''
        end
    );
