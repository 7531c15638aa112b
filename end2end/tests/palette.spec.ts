// The palette with the keyboard alone: it opens, finds, says what it found, and leads there.

import { DESKTOP, LANGS, PHONE, expect, open, roleBox, test, words, type Say } from "./support";
import type { Page } from "@playwright/test";

const ROLE = "مراجعو الحسابات";

const field = (page: Page, say: Say) => page.getByRole("combobox", { name: say("ui.palette_field") });
const options = (page: Page) => page.getByRole("option");

/** The option that Enter would take, as screen readers are told. */
async function active(page: Page, say: Say) {
    const id = await field(page, say).getAttribute("aria-activedescendant");
    const option = page.locator(`[id="${id}"]`);
    await expect(option).toHaveAttribute("aria-selected", "true");
    return option;
}

async function openPalette(page: Page, say: Say) {
    await page.keyboard.press("Control+k");
    await expect(field(page, say)).toBeFocused();
}

for (const lang of LANGS) {
    const say = words(lang);

    for (const size of [DESKTOP, PHONE]) {
        test(`a person is found whatever the spelling, and opened, ${lang}, ${size.width}`, async ({ visitor, admin, api }) => {
            const name = `أحمد الشهري ${lang} ${size.width}`;
            const { id } = await api.addPerson({ name, email: `ahmad.${lang}.${size.width}@example.com` });
            const page = await visitor({ lang, size, as: admin });
            await open(page, "/console");
            await openPalette(page, say);
            await page.keyboard.insertText(`احمد ${lang} ${size.width}`);
            const person = page.getByRole("group", { name: say("app.people") }).getByRole("option");
            await expect(person).toHaveCount(1);
            await expect(person).toContainText(name);
            await expect(await active(page, say)).toContainText(name);
            await page.keyboard.press("Enter");
            await expect(page).toHaveURL(`/console/people/${id}`);
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
            await expect(field(page, say)).toBeHidden();
            await expect(page.getByRole("main")).toBeFocused();
        });
    }

    test(`roles, permissions, pages and acts stand in groups, and their number is said, ${lang}`, async ({
        visitor,
        admin,
        api,
    }) => {
        await api.call("POST", "/admin/roles", { name: `${ROLE} ${lang}`, permissions: ["audit.read"] });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console");
        await openPalette(page, say);
        const group = (key: string) => page.getByRole("group", { name: say(key) }).getByRole("option");
        await expect(group("app.palette_pages").filter({ hasText: say("app.audit") })).toHaveCount(1);
        await expect(group("app.palette_acts").filter({ hasText: say("app.log_out") })).toHaveCount(1);

        await page.keyboard.insertText(`مراجعو الحسابات ${lang}`);
        await expect(group("app.roles")).toHaveText(new RegExp(`${ROLE} ${lang}`));
        await expect(group("app.palette_acts")).toHaveText(say("app.act_studio", { name: `${ROLE} ${lang}` }));
        await expect(page.getByRole("status").filter({ hasText: say("ui.palette_count", { count: 2 }) })).toHaveCount(1);

        await field(page, say).fill("audit.read");
        const permission = (await api.permissionNames(lang))("audit.read");
        await expect(group("app.palette_permissions").first()).toContainText(permission);
        await field(page, say).fill("zzzzzz");
        await expect(options(page)).toHaveCount(0);
        await expect(field(page, say)).toHaveAttribute("aria-expanded", "false");
        await expect(page.getByRole("status").filter({ hasText: say("ui.palette_count", { count: 0 }) })).toHaveCount(1);
    });

    test(`arrows go round, Escape gives the focus back, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console");
        const opener = page.getByRole("button", { name: say("app.search") });
        await opener.focus();
        await page.keyboard.press("Enter");
        await expect(field(page, say)).toBeFocused();
        const first = page.getByRole("group", { name: say("app.palette_pages") }).getByRole("option").first();
        await expect(first).toHaveAttribute("aria-selected", "true");
        await page.keyboard.press("ArrowUp");
        await expect(options(page).last()).toHaveAttribute("aria-selected", "true");
        await expect(options(page).last()).toBeInViewport();
        await expect(await active(page, say)).toContainText(say("app.log_out"));
        await page.keyboard.press("ArrowDown");
        await expect(first).toHaveAttribute("aria-selected", "true");
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog")).toBeHidden();
        await expect(opener).toBeFocused();
    });

    test(`what was chosen is offered again, in this tab, ${lang}`, async ({ visitor, admin, api }) => {
        const name = `منى ${lang} العمري`;
        await api.addPerson({ name, email: `mona.${lang}@example.com` });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console");
        await openPalette(page, say);
        await expect(page.getByRole("group", { name: say("app.palette_recent") })).toHaveCount(0);
        await page.keyboard.insertText(`مني ${lang}`);
        await expect(await activeOnce(page, say, name)).toContainText(name);
        await page.keyboard.press("Enter");
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
        await open(page, "/console/roles");
        await openPalette(page, say);
        const recent = page.getByRole("group", { name: say("app.palette_recent") }).getByRole("option");
        await expect(recent).toHaveText(new RegExp(name));
        await page.keyboard.press("Enter");
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    });

    test(`the theme and the language are switched, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/roles");
        await openPalette(page, say);
        await page.keyboard.insertText(say("app.act_theme_dark"));
        await expect(await active(page, say)).toContainText(say("app.act_theme_dark"));
        await page.keyboard.press("Enter");
        await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
        await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
        await expect(page).toHaveURL("/console/roles");
        await openPalette(page, say);
        await page.keyboard.insertText(say("app.act_language"));
        await expect(await active(page, say)).toContainText(say("app.act_language"));
        await page.keyboard.press("Enter");
        await expect(page.locator("html")).toHaveAttribute("lang", lang === "ar" ? "en" : "ar");
        await expect(page).toHaveURL("/console/roles");
    });

    test(`changes that are not saved are asked about before it leads away, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await api.addPerson({ name: "Ward", email: `ward.${lang}@example.com` });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people/${id}?tab=roles`);
        await (await roleBox(page, say, "trader")).check();
        let asked = "";
        page.once("dialog", (dialog) => {
            asked = dialog.message();
            return dialog.dismiss();
        });
        await openPalette(page, say);
        await page.keyboard.insertText(say("app.audit"));
        // Permissions of the same name are found as well.
        await page.getByRole("option", { name: say("app.audit"), exact: true }).click();
        expect(asked).toBe(say("ui.leave_unsaved"));
        await expect(field(page, say)).toBeVisible();
        await page.keyboard.press("Escape");
        await expect(page).toHaveURL(`/console/people/${id}?tab=roles`);
        await expect(page.getByRole("checkbox", { name: "trader" })).toBeChecked();
    });

    test(`the shortcuts are listed, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console");
        await page.keyboard.press("Control+/");
        const help = page.getByRole("dialog", { name: say("app.shortcuts") });
        await expect(help).toContainText(say("app.shortcut_palette"));
        await page.keyboard.press("Control+k");
        await expect(field(page, say)).toBeHidden();
        await page.keyboard.press("Escape");
        await expect(help).toBeHidden();
    });
}

/** The option that Enter would take, once it is the one that is waited for. */
async function activeOnce(page: Page, say: Say, name: string) {
    await expect(options(page).first()).toContainText(name);
    return active(page, say);
}

test("the shortcut is known by its place on an Arabic keyboard", async ({ visitor, admin }) => {
    const say = words("ar");
    const page = await visitor({ lang: "ar", as: admin });
    await open(page, "/console");
    await page.evaluate(() => {
        const init = { key: "ن", code: "KeyK", ctrlKey: true, bubbles: true, cancelable: true };
        document.body.dispatchEvent(new KeyboardEvent("keydown", init));
    });
    await expect(field(page, say)).toBeFocused();
});

test("nothing is asked for before the palette is opened, and the rest once", async ({ visitor, admin }) => {
    const say = words("en");
    const page = await visitor({ lang: "en", as: admin });
    const asked: string[] = [];
    page.on("request", (request) => {
        const path = new URL(request.url()).pathname;
        if (path.startsWith("/api/")) asked.push(path);
    });
    await open(page, "/console");
    expect(asked).toEqual([]);
    await openPalette(page, say);
    await field(page, say).fill("admin");
    await expect(page.getByRole("group", { name: say("app.roles") })).toBeVisible();
    await page.keyboard.press("Escape");
    await openPalette(page, say);
    await field(page, say).fill("admin");
    await expect(page.getByRole("group", { name: say("app.roles") })).toBeVisible();
    expect(asked.filter((path) => path === "/api/roles/all")).toHaveLength(1);
    expect(asked.filter((path) => path === "/api/permissions/list")).toHaveLength(1);
});

test("the answer to what was typed last is the one that is shown", async ({ visitor, admin, api }) => {
    const say = words("en");
    await api.addPerson({ name: "Farida Early", email: "farida@example.com" });
    await api.addPerson({ name: "Ghassan Late", email: "ghassan@example.com" });
    const page = await visitor({ lang: "en", as: admin });
    await open(page, "/console");
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let late: Promise<void> | undefined;
    await page.route("**/api/people/list", async (route) => {
        if (!route.request().postData()?.includes("Farida")) return route.continue();
        late = (async () => {
            const answer = await route.fetch();
            await held;
            await route.fulfill({ response: answer });
        })();
        await late;
    });
    await openPalette(page, say);
    const asked = page.waitForRequest((request) => request.postData()?.includes("Farida") ?? false);
    await field(page, say).fill("Farida");
    const first = await asked;
    await field(page, say).fill("Ghassan");
    const people = page.getByRole("group", { name: say("app.people") }).getByRole("option");
    await expect(people).toHaveText(/Ghassan Late/);
    letGo();
    await late;
    expect(await (await first.response())?.finished()).toBeNull();
    // The page has had its turn with the late answer.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await expect(people).toHaveText(/Ghassan Late/);
});

test("whoever may see nothing is offered nothing and asks for nothing", async ({ visitor, api, signedIn }) => {
    const say = words("en");
    const person = { name: "Lone", email: "lone@example.com", password: "nobody gives me anything" };
    await api.addPerson(person);
    const page = await visitor({ lang: "en", as: await signedIn(person) });
    const asked: string[] = [];
    page.on("request", (request) => {
        const path = new URL(request.url()).pathname;
        if (path.startsWith("/api/")) asked.push(path);
    });
    await open(page, "/console");
    await openPalette(page, say);
    await expect(page.getByRole("group", { name: say("app.palette_pages") }).getByRole("option")).toHaveText([
        say("app.home"),
        say("app.approvals"),
        say("app.developers"),
    ]);
    const acts = page.getByRole("group", { name: say("app.palette_acts") });
    await expect(acts.getByRole("option", { name: say("app.act_add_person") })).toHaveCount(0);
    await field(page, say).fill("a");
    await expect(page.getByRole("group", { name: say("app.palette_acts") })).toBeVisible();
    await expect(page.getByRole("group", { name: say("app.people") })).toHaveCount(0);
    expect(asked).toEqual([]);
});
