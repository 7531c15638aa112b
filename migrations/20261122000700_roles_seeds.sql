-- The built-in permissions, the platform role, the first tenant and its built-in roles.

-- The owner is held to the policies too (`force`), and none lets it write what belongs to no tenant: stand aside here.
alter table tenants no force row level security;
alter table permissions no force row level security;
alter table roles no force row level security;
alter table role_permissions no force row level security;
alter table grant_versions no force row level security;

insert into permissions (key, name_ar, name_en) values
    ('*', 'كل الصلاحيات', 'Every permission'),
    ('users.read', 'عرض الأشخاص', 'See people'),
    ('users.create', 'إضافة أشخاص', 'Add people'),
    ('users.update', 'تعديل الأشخاص', 'Edit people'),
    ('users.delete', 'حذف الأشخاص', 'Delete people'),
    ('users.reset_password', 'إعادة تعيين كلمة المرور', 'Reset a password'),
    ('users.*', 'كل ما يخص الأشخاص', 'Everything about people'),
    ('roles.read', 'عرض الأدوار', 'See roles'),
    ('roles.create', 'إنشاء أدوار', 'Create roles'),
    ('roles.update', 'تعديل الأدوار', 'Edit roles'),
    ('roles.delete', 'حذف الأدوار', 'Delete roles'),
    ('roles.*', 'كل ما يخص الأدوار', 'Everything about roles'),
    ('permissions.read', 'عرض الصلاحيات', 'See permissions'),
    ('permissions.assign', 'منح الصلاحيات', 'Assign permissions'),
    ('permissions.*', 'كل ما يخص الصلاحيات', 'Everything about permissions'),
    ('sessions.read', 'عرض الجلسات', 'See sessions'),
    ('sessions.revoke', 'إنهاء الجلسات', 'End sessions'),
    ('sessions.*', 'كل ما يخص الجلسات', 'Everything about sessions'),
    ('devices.read', 'عرض الأجهزة', 'See devices'),
    ('devices.revoke', 'إلغاء الأجهزة', 'Revoke devices'),
    ('devices.*', 'كل ما يخص الأجهزة', 'Everything about devices'),
    ('policies.read', 'عرض السياسات', 'See policies'),
    ('policies.create', 'إنشاء سياسات', 'Create policies'),
    ('policies.update', 'تعديل السياسات', 'Edit policies'),
    ('policies.delete', 'حذف السياسات', 'Delete policies'),
    ('policies.*', 'كل ما يخص السياسات', 'Everything about policies'),
    ('audit.read', 'قراءة سجل التدقيق', 'Read the audit log'),
    ('audit.export', 'تصدير سجل التدقيق', 'Export the audit log'),
    ('audit.*', 'كل ما يخص سجل التدقيق', 'Everything about the audit log'),
    ('impersonate.users', 'الدخول بهوية شخص آخر', 'Act as another person'),
    ('tenants.read', 'عرض المستأجرين', 'See tenants'),
    ('tenants.create', 'إنشاء مستأجرين', 'Create tenants'),
    ('tenants.update', 'تعديل المستأجرين', 'Edit tenants'),
    ('tenants.*', 'كل ما يخص المستأجرين', 'Everything about tenants'),
    ('oauth.clients.manage', 'إدارة تطبيقات OAuth', 'Manage OAuth clients'),
    ('signals.create', 'إنشاء إشارات تداول', 'Create trading signals'),
    ('settings.read', 'عرض الإعدادات', 'See settings'),
    ('settings.update', 'تعديل الإعدادات', 'Edit settings'),
    ('settings.*', 'كل ما يخص الإعدادات', 'Everything about settings'),
    ('workflows.read', 'عرض سير العمل', 'See workflows'),
    ('workflows.create', 'إنشاء سير عمل', 'Create workflows'),
    ('workflows.update', 'تعديل سير عمل', 'Edit workflows'),
    ('workflows.delete', 'حذف سير عمل', 'Delete workflows'),
    ('workflows.execute', 'تشغيل سير عمل', 'Run a workflow'),
    ('workflows.approve', 'اعتماد سير عمل', 'Approve a workflow'),
    ('workflows.*', 'كل ما يخص سير العمل', 'Everything about workflows'),
    ('agents.read', 'عرض الوكلاء', 'See agents'),
    ('agents.manage', 'إدارة الوكلاء', 'Manage agents'),
    ('agents.use', 'استخدام الوكلاء', 'Use agents'),
    ('agents.*', 'كل ما يخص الوكلاء', 'Everything about agents'),
    ('commands.read', 'عرض قوالب الأوامر', 'See command templates'),
    ('commands.manage', 'إدارة قوالب الأوامر', 'Manage command templates'),
    ('commands.*', 'كل ما يخص قوالب الأوامر', 'Everything about command templates'),
    ('results.read_own', 'عرض نتائجي', 'See own results'),
    ('results.read_all', 'عرض كل النتائج', 'See every result'),
    ('results.*', 'كل ما يخص النتائج', 'Everything about results'),
    ('tasks.create', 'إنشاء مهام', 'Create tasks'),
    ('api_keys.manage', 'إدارة مفاتيح API', 'Manage API keys'),
    ('ai_config.read', 'عرض إعدادات الذكاء الاصطناعي', 'See AI settings'),
    ('ai_config.update', 'تعديل إعدادات الذكاء الاصطناعي', 'Edit AI settings'),
    ('ai_config.*', 'كل ما يخص إعدادات الذكاء الاصطناعي', 'Everything about AI settings'),
    ('ai.ask', 'طرح الأسئلة على الذكاء الاصطناعي', 'Ask the AI questions'),
    ('notifications.read', 'عرض الإشعارات', 'See notifications'),
    ('platform_credentials.manage', 'إدارة مفاتيح المنصات', 'Manage platform credentials'),
    ('approvals.decide', 'البت في طلبات الاعتماد', 'Decide on approvals'),
    ('reports.read', 'عرض التقارير', 'See reports');

insert into roles (tenant_id, name, description, built_in) values (null, 'super-admin', 'All permissions', true);
insert into role_permissions (tenant_id, role_id, permission_id)
select null, r.id, p.id from roles r, permissions p where r.tenant_id is null and r.name = 'super-admin' and p.key = '*';

-- Called once for each tenant, with app.tenant set to it.
create function seed_roles(tenant uuid) returns void language plpgsql as $$
begin
    insert into roles (tenant_id, name, description, built_in) values
        (tenant, 'admin', 'Manage users, roles, settings (limited)', true),
        (tenant, 'support', 'Support staff', true),
        (tenant, 'readonly', 'Read-only access', true),
        (tenant, 'ceo', 'Chief Executive Officer', true),
        (tenant, 'cto', 'Chief Technology Officer', true),
        (tenant, 'developer', 'Software Developer', true),
        (tenant, 'legal', 'Legal Team', true),
        (tenant, 'trader', 'Creates trading signals', true),
        (tenant, 'standard-user', 'Own account, asks questions', true);
    insert into role_permissions (tenant_id, role_id, permission_id)
    select tenant, r.id, p.id
    from (values
        ('admin', array['users.read', 'users.create', 'users.update', 'users.reset_password', 'roles.read',
            'roles.create', 'roles.update', 'permissions.read', 'permissions.assign', 'sessions.read',
            'sessions.revoke', 'devices.read', 'devices.revoke', 'policies.read', 'policies.update', 'audit.read',
            'tenants.read', 'tenants.update', 'oauth.clients.manage', 'signals.create', 'settings.read',
            'settings.update', 'ai_config.read', 'ai_config.update']),
        ('support', array['users.read', 'users.reset_password', 'sessions.read', 'devices.read', 'audit.read']),
        ('readonly', array['users.read', 'roles.read', 'permissions.read', 'audit.read']),
        ('ceo', array['results.read_all', 'workflows.read', 'workflows.create', 'workflows.approve', 'agents.read',
            'reports.read']),
        ('cto', array['workflows.read', 'workflows.create', 'agents.read', 'agents.manage']),
        ('developer', array['results.read_own', 'tasks.create', 'agents.use']),
        ('legal', array['results.read_own', 'tasks.create', 'agents.use']),
        ('trader', array['signals.create']),
        ('standard-user', array['ai.ask', 'notifications.read'])
    ) as seed (role, keys)
    join roles r on r.tenant_id = tenant and r.name = seed.role
    join permissions p on p.tenant_id is null and p.key = any (seed.keys);
    insert into grant_versions (tenant_id) values (tenant);
end $$;
revoke execute on function seed_roles(uuid) from public;

do $$
declare
    first uuid := gen_random_uuid();
begin
    perform set_config('app.tenant', first::text, true);
    insert into tenants (id, name, plan) values (first, 'Default Tenant', 'pro');
    perform seed_roles(first);
end $$;

alter table tenants force row level security;
alter table permissions force row level security;
alter table roles force row level security;
alter table role_permissions force row level security;
alter table grant_versions force row level security;
