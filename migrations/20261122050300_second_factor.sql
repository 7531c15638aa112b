-- The second factor: a sealed secret whose steps count once, and backup codes.

create table totp (
    user_id uuid not null constraint totp_pkey primary key,
    tenant_id uuid not null constraint totp_tenant_fk references tenants (id),
    secret bytea not null,
    -- The last step that was accepted (RFC 6238 §5.2): neither it nor one before it is accepted again.
    last_step bigint not null default 0,
    -- Null until the first code has been shown: until then it protects nothing.
    confirmed_at timestamptz,
    created_at timestamptz not null,
    constraint totp_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);

create table backup_codes (
    id uuid not null constraint backup_codes_pkey primary key,
    tenant_id uuid not null constraint backup_codes_tenant_fk references tenants (id),
    user_id uuid not null,
    digest bytea not null constraint backup_codes_digest_key unique,
    used_at timestamptz,
    created_at timestamptz not null,
    constraint backup_codes_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index backup_codes_user_idx on backup_codes (user_id);

-- When this session last proved who holds it. Sensitive acts want that to be fresh.
alter table sessions add column proved_at timestamptz not null default now();

alter table totp enable row level security;
alter table totp force row level security;
create policy totp_tenant on totp using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

alter table backup_codes enable row level security;
alter table backup_codes force row level security;
create policy backup_codes_tenant on backup_codes
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

grant select, insert, update, delete on totp, backup_codes to bawwab_app;
