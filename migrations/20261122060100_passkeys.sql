-- Passkeys: keys on people's devices that stand for them, and the challenges that are answered with them.

-- How many passkeys a person has; written by whoever keeps them.
alter table users
    add column passkeys integer not null default 0 constraint users_passkeys check (passkeys >= 0);

create table passkeys (
    id uuid not null constraint passkeys_pkey primary key,
    tenant_id uuid not null constraint passkeys_tenant_fk references tenants (id),
    user_id uuid not null,
    -- Digest of the id that the authenticator gave it: it belongs to one person of the whole installation.
    digest bytea not null constraint passkeys_credential_key unique,
    name text not null constraint passkeys_name_length check (length(name) between 1 and 80),
    -- Sealed: id, public key, counter, flags.
    credential bytea not null,
    -- How the browser reaches it; a hint.
    transports text[] not null,
    -- There may be copies of it, or there are (WebAuthn's BE and BS).
    backup_eligible boolean not null,
    backed_up boolean not null,
    -- It never goes back: that would be a copy of the key.
    counter bigint not null,
    last_used_at timestamptz,
    created_at timestamptz not null,
    constraint passkeys_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index passkeys_user_idx on passkeys (user_id);

-- What was asked. A row is deleted before the answer is judged, so that nothing is answered twice.
create table passkey_challenges (
    id uuid not null constraint passkey_challenges_pkey primary key,
    purpose text not null constraint passkey_challenges_purpose
        check (purpose in ('register', 'sign_in', 'second_factor', 'reauthenticate')),
    -- Digest of the handle that whoever asked was given.
    digest bytea not null constraint passkey_challenges_digest_key unique,
    -- For whom, in which session, at which step: an answer counts for nothing else.
    user_id uuid,
    session_id uuid constraint passkey_challenges_session_fk references sessions (id) on delete cascade,
    step_id uuid constraint passkey_challenges_step_fk references sign_in_steps (id) on delete cascade,
    -- Sealed: the challenge and the rules it was made with.
    state bytea not null,
    ip inet,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    constraint passkey_challenges_user check ((purpose = 'sign_in') = (user_id is null)),
    constraint passkey_challenges_session check ((purpose in ('register', 'reauthenticate')) = (session_id is not null)),
    constraint passkey_challenges_step check ((purpose = 'second_factor') = (step_id is not null))
);
create index passkey_challenges_session_idx on passkey_challenges (session_id);
create index passkey_challenges_step_idx on passkey_challenges (step_id);
create index passkey_challenges_ip_idx on passkey_challenges (ip, expires_at);
create index passkey_challenges_expires_at_idx on passkey_challenges (expires_at);

alter table passkeys enable row level security;
alter table passkeys force row level security;
create policy passkeys_tenant on passkeys using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy passkeys_found on passkeys for select using (app_scope() = 'door');

alter table passkey_challenges enable row level security;
alter table passkey_challenges force row level security;
create policy passkey_challenges_door on passkey_challenges
    using (app_scope() in ('door', 'node')) with check (app_scope() = 'door');

grant select, insert, update, delete on passkeys to bawwab_app;
grant select, insert, delete on passkey_challenges to bawwab_app;
