-- Puzzles that have been solved: each lets one attempt through.

create table spent_puzzles (
    digest bytea not null constraint spent_puzzles_pkey primary key,
    expires_at timestamptz not null
);
create index spent_puzzles_expires_at_idx on spent_puzzles (expires_at);

alter table spent_puzzles enable row level security;
alter table spent_puzzles force row level security;
create policy spent_puzzles_door on spent_puzzles
    using (app_scope() in ('door', 'node')) with check (app_scope() = 'door');
grant select, insert, delete on spent_puzzles to bawwab_app;
