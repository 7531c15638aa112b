// Arabic first: words are found however they are spelt, numbers and dates are written as the reader wants them, and names
// of both directions stand in sentences without disturbing them.

import { join } from "node:path";
import { DESKTOP, LANGS, OUT, PHONE, expect, open, roleBox, test, words, type Lang } from "./support";
import type { Locator, Page } from "@playwright/test";

const say = words("ar");

/** What the switches write, with the digits of Arabic. */
const inArabicDigits = (text: string) => text.replace(/[0-9]/g, (digit) => String.fromCharCode(Number(digit) + 0x660));

/** Presses a switch of the menu of appearance; the server answers with the same page. */
async function choose(page: Page, label: string, choice: string) {
    await page.getByRole("button", { name: label, exact: true }).click();
    const menu = page.getByRole("group", { name: label, exact: true });
    await menu.getByRole("button", { name: choice, exact: true }).click();
    await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
}

/** The words of a button without the marks that isolate them. */
const bare = (key: string) => say(key).replace(/[\u2066-\u2069]/g, "");

test("people, permissions and acts are found however they are spelt", async ({ api, admin, visitor }) => {
    const name = "أحمَد بن مُوسى";
    await api.addPerson({ name, email: "musa@example.com", department: "إدارة التقنية" });
    const page = await visitor({ lang: "ar", as: admin });
    await open(page, "/console/people");
    for (const typed of ["احمد", "موسي احمد", "اداره أحمد"]) {
        await page.getByLabel(say("accounts.search")).fill(typed);
        await page.getByRole("button", { name: say("ui.filter") }).click();
        await expect(page).toHaveURL((url) => url.searchParams.get("q") === typed);
        await expect(page.getByRole("rowheader")).toHaveCount(1);
        await expect(page.getByRole("rowheader")).toContainText(name);
    }
    await open(page, "/console/audit");
    await page.getByLabel(say("audit.search")).fill("موسى احمد");
    await page.getByRole("button", { name: say("ui.filter") }).click();
    await expect(page.getByRole("row").filter({ hasText: say("audit.said_user_create", { thing: name }) })).toHaveCount(1);

    const names = await api.permissionNames("ar");
    await open(page, "/console/roles/new");
    await page.getByLabel(say("roles.search")).fill("اشخاص عرض");
    await expect(page.getByRole("checkbox", { name: names("users.read") })).toBeVisible();
    await expect(page.getByRole("checkbox", { name: names("users.delete") })).toBeHidden();
});

test("one switch writes every number of an Arabic page in Arabic-Indic digits", async ({ api, admin, visitor }) => {
    const email = "team7.2026@example.com";
    const { id } = await api.addPerson({ name: "فريق 7", email });
    const page = await visitor({ lang: "ar", as: admin });
    const html = page.locator("html");
    const hint = page.getByText(say("accounts.password_hint"), { exact: true });
    await open(page, "/console/people/new");
    await expect(hint).toBeVisible();

    await choose(page, say("ui.theme"), bare("ui.digits_arabic"));
    await expect(html).toHaveAttribute("data-digits", "arabic");
    await expect(page).toHaveURL("/console/people/new");
    await expect(page.getByText(inArabicDigits(say("accounts.password_hint")), { exact: true })).toBeVisible();
    await expect(hint).toHaveCount(0);

    // What only the browser writes has them too; names, addresses, keys and ids stay as they are.
    await open(page, `/console/people/${id}?tab=roles`);
    for (const role of ["trader", "support", "legal"]) await (await roleBox(page, say, role)).check();
    const bar = page.getByRole("region", { name: say("roles.unsaved_region") });
    await expect(bar).toContainText(inArabicDigits(say("roles.unsaved", { count: 3 })));
    await bar.getByRole("button", { name: say("roles.discard") }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("فريق 7");
    await page.getByRole("link", { name: say("app.tab_details") }).click();
    await expect(page.locator(".page-head")).toContainText(email);
    await expect(page.locator(".facts")).toContainText(id);
    const made = page.locator(".facts time").last();
    await expect(made).toHaveAttribute("datetime", /^\d{4}-\d\d-\d\dT/);
    await expect(made).toHaveAttribute("title", /^[٠-٩]{1,2} \S+ [٠-٩]{4}، [٠-٩]{2}:[٠-٩]{2} \u2068UTC\u2069$/);

    await page.getByRole("button", { name: say("ui.other_language") }).click();
    await expect(html).toHaveAttribute("lang", "en");
    await expect(html).not.toHaveAttribute("data-digits");
    await page.getByRole("button", { name: words("en")("ui.other_language") }).click();
    await expect(html).toHaveAttribute("data-digits", "arabic");
    await choose(page, say("ui.theme"), bare("ui.digits_latin"));
    await expect(html).not.toHaveAttribute("data-digits");
});

for (const lang of LANGS) {
    test(`dates have the Hijri day beside them on request, ${lang}`, async ({ api, admin, visitor }) => {
        const say = words(lang);
        const { id } = await api.addPerson({ name: "Rana", email: `rana.${lang}@example.com` });
        const page = await visitor({ lang, as: admin, zone: "Asia/Riyadh" });
        await open(page, `/console/people/${id}`);
        const made = page.locator(".facts time").last();
        await expect(made).toHaveAttribute("title", /UTC\+3/);
        await expect(made).not.toHaveAttribute("title", /\(/);
        await choose(page, say("ui.theme"), say("ui.calendar_hijri"));
        await expect(made).toHaveAttribute("title", /UTC\+3/);
        const { hijri, clock } = await made.evaluate((element) => {
            const moment = new Date(element.getAttribute("datetime") ?? "");
            const of = (calendar: string, options: Intl.DateTimeFormatOptions) =>
                Object.fromEntries(
                    new Intl.DateTimeFormat(`en-u-ca-${calendar}-nu-latn`, options)
                        .formatToParts(moment)
                        .map(({ type, value }) => [type, value]),
                );
            return {
                hijri: of("islamic-umalqura", { year: "numeric", month: "numeric", day: "numeric" }),
                clock: of("gregory", { hour: "2-digit", minute: "2-digit", hour12: false }),
            };
        });
        const date = say("base.hijri_date", {
            day: hijri.day,
            month: say(`base.hijri_month_${hijri.month}`),
            year: hijri.year,
        });
        const title = (await made.getAttribute("title")) ?? "";
        expect(title).toContain(`(${date})`);
        expect(title).toContain(`${clock.hour}:${clock.minute} \u2068UTC+3\u2069`);
        await choose(page, say("ui.theme"), say("ui.calendar_gregorian"));
        await expect(made).not.toHaveAttribute("title", /\(/);
    });

    test(`a moment is said from now, and in full for who asks, ${lang}`, async ({ api, admin, visitor }) => {
        const say = words(lang);
        const { id } = await api.addPerson({ name: "Lama", email: `lama.${lang}@example.com` });
        const unscripted = await visitor({ lang, as: admin, scripts: false, zone: "Asia/Riyadh" });
        await unscripted.goto(`/console/people/${id}`);
        const drawn = unscripted.locator(".facts time").last();
        await expect(drawn.locator("span").first()).toHaveText(say("base.now"));
        // Without scripts nobody knows where the reader is: the page says whose time it is.
        await expect(drawn).toHaveAttribute("title", /\u2068UTC\u2069$/);

        const page = await visitor({ lang, as: admin, zone: "Asia/Riyadh" });
        await page.clock.install();
        await open(page, `/console/people/${id}`);
        const moment = page.locator(".facts time").last();
        const said = moment.locator("span").first();
        await expect(said).toHaveText(say("base.now"));
        // What screen readers say goes on with the exact moment.
        const title = (await moment.getAttribute("title")) ?? "";
        await expect(moment).toContainText(title.replace(/[\u2068\u2069]/g, ""));
        await page.clock.fastForward("03:00");
        await expect(said).toHaveText(say("base.minutes_ago", { count: 3 }));
        await page.clock.fastForward("08:00:00");
        await expect(said).toHaveText(say("base.hours_ago", { count: 8 }));
    });
}

/** Where the parts of a heading stand: the words before the name, the name, the words after it. */
async function parts(heading: Locator) {
    return heading.evaluate((element) => {
        const name = element.querySelector("bdi");
        if (!name) throw new Error("the name is not isolated");
        const box = (from: Node | null, to: Node | null) => {
            const range = document.createRange();
            if (from) range.setStartAfter(from);
            else range.setStart(element, 0);
            if (to) range.setEndBefore(to);
            else range.setEnd(element, element.childNodes.length);
            const { left, right } = range.getBoundingClientRect();
            return { left, right };
        };
        const { left, right } = name.getBoundingClientRect();
        return { before: box(null, name), name: { left, right }, after: box(name, null), text: name.textContent };
    });
}

for (const lang of LANGS) {
    test(`a name of the other direction disturbs no sentence, ${lang}`, async ({ api, admin, visitor }) => {
        const say = words(lang);
        const name = lang === "ar" ? "Team 7 (Riyadh)" : "فريق 7 (الرياض)";
        const { id } = await api.addPerson({ name, email: `team.${lang}@example.com` });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people/${id}`);
        await page.getByRole("button", { name: say("accounts.delete"), exact: true }).click();
        const heading = page.getByRole("dialog").getByRole("heading");
        await expect(heading).toHaveText(say("accounts.delete_title", { name }));
        const { before, name: box, after, text } = await parts(heading);
        expect(text).toBe(name);
        if (lang === "ar") {
            expect(before.left).toBeGreaterThanOrEqual(box.right - 1);
            expect(after.right).toBeLessThanOrEqual(box.left + 1);
        } else {
            expect(before.right).toBeLessThanOrEqual(box.left + 1);
            expect(after.left).toBeGreaterThanOrEqual(box.right - 1);
        }
    });
}

test("a name that passes for another is refused where it is typed", async ({ admin, visitor }) => {
    const page = await visitor({ lang: "ar", as: admin, refusals: [422] });
    await open(page, "/console/people/new");
    const name = page.getByLabel(say("accounts.name"), { exact: true });
    // With a Cyrillic а.
    await name.fill("Sаra");
    await page.getByLabel(say("accounts.email"), { exact: true }).fill("sara.twice@example.com");
    await page.getByRole("button", { name: say("accounts.add_submit") }).click();
    await expect(name).toHaveAccessibleDescription(say("base.field_mixed_scripts"));

    await open(page, "/console/roles/new");
    const role = page.getByLabel(say("roles.name"), { exact: true });
    await role.fill("сео");
    await page.getByRole("button", { name: say("roles.review") }).click();
    await page.getByRole("dialog").getByRole("button", { name: say("roles.create") }).click();
    await expect(page.getByRole("dialog").getByRole("alert")).toContainText(say("base.field_lookalike"));
});

test("what a form lacks is told in the language of the page, whatever the browser's is", async ({ admin, visitor }) => {
    // The browser, its bubbles with it, speaks English.
    const page = await visitor({ lang: "en", as: admin });
    await open(page, "/console/people/new");
    await page.getByRole("button", { name: words("en")("ui.other_language") }).click();
    await expect(page.locator("html")).toHaveAttribute("lang", "ar");
    await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
    const name = page.getByLabel(say("accounts.name"), { exact: true });
    const email = page.getByLabel(say("accounts.email"), { exact: true });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.method()));

    // Nothing is said of what nobody has touched; what was typed is judged when it is left.
    await email.fill("no address");
    await expect(email).not.toHaveAttribute("aria-invalid", "true");
    await email.press("Tab");
    await expect(email).toHaveAccessibleDescription(new RegExp(say("base.field_malformed")));
    await expect(name).not.toHaveAttribute("aria-invalid", "true");

    await page.getByRole("button", { name: say("accounts.add_submit") }).click();
    await expect(name).toBeFocused();
    await expect(name).toHaveAccessibleDescription(new RegExp(say("base.field_required")));
    await expect(page.getByText(say("base.field_required"), { exact: true })).toBeVisible();
    await expect(page.getByText(say("base.field_malformed"), { exact: true })).toBeVisible();
    expect(asked.filter((method) => method !== "GET"), "nothing is sent").toEqual([]);

    await name.fill("سارة");
    await email.fill("sara.told@example.com");
    await expect(name).not.toHaveAttribute("aria-invalid", "true");
    await expect(page.getByText(say("base.field_malformed"), { exact: true })).toHaveCount(0);
    await page.getByRole("button", { name: say("accounts.add_submit") }).click();
    await expect(page.getByRole("link", { name: say("accounts.open_person") })).toBeVisible();
});

const PAGES: [string, (id: string) => string][] = [
    ["home", () => "/console"],
    ["people", () => "/console/people"],
    ["person", (id) => `/console/people/${id}`],
    ["person-permissions", (id) => `/console/people/${id}?tab=permissions`],
    ["roles", () => "/console/roles"],
    ["groups", () => "/console/groups"],
    ["audit", () => "/console/audit"],
];

/** What is written with the other digits on a page, but for names, keys, addresses and what is typed. */
const otherDigits = (page: Page) =>
    page.getByRole("main").evaluate((main) => {
        const kept = 'bdi, time, code, kbd, .mono, .avatar, [dir="ltr"], [dir="auto"], script, style, noscript, textarea';
        const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
        const found: string[] = [];
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
            const text = (node.textContent ?? "").replace(/[\u2066-\u2068][^\u2069]*\u2069/g, "");
            if (/[0-9]/.test(text) && !node.parentElement?.closest(kept)) found.push(text);
        }
        return found;
    });

for (const [name, at] of PAGES) {
    test(`Arabic-Indic digits and Hijri dates fit, ${name}`, async ({ api, admin, visitor }) => {
        const { id } = await api.addPerson({ name: "عبد الرحمن بن محمد الشريف", email: `fits.${name}@example.com` });
        await api.call("PATCH", `/admin/users/${id}/permissions`, {
            allow: [{ key: "reports.read", expires_at: "2027-03-09T09:30:00Z", reason: "Covering for Omar 2" }],
            deny: [],
        });
        const lang: Lang = "ar";
        const habits = { digits: "arabic", calendar: "hijri" };
        for (const theme of ["light", "dark"] as const) {
            const page = await visitor({ lang, theme, habits, as: admin, zone: "Asia/Riyadh" });
            await open(page, at(id));
            expect(await otherDigits(page), name).toEqual([]);
            for (const size of [DESKTOP, PHONE]) {
                await page.setViewportSize(size);
                const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
                expect(wide, `${name} at ${size.width}`).toBeLessThanOrEqual(0);
                const path = join(OUT, "screenshots", `digits-${name}-${theme}-${size.width}.png`);
                await page.screenshot({ path, fullPage: true, animations: "disabled" });
            }
            await page.close();
        }
    });
}
