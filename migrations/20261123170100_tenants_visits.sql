-- A super-admin goes into another tenant: the session stays at home, and works there until it is left.
-- entered_version is to the grants of that tenant what seen_version is to those of the home.

alter table sessions
    add column entered_tenant uuid constraint sessions_entered_tenant_fk references tenants (id),
    add column entered_version bigint not null default 0,
    -- Nothing is done there after it; it ends no visit by itself, so that nobody is moved home without noticing.
    add column entered_until timestamptz,
    add constraint sessions_entered_ends check ((entered_tenant is null) = (entered_until is null)),
    add constraint sessions_entered_elsewhere check (entered_tenant <> tenant_id),
    add constraint sessions_entered_in_person check (entered_tenant is null or impersonator_id is null);
