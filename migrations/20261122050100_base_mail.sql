-- Mail is sent by jobs: a job may belong to a tenant, and one that has failed for good stays to be seen.

alter table jobs
    add column tenant_id uuid,
    add column dead_at timestamptz;
drop index jobs_due_idx;
create index jobs_due_idx on jobs (kind, run_at) where dead_at is null;
create index jobs_dead_idx on jobs (tenant_id, dead_at) where dead_at is not null;

drop policy jobs_enqueue on jobs;
create policy jobs_enqueue on jobs for insert with check (tenant_id = app_tenant());
create policy jobs_dead on jobs for select using (tenant_id = app_tenant() and dead_at is not null);
create policy jobs_revive on jobs for update
    using (tenant_id = app_tenant() and dead_at is not null) with check (tenant_id = app_tenant());
