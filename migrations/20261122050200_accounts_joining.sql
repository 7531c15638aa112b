-- Registering, recovering an account, signing in by mail, and the step between a right password and a second factor.

alter table links drop constraint links_purpose;
alter table links add constraint links_purpose check (purpose in ('setup', 'welcome', 'reset', 'magic'));

-- Somebody who registers is nobody until their address is confirmed: nothing is taken, nobody is locked out of it.
create table registrations (
    id uuid not null constraint registrations_pkey primary key,
    tenant_id uuid not null constraint registrations_tenant_fk references tenants (id),
    email text not null constraint registrations_email_length check (length(email) between 3 and 254),
    name text not null constraint registrations_name_length check (length(name) between 1 and 200),
    locale text not null constraint registrations_locale check (locale in ('ar', 'en')),
    password_hash text not null,
    digest bytea not null constraint registrations_digest_key unique,
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null
);
create index registrations_email_idx on registrations (email);
create index registrations_expires_at_idx on registrations (expires_at);

-- Set while a second factor is on; written by whoever keeps the factor.
alter table users add column second_factor_at timestamptz;

-- Somebody has proved the first factor and still owes the second. Not a session: it opens nothing else.
create table sign_in_steps (
    id uuid not null constraint sign_in_steps_pkey primary key,
    tenant_id uuid not null constraint sign_in_steps_tenant_fk references tenants (id),
    user_id uuid not null,
    digest bytea not null constraint sign_in_steps_digest_key unique,
    method text not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null,
    constraint sign_in_steps_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index sign_in_steps_user_idx on sign_in_steps (user_id);
create index sign_in_steps_expires_at_idx on sign_in_steps (expires_at);

alter table registrations enable row level security;
alter table registrations force row level security;
create policy registrations_tenant on registrations
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy registrations_found on registrations for select using (app_scope() in ('door', 'node'));
create policy registrations_expire on registrations for delete using (app_scope() = 'node');

alter table sign_in_steps enable row level security;
alter table sign_in_steps force row level security;
create policy sign_in_steps_tenant on sign_in_steps
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy sign_in_steps_found on sign_in_steps for select using (app_scope() in ('door', 'node'));
create policy sign_in_steps_expire on sign_in_steps for delete using (app_scope() = 'node');

grant select, insert, update, delete on registrations, sign_in_steps to bawwab_app;
