// The console as a place to work in: lists keep their state in the address, numbers lead to exactly what they count.

import { ADMIN, Api, DESKTOP, LANGS, PHONE, expect, goTo, isUsable, open, test, words, type Say } from "./support";
import type { Page } from "@playwright/test";

/** How many rows a list has, all its pages together. */
async function countRows(page: Page, say: Say): Promise<number> {
    const rows = page.locator("tbody > tr");
    const next = page.getByRole("link", { name: say("ui.next_page") });
    await expect(rows.first()).toBeVisible();
    let count = await rows.count();
    while (await next.isVisible()) {
        const address = page.url();
        await next.click();
        await expect(page).not.toHaveURL(address);
        await expect(page.getByRole("link", { name: say("ui.first_page") })).toBeVisible();
        await expect(next.or(rows.first()).first()).toBeVisible();
        count += await rows.count();
    }
    return count;
}

for (const lang of LANGS) {
    const say = words(lang);

    test(`columns sort, and the address keeps order, filter and place, ${lang}`, async ({ visitor, admin, api }) => {
        const tag = `sorted ${lang}`;
        for (const [name, department] of [["Badr", "Z"], ["Amal", "Y"], ["Ceyda", undefined]]) {
            await api.addPerson({ name: `${name} ${tag}`, email: `${name}.${lang}.sorted@example.com`, department });
        }
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people?q=${encodeURIComponent(tag)}`);
        const names = page.getByRole("rowheader").getByRole("link");
        const inOrder = (...order: string[]) => expect(names).toHaveText(order.map((name) => `${name} ${tag}`));
        const column = (key: string) => page.getByRole("columnheader", { name: say(key), exact: true });
        await inOrder("Amal", "Badr", "Ceyda");
        await expect(column("accounts.name")).toHaveAttribute("aria-sort", "ascending");

        await column("accounts.name").getByRole("link").click();
        await inOrder("Ceyda", "Badr", "Amal");
        await expect(column("accounts.name")).toHaveAttribute("aria-sort", "descending");
        await expect(page).toHaveURL(/sort=-name/);
        await expect(page).toHaveURL(/q=/);

        await column("accounts.department").getByRole("link").click();
        await inOrder("Amal", "Badr", "Ceyda");
        await column("accounts.department").getByRole("link").click();
        await inOrder("Ceyda", "Badr", "Amal");
        await expect(page).toHaveURL(/sort=-department/);
        await page.reload();
        await inOrder("Ceyda", "Badr", "Amal");
        await isUsable(page);
        await page.goBack();
        await inOrder("Amal", "Badr", "Ceyda");
        await expect(column("accounts.department")).toHaveAttribute("aria-sort", "ascending");

        // Looking for something else keeps the order.
        await page.getByLabel(say("accounts.search")).fill(`${tag} a`);
        await page.getByRole("button", { name: say("ui.filter") }).click();
        await expect(page).toHaveURL(/sort=department/);
    });

    test(`roles are searched, and found by what they give, ${lang}`, async ({ visitor, admin, api }) => {
        const name = `مدقّقو ${lang}`;
        await api.call("POST", "/admin/roles", { name, permissions: ["audit.*"] });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/roles");
        await page.getByLabel(say("roles.search_roles")).fill(`مدققو ${lang}`);
        await page.getByRole("button", { name: say("ui.filter") }).click();
        const found = page.getByRole("rowheader").getByRole("link");
        await expect(found).toHaveText(name);
        await expect(page).toHaveURL(/\?q=/);
        await page.reload();
        await expect(found).toHaveText(name);

        await open(page, "/console/roles?gives=audit.export&sort=name");
        await expect(page.getByRole("rowheader").filter({ hasText: name })).toHaveCount(1);
        await expect(page.getByRole("rowheader").filter({ hasText: "readonly" })).toHaveCount(0);
        await open(page, "/console/roles?q=readonly&gives=audit.export&sort=name");
        await expect(page.getByRole("rowheader")).toHaveCount(0);
        const chips = page.getByRole("list", { name: say("ui.filtered_by") });
        await expect(chips).toContainText("audit.export");
        await chips.getByRole("link").click();
        await expect(page).toHaveURL("/console/roles?q=readonly&sort=name");
        await expect(page.getByRole("rowheader").filter({ hasText: "readonly" })).toHaveCount(1);
    });

    test(`who saves too late is told who changed what, and loses nothing, ${lang}`, async ({ visitor, admin, api }) => {
        const person = await api.addPerson({ name: `Late ${lang}`, email: `late.${lang}@example.com` });
        const page = await visitor({ lang, as: admin, refusals: [409] });
        await open(page, `/console/people/${person.id}`);
        const department = page.getByLabel(say("accounts.department"), { exact: true });
        await department.fill("Half typed");
        await api.call("PATCH", `/admin/users/${person.id}`, { region: "North", username: `late_${lang}` });
        await page.getByRole("button", { name: say("accounts.save"), exact: true }).click();
        const alert = page.getByRole("alert").filter({ hasText: say("base.error_stale") });
        await expect(alert.getByRole("listitem")).toContainText(ADMIN.name);
        await expect(alert.getByRole("listitem")).toContainText(say("accounts.region"));
        await expect(alert.getByRole("listitem")).toContainText(say("accounts.username"));
        await expect(department).toHaveValue("Half typed");
        // What others have saved comes in, and what was typed stays: without leaving the page.
        await page.getByRole("button", { name: say("ui.renew"), exact: true }).click();
        await expect(page.getByLabel(say("accounts.region"), { exact: true })).toHaveValue("North");
        await expect(department).toHaveValue("Half typed");
        await expect(alert).toHaveCount(0);
        await page.getByRole("button", { name: say("accounts.save"), exact: true }).click();
        await expect(page.getByRole("status").getByText(say("accounts.saved"))).toBeVisible();
        const kept = await api.call("GET", `/admin/users/${person.id}`);
        expect([kept.department, kept.region, kept.username]).toEqual(["Half typed", "North", `late_${lang}`]);

        const role = await api.call("POST", "/admin/roles", { name: `Late ${lang}`, permissions: ["users.read"] });
        await open(page, `/console/roles/${role.id}`);
        await page.getByLabel(say("roles.description"), { exact: true }).fill("Half typed");
        await api.call("PATCH", `/admin/roles/${role.id}`, { permissions: ["users.read", "audit.read"] });
        await page.getByRole("button", { name: say("roles.review"), exact: true }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("button", { name: say("roles.save"), exact: true }).click();
        await expect(dialog.getByRole("alert").getByRole("listitem")).toContainText(ADMIN.name);
        await expect(dialog.getByRole("alert").getByRole("listitem")).toContainText(say("roles.permissions"));
        await dialog.getByRole("button", { name: say("roles.back"), exact: true }).click();
        await expect(page.getByLabel(say("roles.description"), { exact: true })).toHaveValue("Half typed");
        await page.getByRole("button", { name: say("roles.review"), exact: true }).click();
        await dialog.getByRole("button", { name: say("roles.save"), exact: true }).click();
        await dialog.getByRole("button", { name: say("roles.renew"), exact: true }).click();
        await expect(dialog).toBeHidden();
        await expect(page.getByRole("checkbox", { name: /audit\.read/ })).toBeChecked();
        await expect(page.getByLabel(say("roles.description"), { exact: true })).toHaveValue("Half typed");
        await page.getByRole("button", { name: say("roles.review"), exact: true }).click();
        await dialog.getByRole("button", { name: say("roles.save"), exact: true }).click();
        await expect(page.getByRole("status").getByText(say("roles.saved"))).toBeVisible();
        const saved = await api.call("GET", `/admin/roles/${role.id}`);
        expect([saved.description, saved.permissions]).toEqual(["Half typed", ["audit.read", "users.read"]]);
    });

    test(`a long list of roles comes in pages that keep search and order, ${lang}`, async ({ visitor, admin, api }) => {
        const tag = `paged${lang}`;
        const made: string[] = [];
        for (let at = 0; at < 52; at += 1) {
            made.push((await api.call("POST", "/admin/roles", { name: `${tag} ${String(at).padStart(2, "0")}` })).id);
        }
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/roles?q=${tag}&sort=-name`);
        const heads = page.getByRole("rowheader").getByRole("link");
        await expect(heads).toHaveCount(50);
        await expect(heads.first()).toHaveText(`${tag} 51`);
        await page.getByRole("link", { name: say("ui.next_page") }).click();
        await expect(heads).toHaveText([`${tag} 01`, `${tag} 00`]);
        await expect(page).toHaveURL(/q=paged.*sort=-name.*after=/);
        await page.reload();
        await expect(heads).toHaveText([`${tag} 01`, `${tag} 00`]);
        await page.getByRole("link", { name: say("ui.first_page") }).click();
        await expect(heads).toHaveCount(50);

        // What chooses from all roles has all of them, not a page.
        await open(page, "/console/roles/compare");
        await expect(page.getByLabel(say("roles.first_role"), { exact: true }).locator("option", { hasText: tag })).toHaveCount(52);
        // Other tests of this worker see what is usual.
        for (const id of made) await api.call("DELETE", `/admin/roles/${id}`);
    });

    for (const size of [DESKTOP, PHONE]) {
        test(`the page of a role tells who has it, ${lang}, ${size.width}`, async ({ visitor, admin, api }) => {
            const tag = `${lang} ${size.width}`;
            const { id } = await api.call("POST", "/admin/roles", { name: `حرّاس ${tag}`, permissions: ["users.read"] });
            const page = await visitor({ lang, size, as: admin });
            await open(page, `/console/roles/${id}?tab=people`);
            await expect(page.locator(".state")).toContainText(say("roles.nobody"));
            for (const name of ["هيا", "Omar"]) {
                await api.addPerson({ name: `${name} ${tag}`, email: `${name}.${tag}@example.com`.replace(/[^\w.@]/g, "x"), roles: [id] });
            }
            await open(page, `/console/roles?q=${encodeURIComponent(`حرّاس ${tag}`)}`);
            await page.getByRole("row").filter({ hasText: `حرّاس ${tag}` }).getByRole("link", { name: say("roles.people_count", { count: 2 }), exact: true }).click();
            await expect(page).toHaveURL(`/console/roles/${id}?tab=people`);
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(`حرّاس ${tag}`);
            const people = page.getByRole("rowheader").getByRole("link");
            await expect(people).toHaveText([`Omar ${tag}`, `هيا ${tag}`]);
            await expect(page.getByRole("row").last()).toContainText(say("roles.no_end"));
            await page.getByLabel(say("roles.search_people")).fill("هيا");
            await page.getByRole("button", { name: say("ui.filter") }).click();
            await expect(people).toHaveText([`هيا ${tag}`]);
            await page.reload();
            await expect(people).toHaveText([`هيا ${tag}`]);
            await people.click();
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(`هيا ${tag}`);
        });
    }

    test(`what needs attention leads to exactly those rows, ${lang}`, async ({ visitor, admin, api, server, signedIn }) => {
        const someone = { name: `Someone ${lang}`, email: `someone.${lang}@example.com`, password: "a password of many words" };
        const { id } = await api.addPerson({ ...someone, roles: [] });
        await api.addPerson({ name: `Waiting ${lang}`, email: `waiting.${lang}@example.com` });
        const out = await api.addPerson({ name: `Out ${lang}`, email: `out.${lang}@example.com`, password: "of no use any more" });
        await api.call("PATCH", `/admin/users/${out.id}/status`, { status: "suspended" });
        const soon = new Date(Date.now() + 3 * 86_400_000).toISOString();
        await api.call("PATCH", `/admin/users/${id}/permissions`, {
            allow: [{ key: "reports.read", expires_at: soon }],
            deny: [],
        });
        await expect(Api.signIn(server, { ...someone, password: "not this one" })).rejects.toThrow("401");
        const theirs = await visitor({ lang, as: await signedIn(someone), refusals: [403] });
        await open(theirs, "/console/people", 403);
        await open(theirs, "/console");
        await expect(theirs.getByRole("heading", { name: say("app.attention") })).toHaveCount(0);

        const page = await visitor({ lang, as: admin });
        await open(page, "/console");
        const tiles = page.getByRole("region", { name: say("app.attention") }).getByRole("link");
        const addresses = await tiles.evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
        // Requests of other tests may wait, too; they are no list of rows.
        const counted = addresses.filter((address) => address !== "/console/approvals").sort();
        expect(counted).toEqual([
            "/console/audit?action=auth.login_failed&last_hours=24",
            "/console/audit?outcome=denied&last_hours=24",
            "/console/people?ends_within=7",
            "/console/people?role=none",
            "/console/people?status=invited",
            "/console/people?status=suspended",
        ]);
        for (const address of counted) {
            await open(page, "/console");
            const tile = page.locator(`a[href="${address}"]`);
            const count = Number(await tile.locator(".figure").innerText());
            await tile.click();
            await expect(page).toHaveURL(address);
            expect(await countRows(page, say), address).toBe(count);
        }
        await open(page, "/console/people?ends_within=7");
        await expect(page.getByRole("row").filter({ hasText: someone.name })).toHaveCount(1);
    });

    test(`requests that wait are told at home, in the top line and on the phone's bar, ${lang}`, async ({
        visitor,
        api,
        signedIn,
    }) => {
        const asker = { name: `Asker ${lang}`, email: `asker.${lang}@example.com`, password: "a password of many words" };
        const decider = { name: `Decider ${lang}`, email: `decider.${lang}@example.com`, password: "many words of a password" };
        const wanted = await api.addPerson(asker);
        const boss = await api.addPerson({ ...decider, roles: [await api.roleId("super-admin")] });
        const rights = { overrides: { allow: [{ key: "*" }], deny: [] } };
        const asked = await api.call("POST", "/admin/approvals", { user_id: wanted.id, rights, reason: `Waits ${lang}` });
        try {
            const state = await signedIn(decider);
            const page = await visitor({ lang, as: state });
            await open(page, "/console");
            const tile = page.getByRole("region", { name: say("app.attention") }).locator('a[href="/console/approvals"]');
            const count = Number(await tile.locator(".figure").innerText());
            expect(count).toBeGreaterThan(0);
            const top = page.getByRole("banner").getByRole("link", { name: say("approvals.waiting_count", { count }) });
            await top.click();
            await expect(page).toHaveURL("/console/approvals");
            await expect(page.getByRole("main").getByRole("article")).toHaveCount(count);

            const phone = await visitor({ lang, as: state, size: PHONE });
            await open(phone, "/console");
            await expect(phone.getByRole("button", { name: new RegExp(`^${say("app.more")}`) })).toHaveAccessibleName(
                new RegExp(say("approvals.waiting_count", { count })),
            );
        } finally {
            await api.call("DELETE", `/auth/approvals/${asked.id}`);
            await api.call("DELETE", `/admin/users/${boss.id}`);
            await api.call("DELETE", `/admin/users/${wanted.id}`);
        }
    });

    test(`a quiet console says that nothing waits, ${lang}`, async ({ fresh, visitorAt }) => {
        const page = await visitorAt(fresh, { lang });
        await open(page, fresh.setupLink);
        await page.getByLabel(say("sessions.name"), { exact: true }).fill(ADMIN.name);
        await page.getByLabel(say("sessions.email"), { exact: true }).fill(ADMIN.email);
        await page.getByLabel(say("sessions.password"), { exact: true }).fill(ADMIN.password);
        await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(ADMIN.password);
        await page.getByRole("button", { name: say("sessions.setup_submit") }).click();
        await expect(page.getByText(say("app.attention_none"), { exact: true })).toBeVisible();
    });

    test(`the activity of a person is on their page, ${lang}`, async ({ visitor, admin, api }) => {
        const name = `Amina ${lang}`;
        const { id } = await api.addPerson({ name, email: `amina.${lang}@example.com` });
        await api.call("PATCH", `/admin/users/${id}`, { department: "HR" });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people/${id}`);
        const head = page.locator(".page-head");
        await expect(head).toContainText(`amina.${lang}@example.com`);
        await expect(head).toContainText("HR");
        await expect(head).toContainText(say("accounts.roles_count", { count: 1 }));
        await page.getByRole("link", { name: say("app.tab_activity") }).click();
        await expect(page).toHaveURL(`/console/people/${id}?tab=activity`);
        const rows = page.locator("tbody > tr");
        await expect(rows).toHaveCount(2);
        await expect(rows.first()).toContainText(say("audit.said_user_update", { thing: name }));
        await expect(rows.last()).toContainText(say("audit.said_user_create", { thing: name }));
    });

    test(`the menu is made narrow and stays so, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/roles");
        const side = page.getByRole("navigation", { name: say("app.menu") });
        const width = async () => (await side.boundingBox())?.width;
        expect(await width()).toBe(232);
        const kept = page.waitForResponse((response) => new URL(response.url()).pathname === "/preferences");
        await page.getByRole("button", { name: say("app.side_narrow") }).click();
        expect((await kept).status()).toBe(204);
        expect(await width()).toBe(64);
        await goTo(page, say, "app.people");
        await expect(page).toHaveURL("/console/people");
        expect(await width()).toBe(64);
        // The server draws it so: nothing jumps when the scripts arrive.
        const drawn = await (await page.request.get("/console")).text();
        expect(drawn).toContain('data-side="narrow"');

        const still = await visitor({ lang, scripts: false, as: await page.context().storageState() });
        await still.goto("/console/roles");
        await still.getByRole("button", { name: say("app.side_wide") }).click();
        await expect(still).toHaveURL("/console/roles");
        await expect(still.getByRole("button", { name: say("app.side_narrow") })).toBeVisible();
    });

    test(`on a phone the rest of the menu is in a sheet, with and without scripts, ${lang}`, async ({ visitor, admin }) => {
        for (const scripts of [true, false]) {
            const page = await visitor({ lang, size: PHONE, scripts, as: admin });
            await page.goto("/console");
            const menu = page.getByRole("navigation", { name: say("app.menu") });
            await expect(menu.getByRole("listitem").filter({ visible: true })).toHaveCount(5);
            await menu.getByRole("button", { name: say("app.more") }).click();
            const sheet = page.getByRole("dialog", { name: say("app.more") });
            await expect(sheet.getByRole("link")).toHaveText(
                ["groups", "permissions", "policies", "explain", "graph", "audit", "dashboard", "approvals", "api_keys", "consents", "tenants", "settings", "developers"].map((name) => say(`app.${name}`)),
            );
            await page.keyboard.press("Escape");
            await expect(sheet).toBeHidden();
            await menu.getByRole("button", { name: say("app.more") }).click();
            await sheet.getByRole("link", { name: say("app.audit") }).click();
            await expect(page).toHaveURL("/console/audit");
            await expect(sheet).toBeHidden();
        }
    });
}
