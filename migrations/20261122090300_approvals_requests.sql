-- Requests that others have to agree to, and what they decided. What was decided on is bound by a digest.

create table approvals (
    id uuid not null constraint approvals_pkey primary key,
    tenant_id uuid not null constraint approvals_tenant_fk references tenants (id),
    requester_id uuid not null,
    requester_name text not null,
    kind text not null constraint approvals_kind check (kind in ('rights', 'role', 'access')),
    subject_id uuid not null,
    subject_name text not null,
    -- Where the subject is, for approvers whose right reaches so far only.
    department text,
    region text,
    proposal jsonb not null,
    digest bytea not null,
    reason text not null constraint approvals_reason_length check (length(btrim(reason)) between 1 and 1000),
    -- What makes it one that others have to agree to.
    permissions text[] not null,
    required smallint not null constraint approvals_required check (required between 1 and 5),
    status text not null default 'waiting' constraint approvals_status
        check (status in ('waiting', 'applied', 'rejected', 'withdrawn', 'failed')),
    failure text,
    expires_at timestamptz not null,
    ended_at timestamptz,
    created_at timestamptz not null,
    constraint approvals_tenant_id_key unique (tenant_id, id),
    constraint approvals_requester_fk foreign key (tenant_id, requester_id) references users (tenant_id, id)
        on delete cascade
);
create index approvals_waiting_idx on approvals (tenant_id, expires_at) where status = 'waiting';
create index approvals_requester_idx on approvals (requester_id, created_at desc);
create index approvals_tenant_idx on approvals (tenant_id, created_at desc, id desc);

create table approval_decisions (
    tenant_id uuid not null,
    approval_id uuid not null,
    decider_id uuid not null,
    decider_name text not null,
    approves boolean not null,
    comment text,
    -- The digest of what was decided on.
    digest bytea not null,
    decided_at timestamptz not null,
    constraint approval_decisions_pkey primary key (approval_id, decider_id),
    constraint approval_decisions_approval_fk foreign key (tenant_id, approval_id)
        references approvals (tenant_id, id) on delete cascade
);

alter table approvals enable row level security;
alter table approvals force row level security;
create policy approvals_tenant on approvals using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
alter table approval_decisions enable row level security;
alter table approval_decisions force row level security;
create policy approval_decisions_tenant on approval_decisions
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

grant select, insert, update on approvals to bawwab_app;
grant select, insert on approval_decisions to bawwab_app;
