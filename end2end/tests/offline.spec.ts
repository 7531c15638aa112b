// Without a network (H4): nothing that was typed is lost, nothing is sent into the void, and a page says what is the
// matter.

import { ADMIN, DESKTOP, LANGS, PHONE, expect, goOffline, isUsable, open, shellIsKept, test, words, type Lang, type Say } from "./support";
import type { Page } from "@playwright/test";

const band = (page: Page, say: Say, key = "offline.band") => page.getByRole("status").getByText(say(key));

/** Goes to a page and waits until the worker that keeps the shell is there for the next one. */
async function openAndKeep(page: Page, address: string) {
    await open(page, address);
    await shellIsKept(page);
}

/** Forms of the console that write down what is typed: where they are, what is filled in, and the button. */
const WRITTEN_DOWN = [
    { list: "/console/groups", fields: { "groups.name": "مناوبة الليل", "groups.description": "from nine to five" }, submit: "groups.create" },
    { list: "/console/policies", fields: { "policies.name": "Half a rule", "policies.actions": "orders.read", "policies.rules": '[{"effect": "deny"' }, submit: "policies.save_draft" },
    { list: "/console/consents", fields: { "consents.key": "half", "consents.title_ar": "نصف نص", "consents.title_en": "Half a text" }, submit: "consents.save" },
];

for (const lang of LANGS) {
    const say = words(lang);
    const size = lang === "ar" ? PHONE : DESKTOP;

    test(`a form of the console keeps what was typed and goes through afterwards, ${lang}`, async ({ admin, visitor }) => {
        const page = await visitor({ lang, size, as: admin, losses: true });
        await open(page, "/console/people/new");
        const name = page.getByLabel(say("accounts.name"), { exact: true });
        const email = page.getByLabel(say("accounts.email"), { exact: true });
        const add = page.getByRole("button", { name: say("accounts.add_submit") });
        await name.fill("سارة");
        await email.fill(`offline-${lang}@example.com`);

        await goOffline(page);
        await expect(band(page, say)).toBeVisible();
        const asked: string[] = [];
        page.on("request", (request) => asked.push(request.url()));
        await add.click();
        await expect(page.getByRole("alert")).toContainText(say("base.error_not_sent"));
        await expect(name).toHaveValue("سارة");
        await expect(email).toHaveValue(`offline-${lang}@example.com`);
        expect(asked, "nothing was even tried").toEqual([]);

        await page.context().setOffline(false);
        await expect(band(page, say)).toHaveCount(0);
        await add.click();
        await expect(page.getByRole("link", { name: say("accounts.open_person") })).toBeVisible();
    });

    for (const { list, fields, submit } of WRITTEN_DOWN) {
        test(`what was typed at ${list} outlives the network and a reload, and is left on purpose only, ${lang}`, async ({ admin, visitor }) => {
            const page = await visitor({ lang, size, as: admin, losses: true });
            const field = (key: string) => page.getByLabel(say(key), { exact: true });
            const isThere = async () => {
                for (const [key, text] of Object.entries(fields)) await expect(field(key)).toHaveValue(text);
            };
            let leaves = false;
            let asked = 0;
            page.on("dialog", (dialog) => {
                if (dialog.type() === "beforeunload") return dialog.accept();
                asked += 1;
                return leaves ? dialog.accept() : dialog.dismiss();
            });
            await open(page, `${list}/new`);
            for (const [key, text] of Object.entries(fields)) await field(key).fill(text);
            await goOffline(page);
            await expect(band(page, say)).toBeVisible();
            await page.getByRole("button", { name: say(submit), exact: true }).click();
            await expect(page.getByRole("alert").filter({ hasText: /\S/ }).first()).toBeVisible();
            await isThere();

            await page.context().setOffline(false);
            await page.reload();
            await expect(page.getByRole("status").getByText(say("ui.draft_restored"), { exact: true })).toBeVisible();
            await isThere();

            const cancel = page.getByRole("link", { name: say("ui.cancel"), exact: true });
            await cancel.click();
            await expect.poll(() => asked).toBe(1);
            await expect(page).toHaveURL(`${list}/new`);
            await isThere();
            leaves = true;
            await cancel.click();
            await expect(page).toHaveURL(list);

            // Given up is given up.
            await open(page, `${list}/new`);
            await expect(field(Object.keys(fields)[0]!)).toHaveValue("");
            await expect(page.getByText(say("ui.draft_restored"))).toHaveCount(0);
        });
    }

    test(`what was typed about a group goes over what others have saved, and is gone once it is saved, ${lang}`, async ({ admin, visitor, api }) => {
        const group = await api.call("POST", "/admin/groups", { name: `Written ${lang}` });
        const page = await visitor({ lang, size, as: admin, losses: true });
        const name = page.getByLabel(say("groups.name"), { exact: true });
        const description = page.getByLabel(say("groups.description"), { exact: true });
        const trader = page.getByRole("checkbox", { name: "trader" });
        await open(page, `/console/groups/${group.id}`);
        await description.fill("Half typed");
        await trader.check();
        await api.call("PATCH", `/admin/groups/${group.id}`, { name: `Renamed ${lang}` });
        await page.reload();
        await expect(page.getByRole("status").getByText(say("ui.draft_restored_over"))).toBeVisible();
        await expect(name).toHaveValue(`Renamed ${lang}`);
        await expect(description).toHaveValue("Half typed");
        await expect(trader).toBeChecked();
        await page.getByRole("button", { name: say("groups.save"), exact: true }).click();
        await expect(page.getByText(say("groups.saved"), { exact: true })).toBeVisible();
        const saved = await api.call("GET", `/admin/groups/${group.id}`);
        expect([saved.name, saved.description, saved.roles.length]).toEqual([`Renamed ${lang}`, "Half typed", 1]);
        await open(page, `/console/groups/${group.id}`);
        await expect(description).toHaveValue("Half typed");
        await expect(page.getByText(say("ui.draft_restored"))).toHaveCount(0);
    });

    test(`signing in waits for the network with all that was typed, ${lang}`, async ({ visitor }) => {
        const page = await visitor({ lang, size, losses: true });
        await open(page, "/login?next=%2Fconsole%2Froles");
        const email = page.getByLabel(say("sessions.email_or_username"), { exact: true });
        const password = page.getByLabel(say("sessions.password"), { exact: true });
        const enter = page.getByRole("button", { name: say("sessions.sign_in"), exact: true });
        await email.fill(ADMIN.email);
        await password.fill(ADMIN.password);

        await goOffline(page);
        await expect(band(page, say)).toBeVisible();
        await enter.click();
        await expect(page.getByRole("alert").getByText(say("base.error_not_sent"))).toBeVisible();
        await expect(page).toHaveURL("/login?next=%2Fconsole%2Froles");
        await expect(email).toHaveValue(ADMIN.email);
        await expect(password).toHaveValue(ADMIN.password);

        await page.context().setOffline(false);
        await expect(band(page, say)).toHaveCount(0);
        await enter.click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("roles.roles"));
    });

    test(`the first administrator's form waits for the network, ${lang}`, async ({ fresh, visitorAt }) => {
        const page = await visitorAt(fresh, { lang, size, losses: true });
        await open(page, fresh.setupLink);
        const fields: [string, string][] = [
            ["sessions.name", ADMIN.name],
            ["sessions.email", ADMIN.email],
            ["sessions.password", ADMIN.password],
            ["sessions.password_again", ADMIN.password],
        ];
        const field = (key: string) => page.getByLabel(say(key), { exact: true });
        for (const [key, text] of fields) await field(key).fill(text);
        const submit = page.getByRole("button", { name: say("sessions.setup_submit") });

        await goOffline(page);
        await submit.click();
        await expect(page.getByRole("alert")).toContainText(say("base.error_not_sent"));
        for (const [key, text] of fields) await expect(field(key)).toHaveValue(text);

        await page.context().setOffline(false);
        await submit.click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: ADMIN.name }));
    });

    test(`a switch that the browser would post is kept back and says so, ${lang}`, async ({ visitor }) => {
        const page = await visitor({ lang, size, losses: true });
        await open(page, "/login");
        const email = page.getByLabel(say("sessions.email_or_username"), { exact: true });
        await email.fill("half typed");
        await goOffline(page);
        await expect(band(page, say)).toBeVisible();
        await page.getByRole("button", { name: say("ui.other_language") }).click();
        await expect(band(page, say, "offline.held_back")).toBeVisible();
        await expect(email).toHaveValue("half typed");
        await page.context().setOffline(false);
        await page.getByRole("button", { name: say("ui.other_language") }).click();
        await expect(page.locator("html")).toHaveAttribute("lang", lang === "ar" ? "en" : "ar");
    });

    test(`a server that does not answer is told in words, ${lang}`, async ({ admin, visitor }) => {
        const page = await visitor({ lang, size, as: admin, losses: true });
        await open(page, "/console/people/new");
        const name = page.getByLabel(say("accounts.name"), { exact: true });
        await name.fill("Lost");
        await page.getByLabel(say("accounts.email"), { exact: true }).fill(`lost-${lang}@example.com`);
        await page.route("**/api/people/add", (route) => route.abort());
        const add = page.getByRole("button", { name: say("accounts.add_submit") });
        await add.click();
        await expect(page.getByRole("alert")).toContainText(say("base.error_no_answer"));
        await expect(name).toHaveValue("Lost");
        await page.unroute("**/api/people/add");
        await add.click();
        await expect(page.getByRole("link", { name: say("accounts.open_person") })).toBeVisible();
    });

    for (const theme of ["light", "dark"] as const) {
        test(`without a network a page says so, ${lang}, ${theme}`, async ({ admin, server, visitor }) => {
            const page = await visitor({ lang, size, theme, as: admin, losses: true });
            // What was chosen counts, and not what the browser accepts.
            const chosen = lang === "ar" ? "en" : "ar";
            await page.context().addCookies([{ name: "bawwab_locale", value: chosen, url: server.url }]);
            await open(page, "/console");
            await goOffline(page);
            await page.goto("/console/people");
            await expect(page).toHaveURL("/console/people");
            await isOffline(page, chosen, theme);

            await page.getByRole("button", { name: words(chosen)("ui.other_language") }).click();
            await isOffline(page, lang, theme);
            await page.getByRole("link", { name: say("ui.retry") }).click();
            await isOffline(page, chosen, theme);

            await page.context().setOffline(false);
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(words(chosen)("accounts.people"));
            await isUsable(page);
        });
    }
}

async function isOffline(page: Page, lang: Lang, theme: string) {
    const say = words(lang);
    const html = page.locator("html");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("offline.title"));
    await expect(page.getByText(say("offline.no_network"))).toBeVisible();
    await expect(page.getByText(say("offline.nothing_sent"))).toBeVisible();
    await expect(html).toHaveAttribute("lang", lang);
    await expect(html).toHaveAttribute("dir", lang === "ar" ? "rtl" : "ltr");
    await expect(html).toHaveAttribute("data-theme", theme);
    // Styles and type come along.
    await expect(page.locator("body")).toHaveCSS("color", theme === "dark" ? "rgb(231, 236, 234)" : "rgb(26, 32, 30)");
    expect(await page.evaluate(() => document.fonts.ready.then((fonts) => fonts.check("16px Cairo")))).toBe(true);
}

test("a device keeps the shell and nothing of a person", async ({ admin, visitor }) => {
    const page = await visitor({ lang: "en", as: admin });
    await openAndKeep(page, "/console");
    for (const path of ["/console/people", "/console/audit", "/console"]) await open(page, path);
    const { names, paths, texts } = await page.evaluate(async () => {
        const names = await caches.keys();
        const cache = await caches.open(names[0] ?? "");
        const kept = await cache.keys();
        const pages = await cache.matchAll("/offline");
        return {
            names,
            paths: kept.map((request) => new URL(request.url).pathname),
            texts: await Promise.all(pages.map((page) => page.text())),
        };
    });
    expect(names).toHaveLength(1);
    const shell = /^\/(offline|favicon\.svg|fonts\/[\w-]+\.woff2|icons\/[\w-]+\.png|pkg\/(bawwab|__wasm_split|split_console)\.[\w-]{22}\.(css|js|wasm))$/;
    expect(paths.filter((path) => !shell.test(path))).toEqual([]);
    for (const kept of [/^\/offline$/, /\.css$/, /bawwab\..*\.js$/, /__wasm_split\..*\.js$/, /bawwab\..*\.wasm$/, /split_console\./, /\.woff2$/]) {
        expect(paths.some((path) => kept.test(path)), String(kept)).toBe(true);
    }
    expect(texts.join()).not.toContain(ADMIN.email);
    expect(texts.join()).not.toContain(ADMIN.name);
});

test("a console whose part of the app does not arrive is there to be read, and works once it arrives", async ({ admin, visitor }) => {
    const say = words("ar");
    const page = await visitor({ lang: "ar", as: admin, losses: true });
    await page.route("**/pkg/split_console.*", (route) => route.abort());
    const lost = page.waitForEvent("requestfailed", (request) => request.url().includes("/pkg/split_console."));
    await page.goto("/console/people");
    await lost;
    await expect(page.getByRole("rowheader").first()).toBeVisible();
    await expect(page.locator("html")).not.toHaveAttribute("data-hydrated");
    await page.getByRole("navigation", { name: say("app.menu") }).getByRole("link", { name: say("app.roles"), exact: true }).click();
    await expect(page).toHaveURL("/console/roles");
    await page.unroute("**/pkg/split_console.*");
    await open(page, "/console/roles");
});

test("a newer worker takes over without touching an open form, and tidies up", async ({ visitor }) => {
    const say = words("en");
    const page = await visitor({ lang: "en" });
    await openAndKeep(page, "/login");
    await open(page, "/login");
    expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL ?? "")).toMatch(/\/sw\.js$/);
    const email = page.getByLabel(say("sessions.email_or_username"), { exact: true });
    await email.fill("half typed");
    await page.evaluate(async () => {
        await caches.open("bawwab-of-an-older-build");
        await caches.open("somebody-elses");
        // Another script at the same place, as after an update of the server.
        const taken = new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
        await navigator.serviceWorker.register("/sw.js?newer");
        await taken;
    });
    const names = () => page.evaluate(() => caches.keys());
    await expect.poll(names).not.toContain("bawwab-of-an-older-build");
    expect(await names()).toHaveLength(2);
    expect(await names()).toContain("somebody-elses");
    await expect(email).toHaveValue("half typed");
});
