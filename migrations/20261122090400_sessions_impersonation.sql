-- A session in which somebody acts as somebody else: it belongs to the one they act as, and names them.

alter table sessions
    add column impersonator_id uuid,
    add column impersonation_reason text,
    add constraint sessions_impersonator_fk foreign key (tenant_id, impersonator_id) references users (tenant_id, id)
        on delete cascade,
    add constraint sessions_impersonation check (
        (impersonator_id is null) = (impersonation_reason is null) and impersonator_id is distinct from user_id),
    -- It has no cookie secret and no refresh token: it ends when its time is over.
    add constraint sessions_impersonation_kind check (impersonator_id is null or kind = 'program');
create index sessions_impersonator_idx on sessions (impersonator_id) where impersonator_id is not null;
