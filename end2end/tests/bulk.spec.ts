// Many people at once: chosen by mouse, by keyboard and by touch, looked at before saving, and changed together.

import { DESKTOP, LANGS, PHONE, expect, open, test, words, type Api, type Say } from "./support";
import type { Page } from "@playwright/test";

const box = (page: Page, say: Say, name: string) => page.getByRole("checkbox", { name: say("ui.select_row", { name }) });
const bar = (page: Page, say: Say) => page.getByRole("region", { name: say("ui.selection"), exact: true });
const isSaid = (page: Page, say: Say, count: number) =>
    expect(bar(page, say).getByRole("status")).toHaveText(say("accounts.selected", { count }));

/** Opens the review of one of the acts. */
async function begin(page: Page, say: Say, act: string) {
    await bar(page, say).getByRole("button", { name: say("accounts.bulk_acts"), exact: true }).click();
    await page.getByRole("menuitem", { name: say(act), exact: true }).click();
    return page.getByRole("dialog");
}

/** People of one department, who are found by it. */
async function addPeople(api: Api, tag: string, names: string[], more: object = {}) {
    const ids: string[] = [];
    for (const name of names) {
        const email = `${name}.${tag}@example.com`.replace(/[^\w.@]/g, "x").toLowerCase();
        ids.push((await api.addPerson({ name: `${name} ${tag}`, email, password: "a password of many words", department: tag, ...more })).id);
    }
    return ids;
}

const statusOf = async (api: Api, id: string) => (await api.call("GET", `/admin/users/${id}`)).status;
const rolesOf = async (api: Api, id: string) => (await api.call("GET", `/admin/users/${id}`)).roles;

for (const lang of LANGS) {
    const say = words(lang);

    for (const size of [DESKTOP, PHONE]) {
        const how = size === PHONE ? "touch" : "mouse";

        test(`people are chosen by ${how}, looked at, suspended and brought back, ${lang}`, async ({ visitor, admin, api }) => {
            const tag = `bulk ${how} ${lang}`;
            const ids = await addPeople(api, tag, ["Amal", "Badr", "Ceyda"]);
            await api.call("PATCH", `/admin/users/${ids[1]}/status`, { status: "suspended" });
            const page = await visitor({ lang, size, as: admin, touch: size === PHONE });
            await open(page, `/console/people?department=${encodeURIComponent(tag)}`);
            await expect(bar(page, say)).toBeHidden();
            const press = async (name: string) => {
                const label = page.locator("td.selects label").filter({ has: box(page, say, `${name} ${tag}`) });
                await (size === PHONE ? label.tap() : label.click());
            };
            await press("Amal");
            await isSaid(page, say, 1);
            await press("Badr");
            await isSaid(page, say, 2);
            await expect(page.locator("tr.selected")).toHaveCount(2);
            await press("Amal");
            await isSaid(page, say, 1);
            await bar(page, say).getByRole("button", { name: say("ui.selection_clear") }).click();
            await expect(bar(page, say)).toBeHidden();
            await expect(page.getByRole("main")).toBeFocused();
            await page.getByRole("checkbox", { name: say("ui.select_page") }).click();
            await isSaid(page, say, 3);

            const dialog = await begin(page, say, "accounts.bulk_suspend");
            await expect(dialog.getByRole("heading", { level: 2 })).toHaveText(say("accounts.bulk_suspend_title", { count: 3 }));
            const changes = dialog.getByRole("region", { name: say("accounts.bulk_changes", { count: 2 }) });
            await expect(changes.getByRole("listitem")).toHaveCount(2);
            await expect(changes).toContainText(`Amal ${tag}`);
            await expect(changes).toContainText(`Ceyda ${tag}`);
            await expect(dialog.locator("summary")).toHaveText(say("accounts.bulk_stays", { count: 1 }));
            expect(await statusOf(api, ids[0])).toBe("active");
            await dialog.getByRole("button", { name: say("accounts.bulk_suspend"), exact: true }).click();
            await expect(dialog).toBeHidden();
            await expect(bar(page, say)).toBeHidden();
            await expect(page.locator("tbody .badge.deny")).toHaveCount(3);
            const told = page.locator(".toast").filter({ hasText: say("accounts.bulk_done", { count: 2 }) });
            for (const id of ids) expect(await statusOf(api, id)).toBe("suspended");
            await told.getByRole("button", { name: say("accounts.bulk_undo"), exact: true }).click();
            await expect(page.getByText(say("accounts.bulk_undone"), { exact: true })).toBeVisible();
            await expect(page.locator("tbody .badge.deny")).toHaveCount(1);
            expect(await statusOf(api, ids[0])).toBe("active");
            expect(await statusOf(api, ids[1])).toBe("suspended");
        });
    }

    test(`by keyboard alone a role is given to a range and taken again, ${lang}`, async ({ visitor, admin, api }) => {
        const tag = `keys ${lang}`;
        const ids = await addPeople(api, tag, ["Amal", "Badr", "Ceyda", "Dana"]);
        const role = await api.call("POST", "/admin/roles", { name: `Night ${lang}`, permissions: ["reports.read"] });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people?department=${encodeURIComponent(tag)}`);
        const boxOf = (name: string) => box(page, say, `${name} ${tag}`);
        await boxOf("Amal").focus();
        await page.keyboard.press("Space");
        await page.keyboard.press("ArrowDown");
        await expect(boxOf("Badr")).toBeFocused();
        await expect(boxOf("Badr")).not.toBeChecked();
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Shift+Space");
        await isSaid(page, say, 3);
        await expect(boxOf("Badr")).toBeChecked();
        await page.keyboard.press("Shift+ArrowDown");
        await isSaid(page, say, 4);
        await page.keyboard.press("Escape");
        await expect(bar(page, say)).toBeHidden();
        await page.keyboard.press("Shift+ArrowUp");
        await isSaid(page, say, 2);

        // The bar is the next that tabs reach below the list.
        await bar(page, say).getByRole("button", { name: say("accounts.bulk_acts"), exact: true }).focus();
        await page.keyboard.press("Enter");
        await expect(page.getByRole("menuitem", { name: say("accounts.bulk_give"), exact: true })).toBeFocused();
        await page.keyboard.press("Enter");
        const dialog = page.getByRole("dialog", { name: say("accounts.bulk_give") });
        const save = dialog.getByRole("button", { name: say("accounts.bulk_give"), exact: true });
        await expect(save).toBeDisabled();
        await dialog.getByLabel(say("accounts.role"), { exact: true }).selectOption(role.id);
        await expect(dialog.getByRole("region", { name: say("accounts.bulk_changes", { count: 2 }) }).getByRole("listitem")).toHaveCount(2);
        await save.focus();
        await page.keyboard.press("Enter");
        await expect(dialog).toBeHidden();
        await expect(page.locator("tbody tr").filter({ hasText: `Night ${lang}` })).toHaveCount(2);
        expect(await rolesOf(api, ids[2])).toContain(`Night ${lang}`);
        expect(await rolesOf(api, ids[0])).not.toContain(`Night ${lang}`);

        await page.getByRole("checkbox", { name: say("ui.select_page") }).check();
        const taking = await begin(page, say, "accounts.bulk_take");
        await taking.getByLabel(say("accounts.role"), { exact: true }).selectOption(role.id);
        await expect(taking.locator("summary")).toHaveText(say("accounts.bulk_stays", { count: 2 }));
        await taking.getByRole("button", { name: say("accounts.bulk_take"), exact: true }).click();
        await expect(page.locator("tbody tr").filter({ hasText: `Night ${lang}` })).toHaveCount(0);
        expect(await rolesOf(api, ids[3])).not.toContain(`Night ${lang}`);
    });

    test(`what is chosen stays while one sorts, pages and searches; shift takes a range along, ${lang}`, async ({ visitor, admin, api }) => {
        const tag = `stays ${lang}`;
        const names = Array.from({ length: 52 }, (_, at) => `P${String(at).padStart(2, "0")}`);
        await addPeople(api, tag, names, { password: undefined });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people?department=${encodeURIComponent(tag)}`);
        const boxOf = (name: string) => box(page, say, `${name} ${tag}`);
        await boxOf("P01").click();
        await boxOf("P04").click({ modifiers: ["Shift"] });
        await isSaid(page, say, 4);
        await page.getByRole("columnheader", { name: say("accounts.name"), exact: true }).getByRole("link").click();
        await expect(page).toHaveURL(/sort=-name/);
        await expect(boxOf("P51")).toBeVisible();
        await isSaid(page, say, 4);
        await expect(boxOf("P03")).toBeChecked();
        await boxOf("P51").click();
        await page.getByRole("link", { name: say("ui.next_page") }).click();
        await expect(boxOf("P01")).toBeChecked();
        await expect(boxOf("P00")).not.toBeChecked();
        await isSaid(page, say, 5);
        await page.getByLabel(say("accounts.search"), { exact: true }).fill("P51");
        await page.getByRole("button", { name: say("ui.filter") }).click();
        await expect(page.getByRole("rowheader")).toHaveCount(1);
        await expect(boxOf("P51")).toBeChecked();
        await isSaid(page, say, 5);
        const dialog = await begin(page, say, "accounts.bulk_activate");
        await expect(dialog.locator("summary")).toHaveText(say("accounts.bulk_stays", { count: 5 }));
        await expect(dialog.getByRole("button", { name: say("accounts.bulk_activate"), exact: true })).toBeDisabled();
    });

    test(`whoever stands in the way is named and left out, ${lang}`, async ({ visitor, api, signedIn }) => {
        const tag = `way ${lang}`;
        const ids = await addPeople(api, tag, ["Amal"]);
        const strong = await api.call("POST", "/admin/roles", { name: `Strong ${lang}`, permissions: ["users.delete"] });
        await addPeople(api, tag, ["Boss"], { roles: [strong.id] });
        const keeper = { name: `Keeper ${lang}`, email: `keeper.${lang}@example.com`, password: "keeps the list in order" };
        const role = await api.call("POST", "/admin/roles", { name: `Keepers ${lang}`, permissions: ["users.read", "users.update"] });
        await api.addPerson({ ...keeper, roles: [role.id] });
        const page = await visitor({ lang, as: await signedIn(keeper) });
        await open(page, `/console/people?department=${encodeURIComponent(tag)}`);
        await page.getByRole("checkbox", { name: say("ui.select_page") }).check();
        await bar(page, say).getByRole("button", { name: say("accounts.bulk_acts"), exact: true }).click();
        await expect(page.getByRole("menuitem")).toHaveCount(2);
        await page.getByRole("menuitem", { name: say("accounts.bulk_suspend"), exact: true }).click();
        const dialog = page.getByRole("dialog");
        const notice = dialog.locator(".notice.deny");
        await expect(notice).toContainText(say("accounts.bulk_refused", { count: 1 }));
        await expect(notice.getByRole("listitem")).toContainText(`Boss ${tag}`);
        const save = dialog.getByRole("button", { name: say("accounts.bulk_suspend"), exact: true });
        await expect(save).toBeDisabled();
        await dialog.getByRole("button", { name: say("accounts.bulk_leave_out") }).click();
        await expect(notice).toHaveCount(0);
        await save.click();
        await expect(page.getByText(say("accounts.bulk_done", { count: 1 }), { exact: true })).toBeVisible();
        expect(await statusOf(api, ids[0])).toBe("suspended");

        // Or it goes on without them, who are told and stay chosen.
        await api.call("PATCH", `/admin/users/${ids[0]}/status`, { status: "active" });
        await page.getByRole("checkbox", { name: say("ui.select_page") }).check();
        await begin(page, say, "accounts.bulk_suspend");
        await expect(notice.getByRole("listitem")).toContainText(`Boss ${tag}`);
        await expect(save).toBeDisabled();
        await dialog.getByRole("button", { name: say("accounts.bulk_go_on", { count: 1 }) }).click();
        await expect(page.getByText(say("accounts.bulk_skipped", { count: 1 }), { exact: true })).toBeVisible();
        await expect(box(page, say, `Boss ${tag}`)).toBeChecked();
        await isSaid(page, say, 1);
        expect(await statusOf(api, ids[0])).toBe("suspended");
    });

    test(`what others have to agree to is asked for with a reason, ${lang}`, async ({ visitor, admin, api }) => {
        const tag = `agree ${lang}`;
        const ids = await addPeople(api, tag, ["Amal", "Badr"]);
        const role = await api.call("POST", "/admin/roles", { name: `High ${lang}`, permissions: ["users.delete"] });
        const decider = await api.call("POST", "/admin/roles", { name: `Deciders ${lang}`, permissions: ["approvals.decide"] });
        const [other] = await addPeople(api, `${tag} decider`, ["Decider"], { roles: [decider.id] });
        await api.call("PUT", "/admin/approvals/rules", { permissions: ["users.delete"], required: 1, expires_hours: 24 });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people?department=${encodeURIComponent(tag)}`);
        await page.getByRole("checkbox", { name: say("ui.select_page") }).check();
        const dialog = await begin(page, say, "accounts.bulk_give");
        await dialog.getByLabel(say("accounts.role"), { exact: true }).selectOption(role.id);
        await expect(dialog.locator(".notice.pending")).toContainText(say("accounts.bulk_approval", { count: 2 }));
        await dialog.getByLabel(say("accounts.bulk_reason"), { exact: true }).fill("تغطية إجازة");
        await dialog.getByRole("button", { name: say("accounts.bulk_give"), exact: true }).click();
        await expect(page.getByText(say("accounts.bulk_asked", { count: 2 }), { exact: true })).toBeVisible();
        expect(await rolesOf(api, ids[0])).not.toContain(`High ${lang}`);
        const own = await api.call("GET", "/auth/approvals");
        expect(own.filter((one: { subject_id: string }) => ids.includes(one.subject_id)).length).toBe(2);
        await api.call("PUT", "/admin/approvals/rules", { permissions: [], required: 1, expires_hours: 24 });
        await api.call("PATCH", `/admin/users/${other}/status`, { status: "suspended" });
    });
}

test("whoever may do nothing to many has nothing to choose", async ({ visitor, api, signedIn }) => {
    const say = words("en");
    const reader = { name: "Reader", email: "reader.bulk@example.com", password: "reads and does nothing else" };
    const role = await api.call("POST", "/admin/roles", { name: "Readers of people", permissions: ["users.read"] });
    await api.addPerson({ ...reader, roles: [role.id] });
    const page = await visitor({ lang: "en", as: await signedIn(reader) });
    await open(page, "/console/people");
    await expect(page.getByRole("rowheader").first()).toBeVisible();
    await expect(page.getByRole("main").getByRole("checkbox")).toHaveCount(0);
    await expect(bar(page, say)).toHaveCount(0);
});
