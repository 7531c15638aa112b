-- Texts that people consent to: what is published becomes a version that stays, and so does what people said to it.

create table consent_texts (
    id uuid not null constraint consent_texts_pkey primary key,
    tenant_id uuid not null constraint consent_texts_tenant_fk references tenants (id),
    key text collate "C" not null constraint consent_texts_key_shape check (key ~ '^[a-z][a-z0-9_-]{0,59}$'),
    -- Nobody goes on before they have given the last version of it.
    required boolean not null default false,
    -- The draft, which becomes the next version.
    title_ar text not null constraint consent_texts_title_ar_length check (length(title_ar) between 1 and 200),
    title_en text not null constraint consent_texts_title_en_length check (length(title_en) between 1 and 200),
    body_ar text not null constraint consent_texts_body_ar_length check (length(body_ar) between 1 and 20000),
    body_en text not null constraint consent_texts_body_en_length check (length(body_en) between 1 and 20000),
    -- The last version that was published; 0: none yet.
    latest int not null default 0 constraint consent_texts_latest check (latest >= 0),
    retired_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null default now(),
    constraint consent_texts_tenant_id_key unique (tenant_id, id),
    constraint consent_texts_key_key unique (tenant_id, key)
);
create trigger consent_texts_updated_at before update on consent_texts for each row execute function set_updated_at();
-- Looked at for every request; most tenants have none.
create index consent_texts_required_idx on consent_texts (tenant_id)
    where required and retired_at is null and latest > 0;

create table consent_versions (
    tenant_id uuid not null constraint consent_versions_tenant_fk references tenants (id),
    text_id uuid not null,
    number int not null constraint consent_versions_number check (number > 0),
    title_ar text not null,
    title_en text not null,
    body_ar text not null,
    body_en text not null,
    published_by uuid,
    published_by_name text,
    published_at timestamptz not null,
    constraint consent_versions_pkey primary key (text_id, number),
    constraint consent_versions_text_fk foreign key (tenant_id, text_id) references consent_texts (tenant_id, id)
);
create index consent_versions_tenant_idx on consent_versions (tenant_id);

create table consent_records (
    -- In the order in which they were written: the last one of a person and a text counts.
    id bigint not null generated always as identity constraint consent_records_pkey primary key,
    tenant_id uuid not null constraint consent_records_tenant_fk references tenants (id),
    user_id uuid not null,
    text_id uuid not null,
    number int not null,
    -- Given, or withdrawn.
    given boolean not null,
    ip inet,
    created_at timestamptz not null,
    constraint consent_records_version_fk foreign key (text_id, number) references consent_versions (text_id, number),
    constraint consent_records_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id)
);
create index consent_records_user_idx on consent_records (user_id, text_id, id desc);
create index consent_records_text_idx on consent_records (text_id, user_id, id desc);
create index consent_records_tenant_idx on consent_records (tenant_id);

alter table consent_texts enable row level security;
alter table consent_texts force row level security;
create policy consent_texts_tenant on consent_texts
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy consent_texts_found on consent_texts for select using (app_scope() in ('door', 'node'));
alter table consent_versions enable row level security;
alter table consent_versions force row level security;
create policy consent_versions_tenant on consent_versions
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
alter table consent_records enable row level security;
alter table consent_records force row level security;
create policy consent_records_tenant on consent_records
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy consent_records_found on consent_records for select using (app_scope() in ('door', 'node'));
grant select, insert, update on consent_texts to bawwab_app;
-- What was published or said once is never written over, and never taken out.
grant select, insert on consent_versions, consent_records to bawwab_app;

-- Whether somebody still has to give the last version of a required text of their tenant.
create function owes_consent(tenant uuid, person uuid) returns boolean language sql stable as $$
    select exists (
        select from consent_texts t
        where t.tenant_id = tenant and t.required and t.retired_at is null and t.latest > 0
          and not coalesce((
              select r.given and r.number = t.latest from consent_records r
              where r.user_id = person and r.text_id = t.id
              order by r.id desc limit 1), false))
$$;

alter table permissions no force row level security;
insert into permissions (key, name_ar, name_en) values
    ('consents.read', 'عرض نصوص الإقرارات ومن أقرّ بها', 'See consent texts and who gave them'),
    ('consents.manage', 'إدارة نصوص الإقرارات', 'Manage consent texts'),
    ('consents.*', 'كل ما يخص الإقرارات', 'Everything about consents');
alter table permissions force row level security;
