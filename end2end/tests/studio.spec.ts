// The grant studio: by mouse, by touch and by keyboard alone, in both directions; what it foresees, saves and undoes.

import { ADMIN, Api, LANGS, PHONE, expect, open, test, words, type Lang, type Say } from "./support";
import type { Locator, Page } from "@playwright/test";

const say = Object.fromEntries(LANGS.map((lang) => [lang, words(lang)])) as Record<Lang, Say>;

/** The pane of the catalogue, of whom it is about, and of the effect. */
const panes = (page: Page, say: Say) => ({
    catalogue: page.getByRole("listbox", { name: say("roles.permissions") }),
    effect: page.getByRole("region", { name: say("roles.effect") }),
    bar: page.getByRole("region", { name: say("roles.unsaved_region") }),
});

/** Somebody who can sign in: grants of accounts that are not active have no effect yet. */
const addPerson = (api: Api, person: { name: string; email: string; roles?: string[] }) =>
    api.addPerson({ ...person, password: "three quiet lemons on a shelf" });

const option = (page: Page, key: string): Locator => page.locator(`[data-drag="${key}"]`);

/** Types into the search of the catalogue, so that a permission is in sight. */
async function find(page: Page, say: Say, text: string) {
    await page.getByLabel(say("roles.search"), { exact: true }).fill(text);
}

async function held(api: Api, id: string): Promise<string[]> {
    const all: { key: string; allowed: boolean }[] = await api.call("GET", `/admin/users/${id}/effective-permissions`);
    return all.filter((one) => one.allowed).map((one) => one.key);
}

/** The changes that a review lists, apart from what they do. */
const changesIn = (dialog: Locator): Locator => dialog.locator(".changes").getByRole("listitem");

async function reviewAndSave(page: Page, say: Say, done: string) {
    const { bar } = panes(page, say);
    await bar.getByRole("button", { name: say("roles.review") }).click();
    await page.getByRole("dialog").getByRole("button", { name: say("roles.save") }).click();
    await expect(page.getByRole("status").getByText(done)).toBeVisible();
    await expect(bar).toBeHidden();
}

for (const lang of LANGS) {
    const t = say[lang];

    test(`dragging by mouse stages, foresees, saves and undoes, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await addPerson(api, { name: "سارة المطيري", email: `mouse.${lang}@example.com` });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/studio?person=${id}`);
        const { effect, bar } = panes(page, t);
        await expect(effect).toContainText(t("roles.effect_empty"));
        await find(page, t, "reports.read");
        await option(page, "reports.read").hover();
        await page.mouse.down();
        const zone = page.locator('[data-drop="allow"]');
        const box = (await page.locator("#target-title").boundingBox())!;
        await page.mouse.move(box.x + 20, box.y + 5, { steps: 6 });
        await expect(zone).toBeVisible();
        await expect(page.locator(".carry")).toBeVisible();
        const drop = (await zone.boundingBox())!;
        await page.mouse.move(drop.x + drop.width / 2, drop.y + drop.height / 2, { steps: 6 });
        await page.mouse.up();
        await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));
        await expect(effect.locator(".figure.allow")).toHaveText("1");
        await expect(effect.getByRole("listitem")).toContainText("reports.read");
        expect(await held(api, id), "nothing is saved yet").not.toContain("reports.read");
        await reviewAndSave(page, t, t("roles.rights_saved"));
        expect(await held(api, id)).toContain("reports.read");
        await page.getByRole("status").getByRole("button", { name: t("roles.undo") }).click();
        await expect(page.getByRole("status").getByText(t("roles.undone"))).toBeVisible();
        expect(await held(api, id)).not.toContain("reports.read");
        const log: { items: { action: string }[] } = await api.call("GET", `/admin/audit?resource_id=${id}&action=admin.grant_permission`);
        expect(log.items.length, "undoing is a change of its own").toBe(2);
    });

    test(`what is let go elsewhere stays where it was, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await addPerson(api, { name: "Dana", email: `elsewhere.${lang}@example.com` });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/studio?person=${id}`);
        await find(page, t, "reports.read");
        for (const end of ["release", "escape"]) {
            await option(page, "reports.read").hover();
            await page.mouse.down();
            await page.mouse.move(700, 60, { steps: 5 });
            await expect(page.locator(".carry")).toBeVisible();
            if (end === "escape") await page.keyboard.press("Escape");
            await page.mouse.up();
            await expect(page.locator(".carry")).toBeHidden();
            await expect(panes(page, t).bar).toBeHidden();
        }
    });

    test(`the keyboard alone gives, denies and saves, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await addPerson(api, { name: "Maha العمري", email: `keys.${lang}@example.com` });
        const names = await api.permissionNames(lang);
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/studio?person=${id}`);
        const { catalogue, bar } = panes(page, t);
        await page.getByLabel(t("roles.search"), { exact: true }).focus();
        await page.keyboard.type("workflows.");
        await page.keyboard.press("Tab");
        await expect(catalogue).toBeFocused();
        // The heading stands for the whole group, then come its permissions.
        await page.keyboard.press("ArrowDown");
        await expect(catalogue).toHaveAttribute("aria-activedescendant", "pick-workflows.*");
        await page.keyboard.press("ArrowDown");
        await expect(catalogue).toHaveAttribute("aria-activedescendant", "pick-workflows.approve");
        await page.keyboard.press("Space");
        const said = page.getByRole("status").filter({ hasText: t("roles.said_picked", { name: names("workflows.approve") }) });
        await expect(said).toContainText(t("roles.picked_count", { count: 1 }));
        await expect(page.getByRole("option", { selected: true })).toHaveCount(1);
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Space");
        await expect(page.getByRole("option", { selected: true })).toHaveCount(2);
        await page.keyboard.press("Escape");
        await expect(page.getByRole("option", { selected: true })).toHaveCount(0);
        await page.keyboard.press("Space");
        await page.keyboard.press("Enter");
        const given = t("roles.said_given", { what: names("workflows.create"), name: "Maha العمري" });
        await expect(page.getByRole("status").filter({ hasText: given })).toHaveCount(1);
        await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));
        await page.keyboard.press("End");
        await page.keyboard.press("Space");
        for (let presses = 0; presses < 10; presses += 1) {
            await page.keyboard.press("Tab");
            const focused = page.locator(":focus");
            if ((await focused.textContent()) === t("roles.deny")) break;
        }
        await page.keyboard.press("Enter");
        await expect(bar).toContainText(t("roles.unsaved", { count: 2 }));
        await bar.getByRole("button", { name: t("roles.review") }).focus();
        await page.keyboard.press("Enter");
        const dialog = page.getByRole("dialog");
        await expect(changesIn(dialog)).toHaveCount(2);
        await dialog.getByRole("button", { name: t("roles.save") }).focus();
        await page.keyboard.press("Enter");
        await expect(page.getByRole("status").getByText(t("roles.rights_saved"))).toBeVisible();
        expect(await held(api, id)).toContain("workflows.create");
    });

    test(`a finger drags on the phone, in three steps, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await addPerson(api, { name: "هند القحطاني", email: `touch.${lang}@example.com` });
        const page = await visitor({ lang, as: admin, size: PHONE });
        await open(page, `/console/studio?person=${id}`);
        const steps = page.getByRole("group", { name: t("roles.steps") });
        await steps.getByRole("button", { name: t("roles.permissions") }).click();
        await find(page, t, "audit.read");
        const touch = await page.context().newCDPSession(page);
        const at = (await option(page, "audit.read").boundingBox())!;
        const from = { x: at.x + at.width / 2, y: at.y + at.height / 2 };
        await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [from] });
        const zone = page.locator('[data-drop="allow"]');
        // A finger that rests picks up; the tray appears then.
        await expect(zone).toBeVisible();
        const tray = (await zone.boundingBox())!;
        const to = { x: tray.x + tray.width / 2, y: tray.y + tray.height / 2 };
        for (const part of [0.3, 0.6, 1]) {
            const point = { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
            await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [point] });
        }
        await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
        const { bar, effect } = panes(page, t);
        await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));
        await expect(steps.getByRole("button", { name: "هند القحطاني" })).toHaveAttribute("aria-current", "step");
        await steps.getByRole("button", { name: t("roles.effect") }).click();
        await expect(effect.getByRole("listitem")).toContainText("audit.read");
        await reviewAndSave(page, t, t("roles.rights_saved"));
        expect(await held(api, id)).toContain("audit.read");
    });

    test(`a role is changed, and everybody it reaches is counted before, ${lang}`, async ({ visitor, admin, api }) => {
        const role = await api.call("POST", "/admin/roles", { name: `Desk ${lang}`, permissions: ["users.read"] });
        const { id } = await addPerson(api, { name: "Reem", email: `role.${lang}@example.com`, roles: [role.id] });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/studio?role=${role.id}`);
        await find(page, t, "reports.read");
        await option(page, "reports.read").click();
        await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
        await page.getByRole("checkbox", { name: /users\.read/ }).uncheck();
        const { effect } = panes(page, t);
        await expect(effect).toContainText(t("roles.people_gaining", { count: 1 }));
        await expect(effect).toContainText(t("roles.people_losing", { count: 1 }));
        await expect(effect).toContainText("Reem");

        // The review says the same in words, and takes the reason that the log keeps.
        const { bar } = panes(page, t);
        await bar.getByRole("button", { name: t("roles.review") }).click();
        const dialog = page.getByRole("dialog");
        await expect(changesIn(dialog)).toHaveCount(2);
        const foreseen = dialog.locator(".foreseen");
        await expect(foreseen).toContainText(t("roles.people_gaining", { count: 1 }));
        const line = (key: string) => foreseen.getByRole("listitem").filter({ hasText: key });
        await expect(line("reports.read")).toContainText(t("roles.kind_gained"));
        await expect(line("users.read")).toContainText(t("roles.kind_lost"));
        const reason = "تغطية إجازة";
        await dialog.getByLabel(t("roles.review_reason"), { exact: true }).fill(reason);
        await dialog.getByRole("button", { name: t("roles.save") }).click();
        await expect(page.getByRole("status").getByText(t("roles.saved"))).toBeVisible();
        await expect(bar).toBeHidden();
        await open(page, `/console/audit?resource_id=${role.id}&action=admin.role_update`);
        await expect(page.getByRole("row").filter({ hasText: `Desk ${lang}` })).toContainText(t("audit.stated_reason", { reason }));
        const after = await held(api, id);
        expect(after).toContain("reports.read");
        expect(after).not.toContain("users.read");
    });
}

/** Drags something of the catalogue to the place where letting go gives it. */
async function dragToGive(page: Page, key: string) {
    await option(page, key).hover();
    await page.mouse.down();
    const box = (await page.locator("#target-title").boundingBox())!;
    await page.mouse.move(box.x + 20, box.y + 5, { steps: 6 });
    const zone = page.locator('[data-drop="allow"]');
    await expect(zone).toBeVisible();
    const drop = (await zone.boundingBox())!;
    await page.mouse.move(drop.x + drop.width / 2, drop.y + drop.height / 2, { steps: 6 });
    await page.mouse.up();
}

for (const lang of LANGS) {
    const t = say[lang];

    test(`a group is given a role by mouse, and its people are told before, ${lang}`, async ({ visitor, admin, api }) => {
        const desk = await api.call("POST", "/admin/roles", { name: `Counter ${lang}`, permissions: ["reports.read"] });
        const group = await api.call("POST", "/admin/groups", { name: `وردية ${lang}` });
        const { id } = await addPerson(api, { name: `Amal ${lang}`, email: `amal.${lang}@example.com` });
        await api.call("POST", `/admin/groups/${group.id}/members`, { user: id });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/studio");
        await page.getByLabel(t("roles.search_target"), { exact: true }).fill(`وردية ${lang}`);
        await page.getByRole("link", { name: `وردية ${lang}` }).click();
        await expect(page).toHaveURL(`/console/studio?group=${group.id}`);
        await expect(page.getByRole("listbox", { name: t("roles.roles") })).toBeVisible();
        await page.locator("#catalogue-search").fill(`Counter ${lang}`);
        await dragToGive(page, desk.id);
        const { effect, bar } = panes(page, t);
        await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));
        await expect(effect).toContainText(t("roles.people_gaining", { count: 1 }));
        await expect(effect).toContainText(`Amal ${lang}`);
        await expect(effect.getByRole("listitem").filter({ hasText: "reports.read" })).toContainText(t("roles.kind_gained"));
        expect(await held(api, id), "nothing is saved yet").not.toContain("reports.read");
        await reviewAndSave(page, t, t("groups.saved"));
        expect(await held(api, id)).toContain("reports.read");
        await page.getByRole("status").getByRole("button", { name: t("roles.undo") }).click();
        await expect(page.getByRole("status").getByText(t("roles.undone"))).toBeVisible();
        expect(await held(api, id)).not.toContain("reports.read");
    });

    test(`a group is given a role by the keyboard alone, which says so, ${lang}`, async ({ visitor, admin, api }) => {
        const desk = await api.call("POST", "/admin/roles", { name: `Window ${lang}`, permissions: ["audit.read"] });
        const group = await api.call("POST", "/admin/groups", { name: `Keyboard group ${lang}` });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/studio?group=${group.id}`);
        const list = page.getByRole("listbox", { name: t("roles.roles") });
        await page.locator("#catalogue-search").focus();
        await page.keyboard.type(`Window ${lang}`);
        await page.keyboard.press("Tab");
        await expect(list).toBeFocused();
        await page.keyboard.press("ArrowDown");
        await expect(list).toHaveAttribute("aria-activedescendant", `pick-${desk.id}`);
        await page.keyboard.press("Enter");
        const given = t("roles.said_given", { what: `Window ${lang}`, name: `Keyboard group ${lang}` });
        await expect(page.getByRole("status").filter({ hasText: given })).toHaveCount(1);
        const { bar } = panes(page, t);
        await bar.getByRole("button", { name: t("roles.review") }).focus();
        await page.keyboard.press("Enter");
        const dialog = page.getByRole("dialog");
        await expect(changesIn(dialog)).toContainText(`Window ${lang}`);
        await dialog.getByRole("button", { name: t("roles.save") }).focus();
        await page.keyboard.press("Enter");
        await expect(page.getByRole("status").getByText(t("groups.saved"))).toBeVisible();
        const roles: { role: { id: string } }[] = (await api.call("GET", `/admin/groups/${group.id}`)).roles;
        expect(roles.map((has) => has.role.id)).toEqual([desk.id]);
    });

    test(`a group is given a role on the phone by two taps, ${lang}`, async ({ visitor, admin, api }) => {
        const desk = await api.call("POST", "/admin/roles", { name: `Booth ${lang}`, permissions: ["audit.read"] });
        const group = await api.call("POST", "/admin/groups", { name: `Phone group ${lang}` });
        const page = await visitor({ lang, as: admin, size: PHONE });
        await open(page, `/console/studio?group=${group.id}`);
        const steps = page.getByRole("group", { name: t("roles.steps") });
        await steps.getByRole("button", { name: t("roles.roles"), exact: true }).click();
        await page.locator("#catalogue-search").fill(`Booth ${lang}`);
        await option(page, desk.id).click();
        await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
        await expect(steps.getByRole("button", { name: `Phone group ${lang}` })).toHaveAttribute("aria-current", "step");
        await expect(panes(page, t).bar).toContainText(t("roles.unsaved", { count: 1 }));
    });

    test(`several people are given the same at once, and it is undone at once, ${lang}`, async ({ visitor, admin, api }) => {
        const one = await addPerson(api, { name: `Twin ${lang} A`, email: `twin.a.${lang}@example.com` });
        const other = await addPerson(api, { name: `Twin ${lang} B`, email: `twin.b.${lang}@example.com` });
        await api.call("PATCH", `/admin/users/${other.id}/permissions`, { deny: ["audit.read"] });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/studio");
        await page.getByLabel(t("roles.search_target"), { exact: true }).fill(`Twin ${lang}`);
        const choose = async () => {
            for (const name of [`Twin ${lang} A`, `Twin ${lang} B`]) {
                await page.getByRole("checkbox", { name: t("roles.choose_together", { name }) }).check();
            }
            await expect(page.getByRole("status").filter({ hasText: t("roles.many_chosen", { count: 2 }) })).toHaveCount(1);
        };
        await choose();
        // Putting them back is said, and the focus stays where others are searched.
        await page.getByRole("button", { name: t("roles.put_back"), exact: true }).click();
        await expect(page.getByRole("status").filter({ hasText: t("roles.many_chosen", { count: 0 }) })).toHaveCount(1);
        await expect(page.getByLabel(t("roles.search_target"), { exact: true })).toBeFocused();
        await choose();
        await page.getByRole("link", { name: t("roles.many_go") }).click();
        await expect(page.getByRole("heading", { name: t("roles.many_people", { count: 2 }) })).toBeVisible();
        await find(page, t, "reports.read");
        await dragToGive(page, "reports.read");
        const { effect, bar } = panes(page, t);
        await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));
        await expect(effect).toContainText(t("roles.people_gaining", { count: 2 }));
        await expect(effect).toContainText(`Twin ${lang} A`);
        await reviewAndSave(page, t, t("roles.many_saved"));
        for (const { id } of [one, other]) {
            expect(await held(api, id)).toContain("reports.read");
            const log: { items: unknown[] } = await api.call("GET", `/admin/audit?resource_id=${id}&action=admin.grant_permission`);
            expect(log.items.length).toBe(id === one.id ? 1 : 2);
        }
        await page.getByRole("status").getByRole("button", { name: t("roles.undo") }).click();
        await expect(page.getByRole("status").getByText(t("roles.undone"))).toBeVisible();
        for (const { id } of [one, other]) expect(await held(api, id)).not.toContain("reports.read");
        const kept: { key: string; because: { kind: string }[] }[] = await api.call("GET", `/admin/users/${other.id}/effective-permissions`);
        expect(kept.find((one) => one.key === "audit.read")!.because[0].kind, "what was theirs alone stays").toBe("denied");
    });

    test(`groups that cannot be read are not passed over in silence, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await addPerson(api, { name: `Groupless ${lang}`, email: `groupless.${lang}@example.com` });
        const page = await visitor({ lang, as: admin, losses: true });
        await open(page, `/console/studio?person=${id}`);
        await page.route("**/api/groups/all", (route) => route.abort());
        await page.getByRole("link", { name: t("roles.choose_another") }).click();
        await expect(page.getByLabel(t("roles.search_target"), { exact: true })).toBeVisible();
        await expect(page.getByText(t("ui.failed"))).toBeVisible();
    });

    test(`the effect names policies that have a say and what is held in a scope, ${lang}`, async ({ visitor, admin, api }) => {
        const name = `Finance only ${lang}`;
        const rules = [{ effect: "allow", condition: { "user.department": { eq: "finance" } } }];
        const policy = await api.call("POST", "/admin/policies", { name, mode: "require", actions: ["commands.read"], rules, active: true });
        try {
            const { id } = await addPerson(api, { name: `Policed ${lang}`, email: `policed.${lang}@example.com` });
            await api.call("PATCH", `/admin/users/${id}/roles`, { roles: [{ role: "support", department: "finance" }] });
            const page = await visitor({ lang, as: admin });
            await open(page, `/console/studio?person=${id}`);
            await find(page, t, "commands.read");
            await option(page, "commands.read").click();
            await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
            const { effect } = panes(page, t);
            await expect(effect.getByRole("heading", { name: t("roles.effect_policies") })).toBeVisible();
            await expect(effect.getByRole("link", { name })).toHaveAttribute("href", `/console/policies/${policy.id}`);
            const line = effect.getByRole("listitem").filter({ hasText: name }).filter({ has: page.getByRole("link") });
            await expect(line).toContainText("user.department");
            await expect(line).toContainText(t("roles.policy_denies_now", { count: 1 }));
            const scoped = effect.getByRole("listitem").filter({ hasText: "support" });
            await expect(effect.getByRole("heading", { name: t("roles.effect_scoped") })).toBeVisible();
            await expect(scoped).toContainText("finance");
        } finally {
            await api.call("DELETE", `/admin/policies/${policy.id}`);
        }
    });

    test(`what others have to agree to is said before, and asked for many at once, ${lang}`, async ({ visitor, admin, api }) => {
        const role = await api.call("POST", "/admin/roles", { name: `Decider ${lang}`, permissions: ["approvals.decide"] });
        const decider = await addPerson(api, { name: `Decider ${lang}`, email: `decider.${lang}@example.com`, roles: [role.id] });
        const rules = await api.call("GET", "/admin/approvals/rules");
        await api.call("PUT", "/admin/approvals/rules", { ...rules, permissions: ["tasks.create"] });
        try {
            const people: string[] = [];
            for (const part of ["A", "B"]) {
                people.push((await addPerson(api, { name: `High ${lang} ${part}`, email: `high.${part}.${lang}@example.com` })).id);
            }
            const page = await visitor({ lang, as: admin, refusals: [403] });
            await open(page, `/console/studio?people=${people.join(",")}`);
            await find(page, t, "tasks.create");
            await option(page, "tasks.create").click();
            await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
            const { effect, bar } = panes(page, t);
            await expect(effect).toContainText(t("roles.needs_approval"));
            await bar.getByRole("button", { name: t("roles.review") }).click();
            const dialog = page.getByRole("dialog");
            await dialog.getByRole("button", { name: t("roles.save") }).click();
            await dialog.getByLabel(t("roles.ask_reason"), { exact: true }).fill("تغطية إجازة");
            await dialog.getByRole("button", { name: t("roles.ask_approval") }).click();
            await expect(page.getByRole("status").getByText(t("roles.ask_sent"))).toBeVisible();
            await expect(bar).toBeHidden();
            const own: { id: string; subject_id: string; state: string }[] = await api.call("GET", "/auth/approvals");
            const asked = own.filter((one) => people.includes(one.subject_id) && one.state === "waiting");
            expect(asked.length).toBe(2);
            for (const { id } of asked) await api.call("DELETE", `/auth/approvals/${id}`);
        } finally {
            await api.call("PUT", "/admin/approvals/rules", rules);
            await api.call("DELETE", `/admin/users/${decider.id}`);
        }
    });

    test(`others are asked about what a group gives, ${lang}`, async ({ visitor, admin, api }) => {
        const decides = await api.call("POST", "/admin/roles", { name: `Group decider ${lang}`, permissions: ["approvals.decide"] });
        const decider = await addPerson(api, { name: `Group decider ${lang}`, email: `group.decider.${lang}@example.com`, roles: [decides.id] });
        const high = await api.call("POST", "/admin/roles", { name: `Summit ${lang}`, permissions: ["tasks.create"] });
        const group = await api.call("POST", "/admin/groups", { name: `Summit group ${lang}` });
        const { id } = await addPerson(api, { name: `Climber ${lang}`, email: `climber.${lang}@example.com` });
        await api.call("POST", `/admin/groups/${group.id}/members`, { user: id });
        const rules = await api.call("GET", "/admin/approvals/rules");
        await api.call("PUT", "/admin/approvals/rules", { ...rules, permissions: ["tasks.create"] });
        try {
            const page = await visitor({ lang, as: admin, refusals: [403] });
            await open(page, `/console/studio?group=${group.id}`);
            await page.locator("#catalogue-search").fill(`Summit ${lang}`);
            await option(page, high.id).click();
            await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
            const { bar } = panes(page, t);
            await bar.getByRole("button", { name: t("roles.review") }).click();
            const dialog = page.getByRole("dialog");
            await dialog.getByRole("button", { name: t("roles.save") }).click();
            await dialog.getByLabel(t("roles.ask_reason"), { exact: true }).fill("تغطية إجازة");
            await dialog.getByRole("button", { name: t("roles.ask_approval") }).click();
            await expect(page.getByRole("status").getByText(t("roles.ask_sent"))).toBeVisible();
            await expect(bar).toBeHidden();
            expect(await held(api, id)).not.toContain("tasks.create");
            const own: { id: string; subject_id: string; state: string }[] = await api.call("GET", "/auth/approvals");
            const asked = own.filter((one) => one.subject_id === group.id && one.state === "waiting");
            expect(asked.length).toBe(1);
            await api.call("DELETE", `/auth/approvals/${asked[0].id}`);
        } finally {
            await api.call("PUT", "/admin/approvals/rules", rules);
            await api.call("DELETE", `/admin/users/${decider.id}`);
        }
    });

    test(`a wildcard says what it covers, before and after it is given, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await addPerson(api, { name: `Wide ${lang}`, email: `wide.${lang}@example.com` });
        const all: { key: string }[] = await api.call("GET", "/admin/permissions");
        const count = all.filter(({ key }) => key.startsWith("users.") && !key.endsWith("*")).length;
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/studio?person=${id}`);
        await find(page, t, "users.");
        await expect(option(page, "users.*")).toContainText(t("roles.covers_count", { count }));
        await option(page, "users.*").click();
        await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
        const covered = t("roles.covered", { through: "users.*" });
        await expect(option(page, "users.read")).toContainText(covered);
        await page.getByLabel(t("roles.search_rights"), { exact: true }).fill("users.read");
        await expect(page.locator(".rows.rights").getByRole("listitem").filter({ hasText: "users.read" })).toContainText(covered);
        await expect(panes(page, t).effect).toContainText("users.delete");
    });
}

test("what somebody else saves meanwhile is shown and not overwritten", async ({ visitor, admin, api }) => {
    const t = say.en;
    const { id } = await addPerson(api, { name: "Layla", email: "meanwhile@example.com" });
    const page = await visitor({ lang: "en", as: admin, refusals: [409] });
    await open(page, `/console/studio?person=${id}`);
    await find(page, t, "reports.read");
    await option(page, "reports.read").click();
    await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
    await api.call("PATCH", `/admin/users/${id}/permissions`, { deny: ["audit.read"] });
    const { bar } = panes(page, t);
    await bar.getByRole("button", { name: t("roles.review") }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: t("roles.save") }).click();
    await dialog.getByRole("button", { name: t("roles.renew") }).click();
    await expect(dialog.getByText(t("roles.meanwhile"))).toBeVisible();
    await expect(dialog).toContainText("audit.read");
    await dialog.getByRole("button", { name: t("roles.save") }).click();
    await expect(page.getByRole("status").getByText(t("roles.rights_saved"))).toBeVisible();
    const all: { key: string; because: { kind: string }[] }[] = await api.call("GET", `/admin/users/${id}/effective-permissions`);
    const kinds = (key: string) => all.find((one) => one.key === key)!.because.map((reason) => reason.kind);
    expect(kinds("audit.read")).toContain("denied");
    expect(kinds("reports.read")).toContain("allowed");
});

test("unsaved work asks before it is left, and is there again after a reload", async ({ visitor, admin, api }) => {
    const t = say.ar;
    const { id } = await addPerson(api, { name: "نوف", email: "draft@example.com" });
    const page = await visitor({ lang: "ar", as: admin });
    await open(page, `/console/studio?person=${id}`);
    await find(page, t, "reports.read");
    await option(page, "reports.read").click();
    await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
    const { bar } = panes(page, t);
    await expect(bar).toBeVisible();
    const questions: string[] = [];
    page.on("dialog", (dialog) => {
        questions.push(dialog.type());
        return dialog.type() === "confirm" ? dialog.dismiss() : dialog.accept();
    });
    await page.getByRole("link", { name: t("roles.choose_another") }).click();
    expect(questions).toEqual(["confirm"]);
    await expect(page).toHaveURL(new RegExp(`person=${id}`));
    await expect(bar).toBeVisible();
    await page.reload();
    await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
    await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));
    await expect(page.getByRole("status").getByText(t("ui.draft_restored"))).toBeVisible();
});

test("unsaved work asks before the menu or the palette leaves it, and a step back keeps it", async ({ visitor, admin, api }) => {
    const t = say.en;
    const { id } = await addPerson(api, { name: "Stays Here", email: "stays@example.com" });
    await api.call("POST", "/admin/roles", { name: "Elsewhere desk" });
    const page = await visitor({ lang: "en", as: admin });
    await open(page, "/console/studio");
    await page.getByLabel(t("roles.search_target"), { exact: true }).fill("Stays Here");
    await page.getByRole("link", { name: "Stays Here" }).click();
    await expect(page).toHaveURL(`/console/studio?person=${id}`);
    await expect(page.getByRole("heading", { name: "Stays Here" })).toBeVisible();
    await find(page, t, "reports.read");
    await option(page, "reports.read").click();
    await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
    const { bar } = panes(page, t);
    await expect(bar).toBeVisible();

    let asked = 0;
    page.on("dialog", (dialog) => {
        asked += 1;
        return dialog.dismiss();
    });
    const menu = page.getByRole("navigation", { name: t("app.menu") });
    await menu.getByRole("link", { name: t("app.studio"), exact: true }).click();
    await expect.poll(() => asked).toBe(1);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: t("ui.palette_field") }).fill("Elsewhere desk");
    await page.getByRole("option", { name: t("app.act_studio", { name: "Elsewhere desk" }) }).click();
    await expect.poll(() => asked).toBe(2);
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(`/console/studio?person=${id}`);
    await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));

    // The browser's own buttons cannot be asked; what was staged is there when one comes back.
    await page.goBack();
    await expect(page).toHaveURL("/console/studio");
    await expect(bar).toBeHidden();
    await page.goForward();
    await expect(bar).toContainText(t("roles.unsaved", { count: 1 }));
    await expect(page.getByRole("status").getByText(t("ui.draft_restored"), { exact: true })).toBeVisible();
});

test("a draft that is older than what is saved says so when it is back", async ({ visitor, admin, api }) => {
    const t = say.en;
    const { id } = await addPerson(api, { name: "Overtaken", email: "overtaken@example.com" });
    const page = await visitor({ lang: "en", as: admin });
    page.on("dialog", (dialog) => dialog.accept());
    await open(page, `/console/studio?person=${id}`);
    await find(page, t, "reports.read");
    await option(page, "reports.read").click();
    await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
    const { bar } = panes(page, t);
    await expect(bar).toBeVisible();
    await api.call("PATCH", `/admin/users/${id}/permissions`, { deny: ["audit.read"] });
    // However often it is read, what was not looked at yet is told again.
    for (let times = 0; times < 2; times += 1) {
        await page.reload();
        await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
        await expect(page.getByRole("status").getByText(t("ui.draft_restored_over"))).toBeVisible();
    }
    await bar.getByRole("button", { name: t("roles.review") }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText(t("roles.meanwhile"))).toBeVisible();
    await expect(dialog).toContainText("audit.read");
    await dialog.getByRole("button", { name: t("roles.save") }).click();
    await expect(page.getByRole("status").getByText(t("roles.rights_saved"))).toBeVisible();
    const all = await held(api, id);
    expect(all).toContain("reports.read");
    expect(all).not.toContain("audit.read");
});

test("whoever may only look sees why nothing can be changed, and what would be refused", async ({ visitor, api, signedIn }) => {
    const t = say.en;
    const password = "three quiet lemons on a shelf";
    const limited = await api.call("POST", "/admin/roles", {
        name: "Limited granter",
        permissions: ["users.read", "permissions.read", "permissions.assign"],
    });
    const granter = { name: "Granter", email: "limited@example.com", password };
    await api.addPerson({ ...granter, roles: [limited.id] });
    const { id } = await addPerson(api, { name: "Target", email: "target@example.com" });
    const page = await visitor({ lang: "en", as: await signedIn(granter) });
    await open(page, `/console/studio?person=${id}`);
    await find(page, t, "audit.read");
    await option(page, "audit.read").click();
    await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
    const { effect, bar } = panes(page, t);
    await expect(effect).toContainText(t("roles.would_be_refused"));
    await expect(effect).toContainText("audit.read");
    await bar.getByRole("button", { name: t("roles.review") }).click();
    await expect(page.getByRole("dialog").getByRole("button", { name: t("roles.save") })).toBeDisabled();
});

test("two hundred roles draw as few rows as forty", async ({ visitor, admin, api }) => {
    const t = say.en;
    for (let at = 0; at < 200; at += 1) {
        await api.call("POST", "/admin/roles", { name: `Crowd ${String(at).padStart(3, "0")}` });
    }
    const { id } = await addPerson(api, { name: "Crowded", email: "crowded@example.com" });
    const page = await visitor({ lang: "en", as: admin });
    await open(page, `/console/studio?person=${id}&tab=roles`);
    const boxes = page.locator(".rows.roles input[type=checkbox]");
    await expect(boxes.first()).toBeVisible();
    expect(await boxes.count()).toBeLessThan(40);
    await page.getByLabel(t("roles.search_roles"), { exact: true }).fill("crowd 199");
    await page.getByRole("checkbox", { name: "Crowd 199" }).check();
    await expect(panes(page, t).bar).toContainText(t("roles.unsaved", { count: 1 }));
});

test("a thousand permissions draw as few rows as fifty, and are searched", async ({ fresh, visitorAt }) => {
    const t = say.en;
    const page = await visitorAt(fresh, { lang: "en" });
    await open(page, fresh.setupLink);
    await page.getByLabel(t("sessions.name"), { exact: true }).fill(ADMIN.name);
    await page.getByLabel(t("sessions.email"), { exact: true }).fill(ADMIN.email);
    await page.getByLabel(t("sessions.password"), { exact: true }).fill(ADMIN.password);
    await page.getByLabel(t("sessions.password_again"), { exact: true }).fill(ADMIN.password);
    await page.getByRole("button", { name: t("sessions.setup_submit") }).click();
    await expect(page.getByText(t("app.attention_none"), { exact: true })).toBeVisible();

    const api = await Api.signIn(fresh, ADMIN);
    const two = (number: number) => String(number).padStart(2, "0");
    const permissions = Array.from({ length: 1_000 }, (_, at) => {
        const [area, act] = [two(Math.floor(at / 50)), two(at % 50)];
        const description_en = area === "07" && act === "49" ? "Opens the safe in the morning" : "";
        return { key: `desk.area${area}.act${act}`, name_ar: `عمل ${area} ${act}`, name_en: `Act ${area} ${act}`, description_en };
    });
    await api.call("POST", "/admin/catalogue", { format: 1, permissions });
    const { id } = await addPerson(api, { name: "Thousand", email: "thousand@example.com" });

    await open(page, `/console/studio?person=${id}`);
    const { catalogue } = panes(page, t);
    const rights = page.locator(".rows.rights");
    const isFew = async () => {
        for (const rows of [catalogue.locator("> :not(.space)"), rights.locator("> :not(.space)")]) {
            await expect(rows.first()).toBeVisible();
            expect(await rows.count()).toBeLessThan(60);
        }
    };
    await isFew();
    for (const list of [catalogue, rights]) {
        for (const part of [0.5, 1, 0.25]) {
            await list.evaluate((list, part) => (list.scrollTop = list.scrollHeight * part), part);
            await isFew();
        }
    }
    // Screen readers are told of all of them, not of those that are drawn.
    await catalogue.focus();
    await page.keyboard.press("End");
    await expect(catalogue).toHaveAttribute("aria-activedescendant", /^pick-/);
    const last = catalogue.locator(`[id="${await catalogue.getAttribute("aria-activedescendant")}"]`);
    const all = await last.getAttribute("aria-setsize");
    expect(Number(all)).toBeGreaterThan(1_000);
    await expect(last).toHaveAttribute("aria-posinset", `${all}`);
    await expect(rights.getByRole("listitem").first()).toHaveAttribute("aria-setsize", /^\d{4}$/);

    await find(page, t, "area13.act4");
    await expect(catalogue.getByRole("option")).toHaveCount(10);
    await expect(catalogue.getByRole("option").last()).toHaveAttribute("aria-setsize", "10");
    await find(page, t, "safe morning");
    await expect(catalogue.getByRole("option")).toHaveCount(1);
    await option(page, "desk.area07.act49").click();
    await page.getByRole("button", { name: t("roles.give"), exact: true }).click();
    await reviewAndSave(page, t, t("roles.rights_saved"));
    expect(await held(api, id)).toContain("desk.area07.act49");

    // The page of a role draws the groups in which it gives something, and the others once they are opened.
    const role = await api.call("POST", "/admin/roles", { name: "Desk", permissions: ["desk.area07.act49"] });
    await open(page, `/console/roles/${role.id}`);
    const boxes = page.locator(".boxes input");
    await expect(page.getByRole("checkbox", { name: "Act 07 49" })).toBeChecked();
    expect(await boxes.count()).toBe(50);
    const group = (area: string) => page.locator("details.group").filter({ hasText: `desk.area${area}` });
    await expect(group("07").locator("summary")).toContainText(t("roles.given_of", { given: 1, all: 50 }));
    await group("03").locator("summary").click();
    await page.getByRole("checkbox", { name: "Act 03 11" }).check();
    expect(await boxes.count()).toBe(100);
    await expect(group("03").locator("summary")).toContainText(t("roles.given_of", { given: 1, all: 50 }));
    await group("03").locator("summary").press("Enter");
    expect(await boxes.count()).toBe(50);
    await page.getByLabel(t("roles.search"), { exact: true }).fill("safe morning");
    await expect(page.locator("details.group:visible")).toHaveCount(1);
    await page.getByLabel(t("roles.search"), { exact: true }).fill("area19.act00");
    await page.getByRole("checkbox", { name: "Act 19 00" }).check();
    await page.getByLabel(t("roles.search"), { exact: true }).fill("");
    await page.getByRole("button", { name: t("roles.review") }).click();
    const lines = page.getByRole("dialog").getByRole("listitem");
    await expect(lines).toHaveCount(2);
    await page.getByRole("dialog").getByRole("button", { name: t("roles.save"), exact: true }).click();
    await expect(page.getByRole("status").getByText(t("roles.saved"))).toBeVisible();
    const gives = ["desk.area03.act11", "desk.area07.act49", "desk.area19.act00"];
    expect((await api.call("GET", `/admin/roles/${role.id}`)).permissions).toEqual(gives);

    // Without scripts all of it can be read.
    const plain = await visitorAt(fresh, { lang: "en", scripts: false, as: await page.context().storageState() });
    await plain.goto(`/console/roles/${role.id}`);
    await plain.locator("details.group").filter({ hasText: "desk.area12" }).locator("summary").click();
    await expect(plain.getByText("Act 12 00", { exact: false })).toBeVisible();
});
