-- Whose rights move gets a new session secret. Of a few the rows are marked; of a change that moves the rights of very many,
-- of a role that all have or a policy about all, it is the tenant: a million rows would not be written before a change has to
-- end. Whoever's rights it has not moved gets a new secret as well, once, which costs nothing that they notice.
alter table grant_versions add column rights_version bigint not null default 0;

create policy grant_versions_door on grant_versions for select using (app_scope() = 'door');
