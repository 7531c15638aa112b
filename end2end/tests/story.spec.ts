// The story of a first day, on a server that nobody has used: from the printed link to rights that somebody else feels.

import {
    Api,
    DESKTOP,
    LANGS,
    PHONE,
    expect,
    goTo,
    isUsable,
    open,
    test,
    words,
    type Lang,
    type Person,
    type Say,
} from "./support";
import type { Locator, Page } from "@playwright/test";

const CAST: Record<Lang, { admin: Person; person: Person; role: string; about: string; reason: string }> = {
    ar: {
        admin: { name: "نورة العتيبي", email: "noura@example.com", password: "ليل هادئ فوق الرياض" },
        person: { name: "سارة بنت خالد المطيري", email: "sara@example.com", password: "قهوة بالهيل كل صباح" },
        role: "المالية",
        about: "من يراجع الحسابات",
        reason: "في إجازة",
    },
    en: {
        admin: { name: "Nora Adams", email: "nora@example.com", password: "a quiet night over Riyadh" },
        person: { name: "Sara O'Neil", email: "sara@example.com", password: "coffee with cardamom daily" },
        role: "Finance",
        about: "Those who look after the books",
        reason: "On leave",
    },
};

/** Said after saving, to the letter. */
const RIGHTS_SAVED: Record<Lang, string> = {
    ar: "تم تحديث صلاحيات المستخدم بنجاح.",
    en: "The user's permissions were updated successfully.",
};

for (const lang of LANGS) {
    for (const size of [PHONE, DESKTOP]) {
        test(`from the printed link to rights that are felt, ${lang}, ${size.width}`, async ({ fresh, visitorAt }) => {
            test.setTimeout(180_000);
            const say = words(lang);
            const { admin, person, role, about, reason } = CAST[lang];
            const page = await visitorAt(fresh, { lang, size, refusals: [410] });

            await test.step("the first administrator", () => becomeAdministrator(page, say, fresh.setupLink, admin));
            await test.step("a role with a permission", () => createRole(page, say, role, about, "users.read"));
            await test.step("the role gets another permission", () => givePermission(page, say, "roles.read"));
            const link = await test.step("a person", () => addPerson(page, say, person));

            const theirs = await visitorAt(fresh, { lang, size, refusals: [403] });
            await test.step("the person chooses a password", () => choosePassword(theirs, say, link, person));
            await test.step("and may see nobody yet", () => isRefused(theirs, say, "/console/people", "users.read"));

            const permissions = await (await Api.signIn(fresh, admin)).permissionNames(lang);
            await test.step("the role is assigned, a permission denied", async () => {
                await page.getByRole("link", { name: say("accounts.open_person") }).click();
                await expect(page.getByRole("heading", { level: 1, name: person.name })).toBeVisible();
                await openTab(page, say, "app.tab_roles");
                await page.getByRole("checkbox", { name: role }).check();
                await openTab(page, say, "app.tab_permissions");
                await deny(page, say, permissions("roles.read"));
                const dialog = await review(page, say, 2);
                await expect(dialog.getByRole("heading")).toHaveText(say("roles.review_rights", { name: person.name }));
                await expect(changesIn(dialog).filter({ hasText: role })).toContainText(say("roles.role_added"));
                await expect(changesIn(dialog).filter({ hasText: "roles.read" })).toContainText(say("ui.denied"));
                await save(page, say, lang);
            });

            await test.step("the page says why", async () => {
                const allowed = await rightOf(page, say, permissions("users.read"));
                await expect(allowed).toContainText(say("roles.held"));
                await expect(allowed).toContainText(say("roles.inherits_from", { roles: role }));
                const denied = await rightOf(page, say, permissions("roles.read"));
                await expect(denied).toContainText(say("roles.refused"));
                await denied.getByRole("button", { name: say("roles.why_about", { name: permissions("roles.read") }) }).click();
                const detail = page.getByRole("dialog", { name: permissions("roles.read") });
                const why = detail.getByRole("listitem");
                await expect(why.filter({ hasText: say("roles.because_denied", { through: "roles.read" }) })).toBeVisible();
                const given = say("roles.because_role", { role, through: "roles.read" });
                await expect(why.filter({ hasText: given })).toBeVisible();
                await detail.getByRole("button", { name: say("roles.done") }).click();
            });

            await test.step("the person feels it at the next page, without signing in again", async () => {
                await open(theirs, "/console");
                await goTo(theirs, say, "app.people");
                await expect(theirs.getByRole("row").filter({ hasText: admin.email })).toBeVisible();
                await isRefused(theirs, say, "/console/roles", "roles.read");
            });

            await test.step("what the role gives is denied as well, with a reason", async () => {
                await deny(page, say, permissions("users.read"), reason);
                const dialog = await review(page, say, 1);
                await expect(changesIn(dialog)).toContainText(say("roles.stated_reason", { reason }));
                await save(page, say, lang);
                await isRefused(theirs, say, "/console/people", "users.read");
            });

            await test.step("the audit log tells the story", async () => {
                await goTo(page, say, "app.audit");
                await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("audit.audit_log"));
                const rows = page.getByRole("row");
                const roles = rows.filter({ hasText: say("audit.said_assign_roles", { thing: person.name }) });
                await expect(roles).toHaveCount(1);
                await expect(roles).toContainText(admin.name);
                await expect(roles).toContainText(`${say("audit.field_roles")}: ${role}`);
                const grants = rows.filter({ hasText: say("audit.said_grant_permission", { thing: person.name }) });
                await expect(grants).toHaveCount(2);
                // The newest is first.
                await expect(grants.nth(1).getByRole("listitem").filter({ hasText: "roles.read" })).toContainText(
                    say("audit.field_deny"),
                );
                await expect(grants.nth(0).getByRole("listitem").filter({ hasText: "users.read" })).toContainText(reason);
                const created = rows.filter({ hasText: say("audit.said_role_create", { thing: role }) });
                await expect(created).toContainText("users.read");
                await expect(rows.filter({ hasText: say("audit.said_user_create", { thing: person.name }) })).toBeVisible();
                const refused = rows.filter({ hasText: say("audit.said_access_denied", { thing: "roles.read" }) });
                await expect(refused).toContainText(person.name);
                await expect(refused).toContainText(say("audit.outcome_denied"));
            });
        });
    }
}

async function becomeAdministrator(page: Page, say: Say, link: string, { name, email, password }: Person) {
    await open(page, link);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("sessions.setup_title"));
    await page.getByLabel(say("sessions.name"), { exact: true }).fill(name);
    await page.getByLabel(say("sessions.email"), { exact: true }).fill(email);
    await page.getByLabel(say("sessions.password"), { exact: true }).fill(password);
    await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(password);
    await page.getByRole("button", { name: say("sessions.setup_submit") }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name }));
    await expect(page).toHaveURL("/console");

    await open(page, link, 410);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("sessions.setup_spent_title"));
    await open(page, "/console");
}

async function createRole(page: Page, say: Say, name: string, about: string, permission: string) {
    await goTo(page, say, "app.roles");
    await page.getByRole("link", { name: say("roles.create") }).click();
    await page.getByLabel(say("roles.name"), { exact: true }).fill(name);
    await page.getByLabel(say("roles.description"), { exact: true }).fill(about);
    await page.getByLabel(say("roles.search")).fill(permission);
    await page.getByRole("checkbox", { name: permission }).check();
    await page.getByRole("button", { name: say("roles.review") }).click();
    const dialog = page.getByRole("dialog", { name: say("roles.review_title") });
    await expect(dialog).toContainText(name);
    await expect(dialog.getByRole("listitem").filter({ hasText: permission })).toContainText(say("roles.added"));
    await dialog.getByRole("button", { name: say("roles.create") }).click();
    await expect(page.getByRole("status").getByText(say("roles.created"))).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
}

async function givePermission(page: Page, say: Say, permission: string) {
    await page.getByRole("checkbox", { name: permission }).check();
    await page.getByRole("button", { name: say("roles.review") }).click();
    const dialog = page.getByRole("dialog", { name: say("roles.review_title") });
    await expect(dialog.getByRole("listitem")).toHaveCount(1);
    await expect(dialog.getByRole("listitem")).toContainText(permission);
    await dialog.getByRole("button", { name: say("roles.save") }).click();
    await expect(page.getByRole("status").getByText(say("roles.saved"))).toBeVisible();
    await expect(dialog).toBeHidden();
    await expect(page.getByRole("checkbox", { name: permission })).toBeChecked();
}

/** Adds a person and reads the link from the page, as an administrator would. */
async function addPerson(page: Page, say: Say, { name, email }: Person): Promise<string> {
    await goTo(page, say, "app.people");
    await page.getByRole("link", { name: say("accounts.add") }).click();
    await page.getByLabel(say("accounts.name"), { exact: true }).fill(name);
    await page.getByLabel(say("accounts.email"), { exact: true }).fill(email);
    await page.getByRole("button", { name: say("accounts.add_submit") }).click();
    await expect(page.getByRole("heading", { name: say("accounts.added") })).toBeVisible();
    await expect(page.getByText(say("accounts.link_once"), { exact: true })).toBeVisible();
    return page.getByTestId("one-time-link").innerText();
}

async function choosePassword(page: Page, say: Say, link: string, { name, email, password }: Person) {
    await open(page, link);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("sessions.welcome_title", { name }));
    await expect(page.getByText(email)).toBeVisible();
    await page.getByLabel(say("sessions.password"), { exact: true }).fill(password);
    await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(password);
    await page.getByRole("button", { name: say("sessions.welcome_submit") }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name }));
    await expect(page.getByRole("navigation", { name: say("app.menu") }).getByText(say("app.people"))).toHaveCount(0);
}

async function isRefused(page: Page, say: Say, path: string, permission: string) {
    await open(page, path, 403);
    await expect(page.getByText(say("ui.refused"), { exact: true })).toBeVisible();
    await expect(page.getByText(permission, { exact: true })).toBeVisible();
}

async function openTab(page: Page, say: Say, tab: string) {
    const link = page.getByRole("navigation", { name: say("app.tabs") }).getByRole("link", { name: say(tab) });
    await link.click();
    await expect(link).toHaveAttribute("aria-current", "page");
}

/** The line of one permission on a person's page: searched for, since only what is in sight is drawn. */
async function rightOf(page: Page, say: Say, permission: string) {
    await page.getByLabel(say("roles.search"), { exact: true }).fill(permission);
    return page.locator(".right").filter({ has: page.getByRole("group", { name: permission, exact: true }) });
}

async function deny(page: Page, say: Say, permission: string, reason?: string) {
    const right = await rightOf(page, say, permission);
    await right.getByRole("radio", { name: say("ui.denied"), exact: true }).check();
    if (!reason) return;
    await right.getByRole("button", { name: say("roles.why_about", { name: permission }) }).click();
    const detail = page.getByRole("dialog", { name: permission });
    await detail.getByLabel(say("roles.reason_label")).fill(reason);
    await detail.getByRole("button", { name: say("roles.done") }).click();
    await expect(detail).toBeHidden();
}

/** The changes that a review lists, apart from what they do. */
const changesIn = (dialog: Locator): Locator => dialog.locator(".changes").getByRole("listitem");

/** Opens the review of what is staged. */
async function review(page: Page, say: Say, changes: number) {
    const bar = page.getByRole("region", { name: say("roles.unsaved_region") });
    await expect(bar).toContainText(say("roles.unsaved", { count: changes }));
    await bar.getByRole("button", { name: say("roles.review") }).click();
    const dialog = page.getByRole("dialog");
    await expect(changesIn(dialog)).toHaveCount(changes);
    return dialog;
}

async function save(page: Page, say: Say, lang: Lang) {
    await page.getByRole("dialog").getByRole("button", { name: say("roles.save") }).click();
    await expect(page.getByRole("status").getByText(RIGHTS_SAVED[lang], { exact: true }).last()).toBeVisible();
    await expect(page.getByRole("dialog")).toBeHidden();
    await expect(page.getByRole("region", { name: say("roles.unsaved_region") })).toBeHidden();
    await isUsable(page);
}
