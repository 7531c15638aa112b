// The REST API for people who program (H7): it can be read by anybody, found through, copied from and tried.

import { ADMIN, DESKTOP, LANGS, PHONE, expect, open, test, texts, words, type Server } from "./support";
import type { Page } from "@playwright/test";

const operation = (page: Page, id: string) => page.locator(`[data-operation="${id}"]`);

/** Opens an operation by its address and waits for its form. */
async function openOperation(page: Page, id: string) {
    await open(page, `/developers#${id}`);
    await expect(operation(page, id).locator("form")).toBeVisible();
    return operation(page, id);
}

async function operationsOf(server: Server): Promise<string[]> {
    const { paths } = await (await fetch(`${server.url}/openapi.json`)).json();
    const all = Object.values<Record<string, { operationId: string }>>(paths).flatMap((item) => Object.values(item));
    return all.map(({ operationId }) => operationId).sort();
}

for (const lang of LANGS) {
    const say = words(lang);

    test(`the whole API can be read without signing in and without scripts, ${lang}`, async ({ visitor, server }) => {
        const page = await visitor({ lang, scripts: false, size: lang === "ar" ? PHONE : DESKTOP });
        await page.goto("/developers");
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("developers.title"));
        await expect(page.getByRole("heading", { name: say("developers.guide_errors") })).toBeVisible();
        const ids = await page.locator("[data-operation]").evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.operation));
        expect([...ids].sort()).toEqual(await operationsOf(server));

        const add = operation(page, "users_add");
        await add.locator("summary").click();
        await expect(add).toContainText(say("developers.op_users_add"));
        await expect(add).toContainText("/admin/users");
        await expect(add.locator(".docs-needs")).toContainText("users.create");
        await expect(add.locator(".docs-needs")).toContainText("permissions.assign");
        await expect(add.locator("[data-in='header']").first()).toContainText("Idempotency-Key");
        await expect(add.locator("[data-example]")).toContainText('"email": "sara@example.com"');
        await expect(add.locator("[data-call]")).toContainText(`curl -X POST '${server.url}/admin/users'`);
        await expect(operation(page, "auth_login").locator(".docs-needs")).toContainText(say("developers.public"));
    });

    test(`operations are found by name, path and permission, ${lang}`, async ({ visitor }) => {
        const page = await visitor({ lang, size: PHONE });
        await open(page, "/developers");
        const search = page.getByRole("searchbox", { name: say("developers.find") });
        const shown = page.locator("[data-operation]:visible");
        await search.fill(lang === "ar" ? "انشاء دور من" : "role from A template");
        await expect(shown).toHaveCount(1);
        await expect(shown.filter({ hasText: say("developers.op_roles_create_from_template") })).toBeVisible();
        await expect(page.getByRole("status").filter({ hasText: say("developers.found", { number: 1 }) })).toBeVisible();
        await search.fill("audit.read");
        await expect(shown.filter({ hasText: "audit.read" }).first()).toBeVisible();
        await expect(shown.filter({ hasNotText: "audit.read" })).toHaveCount(0);
        await search.fill("delete /admin/roles");
        await expect(shown).toHaveCount(1);
        await search.fill("zzzz");
        await expect(shown).toHaveCount(0);
        await expect(page.getByText(say("developers.nothing_found"))).toBeVisible();
        await search.fill("");
        expect(await shown.count()).toBeGreaterThan(20);
    });

    test(`an operation has an address, and its call can be copied, ${lang}`, async ({ visitor, server }) => {
        const page = await visitor({ lang, permissions: ["clipboard-read", "clipboard-write"] });
        await open(page, "/developers");
        const login = operation(page, "auth_login");
        const written = await login.locator("[data-call] pre").first().textContent();
        const contents = page.getByRole("navigation", { name: say("developers.contents") });
        await contents.getByRole("link", { name: say("developers.op_auth_login") }).click();
        await expect(page).toHaveURL("/developers#auth_login");
        await expect(login.locator("form")).toBeVisible();
        const calls = login.locator("[data-call] pre");
        await expect(calls.first(), "the script writes what the server has written").toHaveText(written ?? "");
        await login.getByRole("button", { name: say("developers.copy") }).first().click();
        await expect(login.getByRole("button", { name: say("developers.copied") })).toBeVisible();
        expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(written);
        await expect(calls.nth(1)).toContainText(`await fetch("${server.url}/auth/login", {`);

        // Another one that is opened takes the address over.
        await operation(page, "roles_list").locator("summary").click();
        await expect(page).toHaveURL("/developers#roles_list");
        // What is typed is in the call, the token is not.
        await page.locator("#token").fill("secret");
        const edit = operation(page, "users_edit");
        await edit.locator("summary").click();
        await edit.getByLabel("id", { exact: true }).fill("a b");
        await edit.getByLabel("If-Match", { exact: true }).fill('"7"');
        const call = edit.locator("[data-call] pre").first();
        await expect(call).toContainText(`curl -X PATCH '${server.url}/admin/users/a%20b'`);
        await expect(call).toContainText(`-H 'if-match: "7"'`);
        await expect(call).toContainText("Bearer $ACCESS_TOKEN");
        await expect(edit).not.toContainText("secret");

        // A body that is a file.
        const logo = operation(page, "settings_put_logo");
        const uploads = logo.locator("[data-call] pre");
        const upload = await uploads.first().textContent();
        await logo.locator("summary").click();
        await expect(uploads.first()).toHaveText(upload ?? "");
        await expect(uploads.first()).toContainText("--data-binary '@logo.png'");
        const file = { name: "a b.webp", mimeType: "image/webp", buffer: Buffer.from("RIFF") };
        await logo.getByLabel(say("developers.body"), { exact: true }).setInputFiles(file);
        await expect(uploads.first()).toContainText("-H 'content-type: image/webp'");
        await expect(uploads.first()).toContainText("--data-binary '@a b.webp'");
        await expect(uploads.nth(1)).toContainText("body: file,");
    });

    test(`a call is tried with the browser's session, ${lang}`, async ({ admin, visitor, api }) => {
        const page = await visitor({ lang, as: admin });
        const me = await openOperation(page, "auth_me");
        await me.getByRole("button", { name: say("developers.send") }).click();
        await expect(me.getByRole("status")).toContainText(/^200 .* ms · \d+ B$/);
        const answer = me.getByRole("region", { name: say("developers.answer") });
        await expect(answer).toContainText(`"email": "${ADMIN.email}"`);
        await me.getByText(say("developers.headers"), { exact: true }).click();
        await expect(me.locator("[data-headers]")).toContainText("content-type: application/json");

        const create = operation(page, "roles_create");
        const role = `tried-${lang}`;
        await create.locator("summary").click();
        await create.getByLabel(say("developers.body"), { exact: true }).fill(JSON.stringify({ name: role, permissions: [] }));
        const send = create.getByRole("button", { name: say("developers.send") });
        const question = page.getByRole("dialog", { name: say("developers.ask_title") });
        await send.click();
        await expect(question).toContainText("POST /admin/roles");
        await question.getByRole("button", { name: say("ui.cancel") }).click();
        await expect(question).toBeHidden();
        const names = async () => (await api.all<{ name: string }>("/admin/roles")).map(({ name }) => name);
        expect(await names()).not.toContain(role);

        await send.click();
        await question.getByRole("button", { name: say("developers.send") }).click();
        await expect(create.getByRole("status")).toContainText(/^201 /);
        expect(await names()).toContain(role);
    });

    test(`a call is refused in the reader's words to whoever is not signed in, ${lang}`, async ({ visitor }) => {
        const page = await visitor({ lang, size: PHONE, refusals: [401] });
        const me = await openOperation(page, "auth_me");
        await me.getByRole("button", { name: say("developers.send") }).click();
        await expect(me.getByRole("status")).toContainText(/^401 /);
        await expect(me.getByRole("region", { name: say("developers.answer") })).toContainText(texts[lang].get("base.error_signed_out") ?? "?");
    });
}

test("a program's token counts before the browser's session", async ({ admin, visitor, server }) => {
    const say = words("en");
    const page = await visitor({ lang: "en", as: admin, refusals: [401] });
    const login = await openOperation(page, "auth_login");
    const body = JSON.stringify({ email: ADMIN.email, password: ADMIN.password });
    const tokens = await (
        await fetch(`${server.url}/auth/login`, { method: "POST", headers: { "content-type": "application/json" }, body })
    ).json();
    await expect(login).toBeVisible();
    const me = operation(page, "auth_me");
    await me.locator("summary").click();
    const send = me.getByRole("button", { name: say("developers.send") });
    await page.getByLabel(say("developers.token"), { exact: true }).fill("no token of ours");
    await send.click();
    await expect(me.getByRole("status")).toContainText(/^401 /);
    await page.getByLabel(say("developers.token"), { exact: true }).fill(tokens.access_token);
    await send.click();
    await expect(me.getByRole("status")).toContainText(/^200 /);
});

test("what is needed and missing is asked for before anything is sent", async ({ visitor }) => {
    const say = words("en");
    const page = await visitor({ lang: "en", size: DESKTOP });
    const one = await openOperation(page, "users_get");
    await one.getByRole("button", { name: say("developers.send") }).click();
    await expect(one.getByRole("status")).toHaveText(say("developers.missing"));
    await expect(one.getByLabel("id", { exact: true })).toBeFocused();
});

test("the switches keep the page", async ({ visitor }) => {
    const page = await visitor({ lang: "ar", size: DESKTOP });
    await open(page, "/developers");
    await page.getByRole("button", { name: words("ar")("ui.other_language") }).click();
    await expect(page).toHaveURL("/developers");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(words("en")("developers.title"));
});
