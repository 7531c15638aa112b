-- Who is believed in what they say of a request when they ask about somebody else's.

alter table permissions no force row level security;
insert into permissions (key, name_ar, name_en) values
    ('requests.vouch', 'تصديق ما يقوله برنامج عن طلب عند السؤال عنه', 'Be believed about the circumstances of a request');
alter table permissions force row level security;
