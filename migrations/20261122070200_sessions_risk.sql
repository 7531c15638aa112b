-- Where people sign in from, what is new about it, and the code that is mailed then.

create table known_places (
    tenant_id uuid not null constraint known_places_tenant_fk references tenants (id),
    user_id uuid not null,
    -- The network of an address, not the address: 203.0.113.0/24, 2001:db8:1::/48.
    network text not null,
    country text,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    constraint known_places_pkey primary key (user_id, network),
    constraint known_places_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);

alter table known_places enable row level security;
alter table known_places force row level security;
create policy known_places_tenant on known_places
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy known_places_node on known_places for select using (app_scope() = 'node');
create policy known_places_expire on known_places for delete using (app_scope() = 'node');
grant select, insert, update, delete on known_places to bawwab_app;

-- A step that owes a mailed code keeps its digest, how often it was tried, and why it is asked for.
alter table sign_in_steps
    add column code_digest bytea,
    add column code_tries smallint not null default 0,
    add column news text[] not null default '{}';

alter table sessions add column country text;
