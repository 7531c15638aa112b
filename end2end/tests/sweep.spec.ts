// Every page in both languages, light and dark, on a phone and on a desk: nothing that axe objects to, nothing that
// sticks out, no text without a translation; and a picture of each for people to look at.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
    AXE,
    Api,
    COLOUR_RULES,
    DESKTOP,
    LANGS,
    OUT,
    PHONE,
    axe,
    expect,
    goOffline,
    mailedLink,
    mailedLinks,
    open,
    roleBox,
    test as base,
    texts,
    words,
    type Lang,
    type Person,
    type Say,
    type Server,
    type State,
} from "./support";
import type { Page } from "@playwright/test";

const LONG_NAME = "عبد الرحمن بن محمد بن عبد العزيز الشريف الحسني الهاشمي";
const LONG_EMAIL = "a-really-very-long-mailbox-name.with-parts@department-of-everything.example-corporation.example";
const ROLE = "المالية والحسابات";

/** Whose mailbox gets links that open something. */
const MAILED: Person = { name: "هدى السبيعي", email: "huda@example.com", password: "letters come every morning" };

/** Who gets another address. */
const MOVING: Person = { name: "Rami Haddad", email: "rami@example.com", password: "packs his boxes at night" };

/** People in every state, roles of every origin, overrides with bounds, and a log that tells of them. */
type World = {
    /** Has everything: roles, overrides with expiry and reason. */
    sara: string;
    suspended: string;
    /** Somebody who was deleted, and somebody who was erased as well. */
    gone: string;
    erased: string;
    role: string;
    /** A role that nobody has. */
    empty: string;
    builtIn: string;
    platform: string;
    welcome: string;
    /** A text that people may consent to, published. */
    consent: string;
    /** A group with roles, with one inside it, and with people. */
    group: string;
    /** A tenant beside the first. */
    tenant: string;
    /** A policy in force with a newer draft. */
    policy: string;
    powerless: State;
    /** Somebody whose account waits to be deleted. */
    leaving: State;
};

const test = base.extend<{}, { world: World }>({
    world: [
        async ({ api, server, signedIn }, use) => {
            const role = await api.call("POST", "/admin/roles", {
                name: ROLE,
                description: "من يراجع الحسابات ويقفل الشهر — see also Operations",
                permissions: ["users.read", "audit.*", "reports.read", "workflows.approve"],
            });
            const empty = await api.call("POST", "/admin/roles", { name: "Operations (night shift)", permissions: ["agents.*"] });
            const short = await api.call("POST", "/admin/roles", { name: "مؤقت", permissions: [] });
            await api.call("PATCH", `/admin/roles/${role.id}`, { permissions: ["users.read", "audit.*", "reports.read"] });
            await api.call("DELETE", `/admin/roles/${short.id}`);

            const sara = await api.addPerson({
                name: "سارة بنت خالد المطيري",
                email: "sara@example.com",
                username: "sara.m",
                password: "قهوة بالهيل كل صباح",
                department: "المالية",
                region: "الرياض",
                external_id: "HR-000417",
                attributes: { grade: 7, clearance: ["internal", "finance"] },
                roles: [role.id, await api.roleId("readonly")],
            });
            await api.call("PATCH", `/admin/users/${sara.id}/permissions`, {
                allow: [
                    { key: "signals.create", expires_at: "2099-01-01T09:30:00Z", reason: "Covering for Omar until the new year" },
                    { key: "roles.*" },
                    { key: "tasks.create", expires_at: new Date(Date.now() + 2 * 86_400_000).toISOString() },
                ],
                deny: [
                    { key: "audit.read", reason: "تضارب مصالح حتى نهاية المراجعة" },
                    { key: "roles.delete", expires_at: "2098-12-31T21:00:00Z" },
                ],
            });
            const invited = await api.addPerson({ name: "Omar O'Neil-Fitzgerald", email: LONG_EMAIL, locale: "en" });
            const suspended = await api.addPerson({ name: LONG_NAME, email: "abd@example.com", department: "Operations" });
            await api.call("PATCH", `/admin/users/${suspended.id}/status`, { status: "suspended" });
            await api.addPerson({ name: "بلا دور", email: "bare@example.com", password: "nothing at all was given", roles: [] });
            const gone = await api.addPerson({ name: "Gone Tomorrow", email: "gone@example.com" });
            await api.call("DELETE", `/admin/users/${gone.id}`);
            const erased = await api.addPerson({ name: "Nobody Any More", email: "nobody@example.com" });
            await api.call("DELETE", `/admin/users/${erased.id}`);
            await api.call("POST", `/admin/users/${erased.id}/erasure`);
            await api.call("PATCH", `/admin/users/${invited.id}`, { department: "Procurement", region: "Cairo" });

            const own = { name_ar: "قراءة الصفقات", name_en: "Read deals", description_ar: "لبرنامج المبيعات" };
            await api.call("POST", "/admin/permissions", { key: "crm.deals.read", ...own });
            await api.call("POST", "/admin/permissions", { key: "crm.*", ...own, name_en: "Everything about deals" });
            const heir = { name: "رئيس الحسابات", permissions: ["crm.*"], parents: [role.id, empty.id] };
            await api.call("POST", "/admin/roles", heir);
            const company = await api.call("POST", "/admin/groups", { name: "الشركة كلها", roles: [{ role: await api.roleId("developer") }] });
            const ends = { role: role.id, scope: { department: "المالية", region: "الرياض" }, expires_at: "2099-01-01T09:30:00Z" };
            const group = await api.call("POST", "/admin/groups", {
                name: "فريق الإقفال الشهري — Month-end closing",
                description: "من يقفل الشهر ويراجع ما بعده",
                roles: [ends, { role: await api.roleId("trader") }],
                parents: [company.id],
            });
            await api.call("POST", "/admin/groups", { name: "المناوبون", parents: [group.id] });
            await api.call("POST", `/admin/groups/${group.id}/members`, { user: sara.id, expires_at: "2098-01-01T09:30:00Z" });
            await api.call("POST", `/admin/groups/${group.id}/members`, { user: suspended.id });

            const rules = (level: number) => [
                {
                    effect: "allow",
                    condition: { and: [{ "user.grade": { gte: level } }, { "resource.department": { eq: { ref: "user.department" } } }] },
                },
            ];
            const draft = { description: "لا يقرأ التقارير إلا من بلغ الدرجة، وفي إدارته", mode: "require", actions: ["crm.deals.read", "crm.*"] };
            const policy = await api.call("POST", "/admin/policies", { name: "التقارير لأهلها", ...draft, rules: rules(5), active: true });
            await api.call("PATCH", `/admin/policies/${policy.id}`, { rules: rules(8) });

            const words = { title_ar: "رسائل الأخبار", title_en: "Newsletter", body_ar: "نراسلك كل شهر.\n\nولك أن تسحب إقرارك.", body_en: "We write once a month." };
            const tenant = await api.call("POST", "/admin/tenants", { name: "مؤسسة النخيل للتمور والتجارة — Palm dates trading" });
            const consent = await api.call("POST", "/admin/consents", { key: "newsletter", ...words });
            await api.call("POST", `/admin/consents/${consent.id}/publish`);
            await api.call("POST", `/auth/consents/${consent.id}`, { number: 1 });

            const person = { name: "Nada", email: "nada@example.com", password: "nobody gives me anything" };
            await api.addPerson(person);
            await api.call("POST", "/admin/api-keys", {
                name: "خادم الرواتب — payroll",
                scopes: ["users.read", "audit.*", "reports.read"],
                networks: ["192.0.2.0/24", "2001:db8::/32"],
            });
            await api.call("POST", "/admin/api-keys", { name: "Old", scopes: ["users.read"], networks: [] });
            const asker = await signedIn(person);
            const asking = await Api.signIn(server, person);
            const access = { permission: "reports.read", reason: "إعداد تقرير نهاية السنة للإدارة المالية", days: 30 };
            await asking.call("POST", "/auth/access-requests", access);
            for (const one of [MAILED, MOVING]) await api.addPerson(one);
            const leaver = { name: "يارا", email: "yara@example.com", password: "leaves in a fortnight or so" };
            await api.addPerson(leaver);
            const leaving = await signedIn(leaver);
            await (await Api.signIn(server, leaver)).call("POST", "/auth/deletion", { email: leaver.email });
            await use({
                sara: sara.id,
                suspended: suspended.id,
                gone: gone.id,
                erased: erased.id,
                role: role.id,
                empty: empty.id,
                builtIn: await api.roleId("admin"),
                platform: await api.roleId("super-admin"),
                welcome: invited.link,
                consent: consent.id,
                group: group.id,
                tenant: tenant.tenant.id,
                policy: policy.id,
                powerless: asker,
                leaving,
            });
        },
        { scope: "worker" },
    ],
});

/** What brings about a page that has to be arranged first. */
type Tools = { api: Api; server: Server };

const registration = ({ api }: Tools, mode: string) => api.call("PATCH", "/admin/settings", { registration: { mode } });

/** Has a letter written to somebody, and gives the link in it. */
async function linkTo({ server }: Tools, to: string, path: string, body: object): Promise<string> {
    const before = mailedLinks(server, to).length;
    const answer = await fetch(server.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
    });
    expect(answer.status, path).toBe(200);
    return mailedLink(server, to, before + 1);
}

/** A page, or a page in a state that only acting brings about. */
type Stop = {
    name: string;
    at: (world: World, tools: Tools) => string | Promise<string>;
    /** Who looks: the administrator, somebody without rights, somebody who leaves, or nobody who has signed in. */
    who: "admin" | "powerless" | "leaving" | "nobody";
    status?: number;
    /** What acting is refused with. */
    refusal?: number;
    act?: (page: Page, say: Say) => Promise<void>;
    /** What acting brings goes away by itself, so it is brought about for each theme. */
    passing?: true;
};

const STOPS: Stop[] = [
    { name: "login", who: "nobody", at: () => "/login" },
    {
        name: "login-refused",
        who: "nobody",
        at: () => "/login?next=%2Fconsole",
        refusal: 401,
        act: async (page, say) => {
            await page.getByLabel(say("sessions.email_or_username"), { exact: true }).fill("nobody@example.com");
            await page.getByLabel(say("sessions.password"), { exact: true }).fill("whatever");
            await page.getByRole("button", { name: say("sessions.sign_in"), exact: true }).click();
            await expect(page.getByRole("alert").getByText(say("base.error_wrong_credentials"))).toBeVisible();
        },
    },
    { name: "setup-spent", who: "nobody", at: () => "/setup?token=spent", status: 410 },
    { name: "welcome", who: "nobody", at: (world) => world.welcome },
    { name: "welcome-spent", who: "nobody", at: () => "/welcome?token=spent", status: 410 },
    { name: "forgot", who: "nobody", at: () => "/forgot" },
    { name: "forgot-sent", who: "nobody", at: () => "/forgot?sent=1" },
    { name: "reset-spent", who: "nobody", at: () => "/reset?token=spent", status: 410 },
    {
        name: "register-closed",
        who: "nobody",
        at: async (_world, tools) => {
            await registration(tools, "closed");
            return "/register";
        },
        status: 403,
    },
    {
        name: "register",
        who: "nobody",
        at: async (_world, tools) => {
            await registration(tools, "open");
            return "/register";
        },
    },
    {
        name: "confirm",
        who: "nobody",
        at: async (_world, tools) => {
            await registration(tools, "open");
            const person = { name: "ليلى الحربي", email: `layla.${Date.now()}@example.com`, password: "a password of many words" };
            return linkTo(tools, person.email, "/auth/register", person);
        },
    },
    {
        name: "reset",
        who: "nobody",
        at: (_world, tools) => linkTo(tools, MAILED.email, "/auth/request-reset", { email: MAILED.email }),
    },
    {
        name: "magic-link-open",
        who: "nobody",
        at: (_world, tools) => linkTo(tools, MAILED.email, "/auth/magic-link", { email: MAILED.email }),
    },
    {
        name: "email-confirm",
        who: "nobody",
        at: async (_world, { server }) => {
            const to = `moved.${Date.now()}@example.com`;
            await (await Api.signIn(server, MOVING)).call("POST", "/auth/email", { email: to });
            return mailedLink(server, to);
        },
    },
    { name: "register-sent", who: "nobody", at: () => "/register?sent=1" },
    { name: "confirm-spent", who: "nobody", at: () => "/confirm?token=spent", status: 410 },
    { name: "magic-link", who: "nobody", at: () => "/magic-link" },
    { name: "magic-link-spent", who: "nobody", at: () => "/magic-link?token=spent", status: 410 },
    { name: "login-mailed", who: "nobody", at: () => "/login/mailed" },
    { name: "settings", who: "admin", at: () => "/console/settings" },
    { name: "settings-refused", who: "powerless", at: () => "/console/settings", status: 403 },
    { name: "login-code", who: "nobody", at: () => "/login/code" },
    { name: "login-backup-code", who: "nobody", at: () => "/login/code?way=backup" },
    { name: "two-factor", who: "powerless", at: () => "/account/two-factor" },
    { name: "reauthenticate", who: "powerless", at: () => "/reauthenticate?next=%2Fconsole" },
    { name: "account", who: "admin", at: () => "/console/account" },
    { name: "account-display", who: "powerless", at: () => "/console/account?tab=display" },
    { name: "account-activity", who: "powerless", at: () => "/console/account?tab=activity" },
    { name: "account-data", who: "powerless", at: () => "/console/account?tab=data" },
    { name: "account-kept", who: "powerless", at: () => "/console/account?tab=data&kept=1" },
    { name: "account-waiting", who: "leaving", at: () => "/console/account?tab=data" },
    {
        name: "account-leave",
        who: "powerless",
        at: () => "/console/account?tab=data",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("accounts.leave"), exact: true }).click();
            await expect(page.getByRole("dialog", { name: say("accounts.leave_title") })).toBeVisible();
        },
    },
    { name: "passkeys", who: "powerless", at: () => "/account/passkeys" },
    { name: "login-passkey-refused", who: "nobody", at: () => "/login?passkey=wrong_passkey" },
    { name: "email", who: "powerless", at: () => "/account/email" },
    { name: "email-sent", who: "powerless", at: () => "/account/email?sent=1" },
    { name: "email-confirm-spent", who: "nobody", at: () => "/email/confirm?token=spent", status: 410 },
    { name: "email-confirm-waits", who: "nobody", at: () => "/email/confirm?done=waits" },
    { name: "email-leave-waits", who: "nobody", at: () => "/email/leave?done=waits" },
    { name: "email-leave-spent", who: "nobody", at: () => "/email/leave?token=spent", status: 410 },
    { name: "email-cancelled", who: "nobody", at: () => "/email/cancel?done=1" },
    { name: "password", who: "powerless", at: () => "/account/password" },
    { name: "person-sessions", who: "admin", at: (world) => `/console/people/${world.sara}?tab=sessions` },
    { name: "missing", who: "nobody", at: () => "/no/such/page", status: 404 },
    { name: "offline", who: "nobody", at: () => "/offline" },
    {
        name: "login-offline",
        who: "nobody",
        at: () => "/login",
        act: async (page, say) => {
            await goOffline(page);
            await expect(page.getByRole("status").getByText(say("offline.band"))).toBeVisible();
        },
    },
    { name: "developers", who: "nobody", at: () => "/developers" },
    {
        name: "developers-operation",
        who: "nobody",
        at: () => "/developers#users_add",
        act: (page, say) => expect(page.getByLabel(say("developers.body"), { exact: true })).toBeVisible(),
    },
    { name: "home", who: "admin", at: () => "/console" },
    {
        name: "home-theme-menu",
        who: "admin",
        at: () => "/console",
        act: (page, say) => page.getByRole("button", { name: say("ui.theme"), exact: true }).click(),
    },
    {
        name: "home-palette",
        who: "admin",
        at: () => "/console",
        act: async (page, say) => {
            await page.keyboard.press("Control+k");
            await page.getByRole("combobox", { name: say("ui.palette_field") }).fill("users");
            await expect(page.getByRole("group", { name: say("app.palette_permissions") })).toBeVisible();
        },
    },
    {
        name: "home-palette-before-typing",
        who: "admin",
        at: () => "/console",
        act: async (page, say) => {
            await page.keyboard.press("Control+k");
            await expect(page.getByRole("group", { name: say("app.palette_acts") })).toBeVisible();
        },
    },
    {
        name: "home-palette-nothing-found",
        who: "admin",
        at: () => "/console",
        act: async (page, say) => {
            await page.keyboard.press("Control+k");
            await page.getByRole("combobox", { name: say("ui.palette_field") }).fill("zzzz");
            await expect(page.locator(".palette-note")).toHaveText(say("ui.nothing_found"));
        },
    },
    {
        name: "home-shortcuts",
        who: "admin",
        at: () => "/console",
        act: async (page) => {
            await page.keyboard.press("Control+/");
            await expect(page.getByRole("dialog")).toBeVisible();
        },
    },
    {
        name: "home-more",
        who: "admin",
        at: () => "/console",
        act: async (page, say) => {
            await page.setViewportSize(PHONE);
            await page.getByRole("button", { name: new RegExp(`^${say("app.more")}`) }).click();
            await expect(page.getByRole("dialog", { name: say("app.more") })).toBeVisible();
        },
    },
    {
        name: "home-narrow-menu",
        who: "admin",
        at: () => "/console",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("app.side_narrow") }).click();
            await expect(page.getByRole("button", { name: say("app.side_wide") })).toBeVisible();
        },
    },
    { name: "design", who: "admin", at: () => "/console/design" },
    {
        name: "design-menu",
        who: "admin",
        at: () => "/console/design",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("design.menu") }).click();
            await expect(page.getByRole("menuitem", { name: say("design.act"), exact: true })).toBeFocused();
        },
    },
    {
        name: "design-confirm",
        who: "admin",
        at: () => "/console/design",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("design.confirm") }).click();
            await expect(page.getByRole("dialog", { name: say("design.confirm") })).toBeVisible();
        },
    },
    {
        name: "design-sheet",
        who: "admin",
        at: () => "/console/design",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("design.sheet"), exact: true }).click();
            await expect(page.getByRole("dialog", { name: say("design.sheet") })).toBeVisible();
        },
    },
    {
        name: "design-toasts",
        who: "admin",
        passing: true,
        at: () => "/console/design",
        act: async (page, say) => {
            for (const name of ["design.toast_done", "design.toast_offer", "design.toast_failed"]) {
                await page.getByRole("button", { name: say(name), exact: true }).click();
                await expect(page.getByRole("status").getByText(say(name))).toBeVisible();
            }
        },
    },
    { name: "people", who: "admin", at: () => "/console/people" },
    {
        name: "people-selected",
        who: "admin",
        at: () => "/console/people",
        act: async (page, say) => {
            await page.getByRole("checkbox", { name: say("ui.select_page") }).check();
            await expect(page.getByRole("region", { name: say("ui.selection"), exact: true })).toBeVisible();
        },
    },
    {
        name: "people-together",
        who: "admin",
        at: () => "/console/people",
        act: async (page, say) => {
            await page.getByRole("checkbox", { name: say("ui.select_page") }).check();
            await page.getByRole("button", { name: say("accounts.bulk_acts"), exact: true }).click();
            await page.getByRole("menuitem", { name: say("accounts.bulk_activate"), exact: true }).click();
            await expect(page.getByRole("dialog").getByRole("listitem").first()).toBeVisible();
        },
    },
    { name: "people-nothing-found", who: "admin", at: () => "/console/people?q=zzzz&status=suspended" },
    { name: "people-ending", who: "admin", at: () => "/console/people?ends_within=30" },
    { name: "people-without-role", who: "admin", at: () => "/console/people?role=none&sort=-last_login" },
    { name: "person-new", who: "admin", at: () => "/console/people/new" },
    {
        name: "person-new-refused",
        who: "admin",
        refusal: 422,
        at: () => "/console/people/new",
        act: async (page, say) => {
            await page.getByLabel(say("accounts.name"), { exact: true }).fill("Sara again");
            await page.getByLabel(say("accounts.email"), { exact: true }).fill("sara@example.com");
            await page.getByLabel(say("accounts.username"), { exact: true }).fill("with@sign");
            await page.getByRole("button", { name: say("accounts.add_submit") }).click();
            await expect(page.getByRole("alert")).toContainText(say("base.error_invalid"));
        },
    },
    { name: "person-details", who: "admin", at: (world) => `/console/people/${world.sara}` },
    { name: "person-suspended", who: "admin", at: (world) => `/console/people/${world.suspended}` },
    { name: "person-erased", who: "admin", at: (world) => `/console/people/${world.erased}` },
    {
        name: "person-erasure-dialog",
        who: "admin",
        at: (world) => `/console/people/${world.gone}`,
        act: async (page, say) => {
            await page.getByRole("button", { name: say("accounts.erase"), exact: true }).click();
            await expect(page.getByRole("dialog")).toBeVisible();
        },
    },
    {
        name: "person-dialog",
        who: "admin",
        at: (world) => `/console/people/${world.sara}`,
        act: async (page, say) => {
            await page.getByRole("button", { name: say("accounts.delete"), exact: true }).click();
            await expect(page.getByRole("dialog")).toBeVisible();
        },
    },
    { name: "person-roles", who: "admin", at: (world) => `/console/people/${world.sara}?tab=roles` },
    { name: "person-permissions", who: "admin", at: (world) => `/console/people/${world.sara}?tab=permissions` },
    {
        name: "person-review",
        who: "admin",
        at: (world) => `/console/people/${world.sara}?tab=roles`,
        act: async (page, say) => {
            await (await roleBox(page, say, "trader")).check();
            await (await roleBox(page, say, ROLE)).uncheck();
            const bar = page.getByRole("region", { name: say("roles.unsaved_region") });
            await bar.getByRole("button", { name: say("roles.review") }).click();
            await expect(page.getByRole("dialog")).toBeVisible();
        },
    },
    { name: "person-activity", who: "admin", at: (world) => `/console/people/${world.sara}?tab=activity` },
    { name: "person-missing", who: "admin", at: () => "/console/people/00000000-0000-4000-8000-000000000000", status: 404 },
    { name: "studio", who: "admin", at: () => "/console/studio" },
    { name: "studio-role", who: "admin", at: (world) => `/console/studio?role=${world.role}` },
    { name: "studio-roles", who: "admin", at: (world) => `/console/studio?person=${world.sara}&tab=roles` },
    {
        name: "studio-person",
        who: "admin",
        at: (world) => `/console/studio?person=${world.sara}`,
        act: async (page, say) => {
            await page.getByLabel(say("roles.search"), { exact: true }).fill("workflows");
            await page.locator('[data-drag="workflows.execute"]').click();
            await page.getByRole("button", { name: say("roles.give"), exact: true }).click();
            await page.locator('[data-drag="workflows.approve"]').click();
            await page.locator(".rows.rights .tri .deny input").nth(2).check();
            await expect(page.locator(".figures")).toBeVisible();
        },
    },
    {
        name: "studio-group",
        who: "admin",
        at: (world) => `/console/studio?group=${world.group}`,
        act: async (page, say) => {
            await page.locator("#catalogue-search").fill("readonly");
            await page.locator("[data-drag]").first().click();
            await page.getByRole("button", { name: say("roles.give"), exact: true }).click();
            await expect(page.locator(".figures")).toBeVisible();
        },
    },
    {
        name: "studio-many",
        who: "admin",
        at: (world) => `/console/studio?people=${world.sara},${world.suspended}`,
        act: async (page, say) => {
            await page.getByLabel(say("roles.search"), { exact: true }).fill("users.");
            await page.locator('[data-drag="users.*"]').click();
            await page.getByRole("button", { name: say("roles.give"), exact: true }).click();
            await expect(page.locator(".figures")).toBeVisible();
        },
    },
    {
        name: "studio-several",
        who: "admin",
        at: () => "/console/studio",
        act: async (page) => {
            const boxes = page.locator(".choice input[type=checkbox]");
            await boxes.nth(0).check();
            await boxes.nth(1).check();
        },
    },
    { name: "roles", who: "admin", at: () => "/console/roles" },
    { name: "roles-giving", who: "admin", at: () => "/console/roles?gives=audit.read&sort=-people" },
    { name: "roles-nothing-found", who: "admin", at: () => "/console/roles?q=zzzz" },
    { name: "role-new", who: "admin", at: () => "/console/roles/new" },
    { name: "role-own", who: "admin", at: (world) => `/console/roles/${world.role}` },
    { name: "role-built-in", who: "admin", at: (world) => `/console/roles/${world.builtIn}` },
    { name: "role-people", who: "admin", at: (world) => `/console/roles/${world.role}?tab=people` },
    { name: "role-people-nobody", who: "admin", at: (world) => `/console/roles/${world.empty}?tab=people` },
    { name: "role-platform", who: "admin", at: (world) => `/console/roles/${world.platform}` },
    { name: "role-copy", who: "admin", at: (world) => `/console/roles/new?from=${world.role}` },
    { name: "roles-compare", who: "admin", at: () => "/console/roles/compare" },
    { name: "roles-compared", who: "admin", at: (world) => `/console/roles/compare?a=${world.role}&b=${world.builtIn}` },
    { name: "permissions", who: "admin", at: () => "/console/permissions" },
    {
        name: "permissions-add",
        who: "admin",
        at: () => "/console/permissions",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("roles.add_key") }).click();
            await expect(page.getByRole("dialog")).toBeVisible();
        },
    },
    {
        name: "permissions-remove",
        who: "admin",
        at: () => "/console/permissions",
        act: async (page, say) => {
            await page.getByRole("button", { name: `${say("roles.remove_key")} crm.*` }).click();
            await expect(page.getByRole("dialog").getByText("رئيس الحسابات")).toBeVisible();
        },
    },
    { name: "groups", who: "admin", at: () => "/console/groups" },
    { name: "groups-nothing-found", who: "admin", at: () => "/console/groups?q=zzzz" },
    { name: "group-new", who: "admin", at: () => "/console/groups/new" },
    { name: "group", who: "admin", at: (world) => `/console/groups/${world.group}` },
    { name: "group-people", who: "admin", at: (world) => `/console/groups/${world.group}?tab=people` },
    {
        name: "group-take-in",
        who: "admin",
        at: (world) => `/console/groups/${world.group}?tab=people`,
        act: async (page, say) => {
            await page.getByRole("button", { name: say("groups.take_in") }).click();
            await expect(page.getByRole("dialog").getByRole("listitem").first()).toBeVisible();
        },
    },
    { name: "person-groups", who: "admin", at: (world) => `/console/people/${world.sara}?tab=groups` },
    { name: "tenants", who: "admin", at: () => "/console/tenants" },
    { name: "tenants-nothing-found", who: "admin", at: () => "/console/tenants?q=zzzz" },
    { name: "tenant-new", who: "admin", at: () => "/console/tenants/new" },
    { name: "tenant", who: "admin", at: (world) => `/console/tenants/${world.tenant}` },
    {
        name: "tenant-suspend",
        who: "admin",
        at: (world) => `/console/tenants/${world.tenant}`,
        act: async (page, say) => {
            await page.getByRole("button", { name: say("tenants.suspend") }).click();
            await expect(page.getByRole("dialog").getByText(say("tenants.suspend_about"))).toBeVisible();
        },
    },
    { name: "refused-tenants", who: "powerless", at: () => "/console/tenants", status: 403 },
    { name: "consents", who: "admin", at: () => "/console/consents" },
    { name: "consent-new", who: "admin", at: () => "/console/consents/new" },
    { name: "consent", who: "admin", at: (world) => `/console/consents/${world.consent}` },
    { name: "own-consents", who: "admin", at: () => "/account/consents" },
    { name: "refused-consents", who: "powerless", at: () => "/console/consents", status: 403 },
    { name: "policies", who: "admin", at: () => "/console/policies" },
    { name: "policies-nothing-found", who: "admin", at: () => "/console/policies?q=zzzz" },
    { name: "policy-new", who: "admin", at: () => "/console/policies/new" },
    { name: "policy-new-rego", who: "admin", at: () => "/console/policies/new?language=rego" },
    { name: "policy-new-opa", who: "admin", at: () => "/console/policies/new?language=opa" },
    { name: "policy", who: "admin", at: (world) => `/console/policies/${world.policy}` },
    {
        name: "policy-tried",
        who: "admin",
        at: (world) => `/console/policies/${world.policy}`,
        act: async (page, say) => {
            await page.getByLabel(say("policies.person_field"), { exact: true }).fill("sara@example.com");
            await page.getByRole("button", { name: say("policies.try_it"), exact: true }).click();
            await expect(page.getByRole("status").filter({ hasText: "rules[0]" })).toBeVisible();
        },
    },
    {
        name: "policy-designed",
        who: "admin",
        at: (world) => `/console/policies/${world.policy}`,
        act: async (page, say) => {
            await page.locator('[data-drag="new:or"]').click();
            await page.locator('[data-drag="new:user.roles"]').click();
            await page.locator("#value-0-2-0").fill("trader");
            await page.getByLabel(say("policies.person_field"), { exact: true }).fill("sara@example.com");
            await page.getByLabel(say("policies.person_field"), { exact: true }).blur();
            await expect(page.locator(".marks").getByText(say("policies.decides"), { exact: true })).toBeVisible();
        },
    },
    {
        name: "policy-activate",
        who: "admin",
        at: (world) => `/console/policies/${world.policy}`,
        act: async (page, say) => {
            const name = say("policies.act_on", { act: say("policies.activate_it"), number: 2 });
            await page.getByRole("button", { name, exact: true }).click();
            await expect(page.getByRole("dialog").getByRole("button", { name: say("policies.activate_it"), exact: true })).toBeEnabled();
        },
    },
    { name: "refused-policies", who: "powerless", at: () => "/console/policies", status: 403 },
    { name: "explain", who: "admin", at: () => "/console/explain" },
    { name: "explain-why", who: "admin", at: (world) => `/console/explain?user=${world.sara}&key=reports.read` },
    { name: "explain-why-not", who: "admin", at: (world) => `/console/explain?user=${world.sara}&key=audit.read` },
    { name: "explain-nobody", who: "admin", at: () => "/console/explain?user=nobody&key=users.read" },
    { name: "graph", who: "admin", at: () => "/console/graph" },
    { name: "graph-of-a-person", who: "admin", at: (world) => `/console/graph?focus=person:${world.sara}` },
    { name: "graph-of-a-permission", who: "admin", at: () => "/console/graph?focus=permission:users.read" },
    { name: "graph-nothing-found", who: "admin", at: () => "/console/graph?q=zzzz" },
    { name: "refused-graph", who: "powerless", at: () => "/console/graph", status: 403 },
    { name: "refused-groups", who: "powerless", at: () => "/console/groups", status: 403 },
    { name: "dashboard", who: "admin", at: () => "/console/dashboard" },
    {
        name: "dashboard-tables",
        who: "admin",
        at: () => "/console/dashboard?days=7",
        act: async (page, say) => {
            for (const table of await page.getByText(say("ui.chart_table"), { exact: true }).all()) await table.click();
            await expect(page.getByRole("table").last()).toBeVisible();
        },
    },
    { name: "dashboard-refused", who: "powerless", at: () => "/console/dashboard", status: 403 },
    { name: "audit", who: "admin", at: () => "/console/audit" },
    { name: "audit-nothing-found", who: "admin", at: () => "/console/audit?q=zzzz&outcome=failed" },
    { name: "audit-of-one", who: "admin", at: (world) => `/console/audit?about=${world.sara}&last_hours=24&resource_type=user` },
    {
        name: "audit-keeping",
        who: "admin",
        at: () => "/console/audit",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("audit.keep_edit"), exact: true }).click();
            await expect(page.getByRole("dialog", { name: say("audit.keep_title") })).toBeVisible();
        },
    },
    {
        name: "acting",
        who: "admin",
        at: (world) => `/console/people/${world.sara}`,
        act: async (page, say) => {
            await page.getByRole("button", { name: say("impersonation.act_as"), exact: true }).click();
            await page.getByRole("dialog").getByLabel(say("impersonation.reason"), { exact: true }).fill("مساعدة في تقرير");
            const act = page.getByRole("dialog").getByRole("button", { name: say("impersonation.act_as"), exact: true });
            await act.click();
            await expect(page.getByRole("region", { name: say("impersonation.band_label"), exact: true })).toBeVisible();
        },
    },
    {
        name: "acting-dialog",
        who: "admin",
        at: (world) => `/console/people/${world.sara}`,
        act: async (page, say) => {
            await page.getByRole("button", { name: say("impersonation.act_as"), exact: true }).click();
            await expect(page.getByRole("dialog").getByText(say("impersonation.both_written"))).toBeVisible();
        },
    },
    { name: "api-keys", who: "admin", at: () => "/console/api-keys" },
    {
        name: "api-keys-new",
        who: "admin",
        at: () => "/console/api-keys",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("api_keys.add"), exact: true }).click();
            await expect(page.getByRole("dialog", { name: say("api_keys.add") })).toBeVisible();
        },
    },
    { name: "approvals", who: "admin", at: () => "/console/approvals" },
    {
        name: "approvals-rules",
        who: "admin",
        at: () => "/console/approvals",
        act: async (page, say) => {
            await page.getByRole("button", { name: say("approvals.rules"), exact: true }).click();
            await expect(page.getByLabel(say("approvals.rules_required"), { exact: true })).toHaveValue("1");
        },
    },
    { name: "approvals-all", who: "admin", at: () => "/console/approvals?show=all" },
    { name: "approvals-own", who: "powerless", at: () => "/console/approvals" },
    { name: "approvals-new", who: "powerless", at: () => "/console/approvals/new?permission=users.read" },
    { name: "home-powerless", who: "powerless", at: () => "/console" },
    { name: "refused", who: "powerless", at: () => "/console/people", status: 403 },
    { name: "refused-audit", who: "powerless", at: () => "/console/audit", status: 403 },
];

/** Either theme comes first as often as the other: the first is drawn by the server, the second chosen in the page. */
const themes = (number: number) => (number % 2 === 0 ? (["light", "dark"] as const) : (["dark", "light"] as const));

for (const [row, lang] of LANGS.entries()) {
    const say = words(lang);
    for (const [number, stop] of STOPS.entries()) {
        test(`${stop.name}, ${lang}`, async ({ world, admin, visitor, api, server }) => {
            test.setTimeout(180_000);
            const order = themes(row + number);
            for (const visit of stop.passing ? order.map((theme) => [theme]) : [order]) {
                const as = { admin, powerless: world.powerless, leaving: world.leaving, nobody: undefined }[stop.who];
                const refusals = [stop.status, stop.refusal].filter((status) => status !== undefined);
                const page = await visitor({ lang, theme: visit[0], size: DESKTOP, as, refusals });
                await open(page, await stop.at(world, { api, server }), stop.status);
                await stop.act?.(page, say);
                await look(page, lang, visit, stop.name, stop.act === undefined);
                await page.close();
            }
        });
    }

    test(`setup, ${lang}`, async ({ fresh, visitorAt }) => {
        test.setTimeout(180_000);
        const order = themes(row);
        const page = await visitorAt(fresh, { lang, theme: order[0], size: DESKTOP });
        await open(page, fresh.setupLink);
        await look(page, lang, order, "setup", true);
    });
}

/**
 * Looks at the page as it is, in each of the themes, on a desk and on a phone, and keeps what a screen reader is told beside
 * the pictures. A picture is of the whole page or of the window.
 */
async function look(page: Page, lang: Lang, themes: readonly string[], name: string, fullPage: boolean) {
    await page.evaluate(AXE);
    const html = page.locator("html");
    await expect.soft(html).toHaveAttribute("data-theme", themes[0]);
    await expect.soft(html).toHaveAttribute("lang", lang);
    await expect.soft(html).toHaveAttribute("dir", lang === "ar" ? "rtl" : "ltr");
    expect.soft(await page.title(), name).toMatch(/\S · \S/);
    const tree = await page.locator("body").ariaSnapshot();
    await mkdir(join(OUT, "screenshots"), { recursive: true });
    await writeFile(join(OUT, "screenshots", `${name}-${lang}.txt`), `${await page.title()}\n\n${tree}\n`);
    for (const size of [DESKTOP, PHONE]) {
        await page.setViewportSize(size);
        for (const theme of themes) {
            const where = `${name}, ${lang}, ${theme}, ${size.width}`;
            await html.evaluate((html, theme) => html.setAttribute("data-theme", theme), theme);
            const { sticksOut, untranslated } = await page.evaluate(inspect, [...texts[lang].keys()]);
            expect.soft(sticksOut, `${where}: what sticks out`).toEqual([]);
            expect.soft(untranslated, `${where}: texts without a translation`).toEqual([]);
            // A theme changes nothing but colours.
            const rules = theme === themes[0] ? undefined : COLOUR_RULES;
            expect.soft(await page.evaluate(axe, rules), `${where}: what axe objects to`).toEqual([]);
            await page.screenshot({
                path: join(OUT, "screenshots", `${name}-${lang}-${theme}-${size.width}.png`),
                fullPage,
                animations: "disabled",
            });
        }
    }
}

/** Runs in the page: what is wider than the window, and texts that are keys or have unfilled places. */
function inspect(keys: string[]) {
    const root = document.documentElement;
    const wide = (element: Element) => {
        const { left, right } = element.getBoundingClientRect();
        return right > root.clientWidth + 1 || left < -1;
    };
    const path = (element: Element) => `${element.parentElement?.className ?? ""} > ${element.tagName}.${element.className}`;
    const overflows = root.scrollWidth > root.clientWidth;
    const sticksOut = overflows
        ? [`${root.scrollWidth} > ${root.clientWidth}`, ...[...document.body.querySelectorAll("*")].filter(wide).map(path).slice(0, 8)]
        : [];

    const known = new Set(keys);
    const untranslated: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        // Permission keys look like keys of texts, and stand in elements of their own.
        if (node.parentElement?.closest("script, style, noscript, .mono")) continue;
        // In options, which hold no elements, they stand between isolating characters.
        const text = (node.textContent ?? "").replace(/[\u2066-\u2068][^\u2069]*\u2069/g, "");
        if (text.includes("{{") || text.split(/[^\w.]+/).some((word) => known.has(word))) untranslated.push(text.trim());
    }
    return { sticksOut, untranslated };
}
