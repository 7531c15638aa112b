-- Groups and policies are searched as people and roles are.
create index groups_search_idx on groups using gin (search gin_trgm_ops);
create index access_policies_search_idx on access_policies using gin (search gin_trgm_ops);
