// Governance on the screen: proof over the log, keys for programs, and a second person for what is high.

import { readFileSync } from "node:fs";

import type { Locator } from "@playwright/test";

import { ADMIN, DESKTOP, LANGS, PHONE, expect, open, pictures, test, words } from "./support";

const picture = pictures("governance");

for (const lang of LANGS) {
    const say = words(lang);

    test(`the log is verified, followed and exported, ${lang}`, async ({ visitor, admin, api }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/audit");
        await page.getByRole("button", { name: say("audit.proof_again"), exact: true }).click();
        await expect(page.getByText(say("audit.proof_intact"))).toBeVisible({ timeout: 20_000 });

        const download = page.waitForEvent("download");
        await page.getByRole("link", { name: say("audit.export_csv") }).click();
        const file = await (await download).path();
        const table = readFileSync(file, "utf8");
        expect(table.startsWith("\uFEFFcreated_at,id,")).toBe(true);
        expect(table).toContain("auth.login");

        await page.getByRole("button", { name: say("audit.live"), exact: true }).click();
        const name = `Followed ${lang}`;
        await api.addPerson({ name, email: `followed.${lang}@example.com` });
        await expect(page.getByRole("table").getByText(name).first()).toBeVisible({ timeout: 20_000 });

        await page.getByRole("button", { name: say("audit.keep_edit"), exact: true }).click();
        const dialog = page.getByRole("dialog", { name: say("audit.keep_title") });
        await dialog.getByLabel(say("audit.keep_days"), { exact: true }).fill("365");
        await dialog.getByRole("button", { name: say("audit.keep_save"), exact: true }).click();
        await expect(page.getByText(say("audit.keep_days_said", { count: 365 }))).toBeVisible();
    });

    test(`a key is made, shown once, rotated and deleted, ${lang}`, async ({ visitor, server, signedIn }) => {
        // Making a key needs a proof of late.
        const page = await visitor({ lang, as: await signedIn(ADMIN), size: PHONE });
        await open(page, "/console/api-keys");
        const name = `Payroll ${lang}`;
        await page.getByRole("button", { name: say("api_keys.add"), exact: true }).click();
        const dialog = page.getByRole("dialog", { name: say("api_keys.add") });
        await dialog.getByLabel(say("api_keys.name"), { exact: true }).fill(name);
        await dialog.getByLabel("users.read", { exact: true }).check();
        await dialog.getByRole("button", { name: say("api_keys.add"), exact: true }).click();
        const shown = page.getByTestId("api-key");
        await expect(shown).toHaveText(/^bwk_/);
        const secret = (await shown.textContent()) ?? "";
        const ask = (path: string, key: string) =>
            fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
        expect((await ask("/admin/users", secret)).status).toBe(200);
        expect((await ask("/admin/roles", secret)).status).toBe(403);
        await page.getByRole("button", { name: say("api_keys.put_away"), exact: true }).click();
        await expect(shown).toHaveCount(0);

        const row = page.getByRole("row").filter({ hasText: name });
        await row.getByRole("button", { name: say("api_keys.rotate") }).click();
        await page.getByRole("dialog").getByRole("button", { name: say("api_keys.rotate"), exact: true }).click();
        await expect(shown).not.toHaveText(secret);
        const rotated = (await shown.textContent()) ?? "";
        expect((await ask("/admin/users", rotated)).status).toBe(200);
        await row.getByRole("button", { name: say("api_keys.delete") }).click();
        await page.getByRole("dialog").getByRole("button", { name: say("api_keys.delete"), exact: true }).click();
        await expect(row).toHaveCount(0);
        expect((await ask("/admin/users", rotated)).status).toBe(401);
    });

    for (const size of [DESKTOP, PHONE]) {
        test(`a deleted person is erased, and the report tells what stays, ${lang}, ${size.width}`, async ({ visitor, api, signedIn }) => {
            const name = `Mona Saleh ${lang} ${size.width}`;
            const email = `mona.${lang}.${size.width}@example.com`;
            const { id } = await api.addPerson({ name, email, password: "a password of many words", locale: lang });
            await api.call("DELETE", `/admin/users/${id}`);
            // It cannot be undone, and needs a proof of late.
            const page = await visitor({ lang, size, as: await signedIn(ADMIN) });
            await open(page, `/console/people/${id}`);
            const card = page.getByRole("region", { name: say("accounts.erasure"), exact: true });
            await expect(card.getByText(say("accounts.erasure_about"), { exact: true })).toBeVisible();
            await card.getByRole("button", { name: say("accounts.erase"), exact: true }).click();
            const dialog = page.getByRole("dialog");
            await expect(dialog.getByRole("heading")).toHaveText(say("accounts.erase_title", { name }));
            const line = (place: Locator, kind: string) => place.getByRole("row").filter({ hasText: say(`accounts.kind_${kind}`) });
            for (const place of [dialog, card]) {
                // First what would happen, then what has happened: the same lines.
                if (place === card) await dialog.getByRole("button", { name: say("accounts.erase"), exact: true }).click();
                await expect(line(place, "account")).toContainText(say("accounts.fate_pseudonymised"));
                await expect(line(place, "account")).toContainText(say("accounts.why_referred"));
                await expect(line(place, "log")).toContainText(say("accounts.why_chained"));
                await picture(page, `erasure-${place === card ? "done" : "ahead"}-${lang}-${size.width}`);
            }
            await expect(page.getByText(say("accounts.erased"), { exact: true })).toBeVisible();
            await expect(card.getByRole("button", { name: say("accounts.erase"), exact: true })).toHaveCount(0);
            await expect(page.getByRole("heading", { level: 1 })).not.toContainText(name);
            const download = page.waitForEvent("download");
            await card.getByRole("link", { name: say("accounts.erasure_file"), exact: true }).click();
            const report = JSON.parse(readFileSync(await (await download).path(), "utf8"));
            expect(report.lines).toContainEqual({ kind: "account", rows: 1, fate: "pseudonymised", reason: "referred" });
            expect(JSON.stringify(await api.call("GET", `/admin/users/${id}`))).not.toContain(email);
        });
    }

    test(`what is high waits for a second person, ${lang}`, async ({ visitor, admin, api, signedIn }) => {
        const boss = await api.roleId("super-admin");
        const second = { name: `Second ${lang}`, email: `second.${lang}@example.com`, password: "another quiet night" };
        const peer = await api.addPerson({ ...second, roles: [boss] });
        const wanted = { name: `Wanted ${lang}`, email: `wanted.${lang}@example.com`, password: "a third quiet night" };
        const person = await api.addPerson(wanted);
        try {
            const rights = { overrides: { allow: [{ key: "*" }], deny: [] } };
            const reason = `Covering ${lang}`;
            await api.call("POST", "/admin/approvals", { user_id: person.id, rights, reason });

            const page = await visitor({ lang, as: await signedIn(second) });
            await open(page, "/console");
            const menu = page.getByRole("navigation", { name: say("app.menu") });
            // Others may wait, too: the entry of the menu says more than its own name.
            const entry = menu.locator("a[href='/console/approvals']:visible");
            await expect(entry).not.toHaveAccessibleName(say("app.approvals"));
            await entry.click();
            const card = page.getByRole("article").filter({ hasText: reason });
            await card.getByRole("button", { name: say("approvals.approve") }).click();
            const dialog = page.getByRole("dialog");
            await dialog.getByRole("button", { name: say("approvals.approve"), exact: true }).click();
            await expect(page.getByText(say("approvals.toast_applied"))).toBeVisible();
            await expect(card).toHaveCount(0);
            const own = await visitor({ lang, as: admin, size: DESKTOP });
            await open(own, "/console/approvals?show=mine");
            await expect(own.getByRole("article").filter({ hasText: reason })).toContainText(say("approvals.state_applied"));
        } finally {
            await api.call("PATCH", `/admin/users/${person.id}/permissions`, { allow: [] });
            await api.call("DELETE", `/admin/users/${peer.id}`);
        }
    });

    test(`what a group gives is asked for from its own form, and seen again when it has changed, ${lang}`, async ({ visitor, admin, api, signedIn }) => {
        const second = { name: `Third ${lang}`, email: `third.${lang}@example.com`, password: "one more quiet night" };
        const decider = await api.call("POST", "/admin/roles", { name: `Agreers ${lang}`, permissions: ["approvals.decide"] });
        const peer = await api.addPerson({ ...second, roles: [decider.id] });
        const person = await api.addPerson({ name: `Member ${lang}`, email: `member.${lang}@example.com`, roles: [] });
        const deleters = `Deleters ${lang}`;
        const role = await api.call("POST", "/admin/roles", { name: deleters, permissions: ["users.delete"] });
        const name = `On call ${lang}`;
        const group = await api.call("POST", "/admin/groups", { name });
        try {
            await api.call("POST", `/admin/groups/${group.id}/members`, { user: person.id });
            await api.call("PUT", "/admin/approvals/rules", { permissions: ["users.delete"], required: 1, expires_hours: 24 });
            const reason = `On call this week ${lang}`;
            const page = await visitor({ lang, as: admin, size: DESKTOP, refusals: [403] });
            await open(page, `/console/groups/${group.id}`);
            await page.getByRole("checkbox", { name: deleters }).check();
            await page.getByRole("button", { name: say("groups.save"), exact: true }).click();
            await page.getByLabel(say("roles.ask_reason"), { exact: true }).fill(reason);
            await page.getByRole("button", { name: say("roles.ask_approval") }).click();
            await expect(page.getByText(say("roles.ask_sent"), { exact: true })).toBeVisible();
            await expect(page.getByRole("checkbox", { name: deleters })).not.toBeChecked();

            const other = await visitor({ lang, as: await signedIn(second), size: PHONE, refusals: [409] });
            await open(other, "/console/approvals");
            const card = other.getByRole("article").filter({ hasText: reason });
            await expect(card.getByRole("heading", { level: 2 })).toContainText(name);
            await expect(card.getByRole("listitem").filter({ hasText: say("audit.field_roles") })).toContainText(deleters);
            await picture(other, `request-group-${lang}`);

            // Meanwhile the group becomes another one.
            await api.call("PATCH", `/admin/groups/${group.id}`, { roles: [{ role: await api.roleId("readonly") }] });
            const agree = async () => {
                await card.getByRole("button", { name: say("approvals.approve") }).click();
                const dialog = other.getByRole("dialog");
                await dialog.getByRole("button", { name: say("approvals.approve"), exact: true }).click();
                return dialog;
            };
            const dialog = await agree();
            await dialog.getByRole("button", { name: say("approvals.look_again"), exact: true }).click();
            await expect(card.getByRole("heading", { name: say("approvals.moved"), exact: true })).toBeVisible();
            await expect(card.getByRole("listitem").filter({ hasText: "readonly" })).toBeVisible();
            await picture(other, `request-moved-${lang}`);
            await agree();
            await expect(other.getByText(say("approvals.toast_applied"))).toBeVisible();

            await open(page, `/console/groups/${group.id}`);
            await expect(page.getByRole("checkbox", { name: deleters })).toBeChecked();
            await expect(page.getByRole("checkbox", { name: "readonly" })).toBeChecked();
        } finally {
            await api.call("PUT", "/admin/approvals/rules", { permissions: [], required: 1, expires_hours: 24 });
            await api.call("DELETE", `/admin/groups/${group.id}`);
            await api.call("DELETE", `/admin/users/${peer.id}`);
            for (const { id } of [role, decider]) await api.call("DELETE", `/admin/roles/${id}`);
        }
    });

    test(`a catalogue that is too high for one is asked for where it is read in, ${lang}`, async ({ visitor, admin, api, signedIn }) => {
        const second = { name: `Fourth ${lang}`, email: `fourth.${lang}@example.com`, password: "yet another quiet night" };
        const decider = await api.call("POST", "/admin/roles", { name: `Decision makers ${lang}`, permissions: ["approvals.decide"] });
        const peer = await api.addPerson({ ...second, roles: [decider.id] });
        const name = `Registrars ${lang}`;
        const role = await api.call("POST", "/admin/roles", { name, permissions: ["tasks.create"] });
        const person = await api.addPerson({ name: `Registrar ${lang}`, email: `registrar.${lang}@example.com`, roles: [role.id] });
        try {
            await api.call("PUT", "/admin/approvals/rules", { permissions: ["users.delete"], required: 1, expires_hours: 24 });
            const reason = `From the other house ${lang}`;
            const page = await visitor({ lang, as: admin, size: DESKTOP, refusals: [403] });
            await open(page, "/console/permissions");
            const file = { format: 1, permissions: [], roles: [{ name, permissions: ["tasks.create", "users.delete"] }] };
            await page.getByLabel(say("roles.import_file"), { exact: true }).fill(JSON.stringify(file));
            await page.getByRole("button", { name: say("roles.import_look"), exact: true }).click();
            await expect(page.getByText(say("roles.needs_approval"), { exact: true })).toBeVisible();
            await page.getByRole("button", { name: say("roles.import"), exact: true }).click();
            await page.getByLabel(say("roles.ask_reason"), { exact: true }).fill(reason);
            await picture(page, `request-catalogue-${lang}`);
            await page.getByRole("button", { name: say("roles.ask_approval") }).click();
            await expect(page.getByText(say("roles.ask_sent"), { exact: true })).toBeVisible();

            const other = await visitor({ lang, as: await signedIn(second), size: PHONE });
            await open(other, "/console/approvals");
            const card = other.getByRole("article").filter({ hasText: reason });
            await expect(card.getByRole("heading", { level: 2 })).toContainText(name);
            await expect(card.getByText(say("approvals.reaches", { count: 1 }), { exact: true })).toBeVisible();
            await card.getByRole("button", { name: say("approvals.approve") }).click();
            const dialog = other.getByRole("dialog");
            await dialog.getByRole("button", { name: say("approvals.approve"), exact: true }).click();
            await expect(other.getByText(say("approvals.toast_applied"))).toBeVisible();
            expect((await api.call("GET", `/admin/roles/${role.id}`)).permissions).toContain("users.delete");
        } finally {
            await api.call("PUT", "/admin/approvals/rules", { permissions: [], required: 1, expires_hours: 24 });
            for (const { id } of [peer, person]) await api.call("DELETE", `/admin/users/${id}`);
            for (const { id } of [role, decider]) await api.call("DELETE", `/admin/roles/${id}`);
        }
    });

    test(`whoever is refused asks from there, ${lang}`, async ({ visitor, api, signedIn }) => {
        const person = { name: `Refused ${lang}`, email: `refused.${lang}@example.com`, password: "nothing was given to me" };
        await api.addPerson(person);
        const page = await visitor({ lang, as: await signedIn(person), refusals: [403] });
        await open(page, "/console/people", 403);
        await page.getByRole("link", { name: say("ui.refused_request") }).click();
        await expect(page.getByLabel(say("roles.ask_permission"), { exact: true })).toHaveValue("users.read");
        await page.getByLabel(say("roles.ask_reason"), { exact: true }).fill("مراجعة");
        await page.getByRole("button", { name: say("roles.ask_send"), exact: true }).click();
        await page.getByRole("link", { name: say("roles.ask_see") }).click();
        await expect(page.getByRole("article")).toContainText(say("approvals.state_waiting"));
    });

    test(`whoever acts as somebody sees it on every page until it ends, ${lang}`, async ({ visitor, admin, api }) => {
        const name = `Helped ${lang}`;
        const person = await api.addPerson({ name, email: `helped.${lang}@example.com`, password: "a fourth quiet night" });
        const page = await visitor({ lang, as: admin, size: PHONE });
        await open(page, `/console/people/${person.id}`);
        await page.getByRole("button", { name: say("impersonation.act_as"), exact: true }).click();
        const dialog = page.getByRole("dialog");
        await expect(dialog.getByText(say("impersonation.both_written"))).toBeVisible();
        await dialog.getByLabel(say("impersonation.reason"), { exact: true }).fill("مساعدة");
        await dialog.getByRole("button", { name: say("impersonation.act_as"), exact: true }).click();
        const band = page.getByRole("region", { name: say("impersonation.band_label"), exact: true });
        await expect(band).toContainText(name);
        await open(page, "/console/approvals");
        await expect(band).toContainText("مساعدة");
        await band.getByRole("button", { name: say("impersonation.stop"), exact: true }).click();
        await expect(band).toHaveCount(0);
        await open(page, `/console/people/${person.id}?tab=activity`);
        await expect(page.getByText(say("audit.action_impersonation_begin")).first()).toBeVisible();
    });
}
