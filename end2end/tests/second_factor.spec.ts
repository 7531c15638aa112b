// The second factor in the browser: set up, asked for at the door, lost, required by role; and one's own sessions.

import { createHmac } from "node:crypto";
import {
    ADMIN,
    Api,
    DESKTOP,
    LANGS,
    PHONE,
    checkedPictures,
    expect,
    isUsable,
    open,
    outliveProofs,
    signIn,
    test,
    words,
    type Person,
    type Say,
} from "./support";
import type { Page } from "@playwright/test";

/** RFC 6238, written anew: the product's own code is not asked. */
function totp(secret: string, steps = 0): string {
    const bits = [...secret.replace(/\s/g, "")]
        .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
        .join("");
    const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
    const tag = createHmac("sha1", key).update(counter).digest();
    const at = tag[19] & 15;
    return String((tag.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const picture = checkedPictures("second-factor");

/** Goes through set-up from its first page; gives what the phone and the paper hold. */
async function setUp(page: Page, say: Say, name: string): Promise<{ secret: string; codes: string[]; used: number }> {
    await page.getByRole("button", { name: say("second_factor.begin") }).click();
    await expect(page.getByText(say("second_factor.scan"), { exact: true })).toBeVisible();
    await expect(page.getByRole("img", { name: say("second_factor.qr_label") })).toBeVisible();
    await picture(page, `scan-${name}`);
    const code = page.getByLabel(say("second_factor.code"), { exact: true });
    await expect(code).toHaveAttribute("autocomplete", "one-time-code");
    await code.fill("000000");
    await page.getByRole("button", { name: say("second_factor.confirm") }).click();
    await expect(page.getByRole("alert").first()).toContainText(say("base.error_wrong_code"));
    const secret = await page.getByTestId("totp-secret").innerText();
    expect(secret).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    await code.fill(totp(secret));
    await page.getByRole("button", { name: say("second_factor.confirm") }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("second_factor.codes_title"));
    const codes = await page.getByTestId("backup-codes").getByRole("listitem").allInnerTexts();
    expect(codes).toHaveLength(10);
    await picture(page, `codes-${name}`);
    return { secret, codes, used: Math.floor(Date.now() / 30_000) };
}

/** A code of a step that has not been used: the next one is accepted a little early. */
function fresh(secret: string, used: number): string {
    return totp(secret, Math.floor(Date.now() / 30_000) > used ? 0 : 1);
}

for (const lang of LANGS) {
    const say = words(lang);
    for (const scripts of [false, true]) {
        const size = scripts ? DESKTOP : PHONE;
        const name = `${lang}-${size.width}`;

        test(`it is set up, asked for, and got around with a backup code only, ${lang}, scripts ${scripts}`, async ({ api, visitor }) => {
            test.setTimeout(120_000);
            const person: Person = { name: "سارة", email: `sara.2fa.${name}@example.com`, password: "coffee with cardamom daily" };
            await api.addPerson(person);
            const page = await visitor({ lang, size, scripts, theme: scripts ? "dark" : "light", refusals: [401] });
            await page.goto("/login?next=%2Faccount%2Ftwo-factor");
            await signIn(page, say, person);
            await expect(page).toHaveURL("/account/two-factor");
            await picture(page, `begin-${name}`);
            const { secret, codes, used } = await setUp(page, say, name);

            // Nobody goes on without having said that they are saved.
            await page.getByRole("button", { name: say("second_factor.go_on") }).click();
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("second_factor.codes_title"));
            await page.getByRole("checkbox", { name: say("second_factor.saved_them") }).check();
            await page.getByRole("button", { name: say("second_factor.go_on") }).click();
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: person.name }));

            // At the door.
            const other = await visitor({ lang, size, scripts, refusals: [401] });
            await other.goto("/console/account");
            await signIn(other, say, person);
            await expect(other).toHaveURL("/login/code?next=%2Fconsole%2Faccount");
            await picture(other, `code-${name}`);
            await other.getByLabel(say("second_factor.code"), { exact: true }).fill("123 456");
            await other.getByRole("button", { name: say("second_factor.code_submit") }).click();
            await expect(other.getByRole("alert")).toContainText(say("base.error_wrong_code"));
            await other.getByLabel(say("second_factor.code"), { exact: true }).fill(fresh(secret, used));
            await other.getByRole("button", { name: say("second_factor.code_submit") }).click();
            await expect(other).toHaveURL("/console/account");
            await expect(other.getByRole("heading", { level: 1 })).toHaveText(say("app.account"));

            // The phone is lost.
            const lost = await visitor({ lang, size, scripts });
            await lost.goto("/login");
            await signIn(lost, say, person);
            await lost.getByRole("link", { name: say("second_factor.use_backup") }).click();
            await lost.getByLabel(say("second_factor.backup_code"), { exact: true }).fill(codes[3].toLowerCase());
            await picture(lost, `backup-${name}`);
            await lost.getByRole("button", { name: say("second_factor.code_submit") }).click();
            await expect(lost).toHaveURL("/console");
            await lost.goto("/account/two-factor");
            await expect(lost.getByRole("main")).toContainText(say("second_factor.codes_left", { count: 9 }));
            await picture(lost, `manage-${name}`);
            await lost.getByRole("checkbox", { name: say("second_factor.disable_sure") }).check();
            await lost.getByRole("button", { name: say("second_factor.disable") }).click();
            await expect(lost.getByRole("button", { name: say("second_factor.begin") })).toBeVisible();
        });
    }

    test(`who needs it by role is led through set-up and nowhere else, ${lang}`, async ({ fresh: server, visitorAt }) => {
        test.setTimeout(120_000);
        const page = await visitorAt(server, { lang, refusals: [401, 403] });
        await open(page, server.setupLink);
        await page.getByLabel(say("sessions.name"), { exact: true }).fill(ADMIN.name);
        await page.getByLabel(say("sessions.email"), { exact: true }).fill(ADMIN.email);
        await page.getByLabel(say("sessions.password"), { exact: true }).fill(ADMIN.password);
        await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(ADMIN.password);
        await page.getByRole("button", { name: say("sessions.setup_submit") }).click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: ADMIN.name }));
        const api = await Api.signIn(server, ADMIN);
        await api.call("PATCH", "/admin/settings", { sign_in: { second_factor_roles: ["super-admin"] } });

        await page.goto("/console/people");
        await expect(page).toHaveURL("/account/two-factor");
        await expect(page.getByText(say("second_factor.required_title"), { exact: true })).toBeVisible();
        await picture(page, `required-${lang}`);
        await setUp(page, say, `required-${lang}`);
        await page.getByRole("checkbox", { name: say("second_factor.saved_them") }).check();
        await page.getByRole("button", { name: say("second_factor.go_on") }).click();
        // A form that is got has a query, if an empty one.
        await expect(page).toHaveURL(/\/console\??$/);
        await page.goto("/console/people");
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("accounts.people"));
    });

    for (const size of [PHONE, DESKTOP]) {
        test(`an administrator takes a lost second step off, ${lang}, ${size.width}`, async ({ admin, api, server, visitor }) => {
            const tag = `${lang}.${size.width}`;
            const person: Person = { name: "Lina", email: `lina.lost.${tag}@example.com`, password: "the phone is in the sea" };
            const { id } = await api.addPerson(person);
            const own = await Api.signIn(server, person);
            const { secret } = await own.call("POST", "/auth/2fa/setup");
            await own.call("POST", "/auth/2fa/verify", { code: totp(secret) });

            const page = await visitor({ lang, size, as: admin, refusals: [401] });
            const path = `/console/people/${id}?tab=sessions`;
            await open(page, path);
            outliveProofs(server, ADMIN);
            const dialog = page.getByRole("dialog");
            const takeOff = async () => {
                await page.getByRole("button", { name: say("second_factor.lost"), exact: true }).click();
                await dialog.getByRole("button", { name: say("second_factor.lost"), exact: true }).click();
            };
            await takeOff();
            // Whoever has to prove themselves first is led there and back.
            await expect(dialog.getByRole("alert").first()).toContainText(say("base.error_step_up"));
            await picture(page, `lost-step-up-${lang}-${size.width}`);
            await dialog.getByRole("link").click();
            await expect(page).toHaveURL(`/reauthenticate?next=${encodeURIComponent(path)}`);
            await page.getByLabel(say("sessions.password"), { exact: true }).fill(ADMIN.password);
            await page.getByRole("button", { name: say("second_factor.code_submit"), exact: true }).click();
            await expect(page).toHaveURL(path);
            await isUsable(page);
            await takeOff();
            await expect(page.getByText(say("second_factor.lost_done"), { exact: true })).toBeVisible();

            // From now on the password is enough again.
            const theirs = await visitor({ lang, size });
            await open(theirs, "/login");
            await signIn(theirs, say, person);
            await expect(theirs).toHaveURL("/console");
        });

        test(`people see where they are signed in and end it, ${lang}, ${size.width}`, async ({ api, server, visitor }) => {
            const person: Person = { name: "Omar", email: `omar.s.${lang}.${size.width}@example.com`, password: "nobody knows this phrase" };
            const { id } = await api.addPerson(person);
            const elsewhere = await visitor({ lang, size });
            const page = await visitor({ lang, size, theme: "dark" });
            for (const browser of [elsewhere, page]) {
                await open(browser, "/login");
                await signIn(browser, say, person);
                await expect(browser).toHaveURL("/console");
            }
            await Api.signIn(server, person);
            await open(page, "/console/account");
            const rows = page.locator(".session-list > li");
            await expect(rows).toHaveCount(3);
            await expect(rows.filter({ hasText: say("sessions.this_session") })).toHaveCount(1);
            await picture(page, `sessions-${lang}-${size.width}`);
            const program = rows.filter({ hasText: say("sessions.kind_program") });
            await program.getByRole("button", { name: say("sessions.end_session") }).click();
            await expect(rows).toHaveCount(2);
            const devices = page.getByRole("region", { name: say("sessions.devices"), exact: true }).getByRole("listitem");
            await expect(devices).toHaveCount(3);
            const known = devices.filter({ hasText: say("sessions.kind_program") });
            await known.getByRole("button", { name: say("sessions.forget_device") }).click();
            await expect(page.getByText(say("sessions.device_forgotten"), { exact: true })).toBeVisible();
            await expect(devices).toHaveCount(2);
            await expect(rows).toHaveCount(2);
            await page.getByRole("button", { name: say("sessions.end_others"), exact: true }).click();
            await page.getByRole("dialog").getByRole("button", { name: say("sessions.end_others") }).click();
            await expect(rows).toHaveCount(1);
            await elsewhere.goto("/console");
            await expect(elsewhere).toHaveURL("/login?next=%2Fconsole");

            // And whoever may sees and ends them on the person's page.
            const state = await visitor({ lang, size });
            await open(state, `/login?next=${encodeURIComponent(`/console/people/${id}?tab=sessions`)}`);
            await signIn(state, say, ADMIN);
            await expect(state.locator(".session-list > li")).toHaveCount(1);
            await picture(state, `person-sessions-${lang}-${size.width}`);
            await state.getByRole("button", { name: say("sessions.end_all"), exact: true }).click();
            await state.getByRole("dialog").getByRole("button", { name: say("sessions.end_all") }).click();
            await expect(state.getByText(say("sessions.sessions_none"), { exact: true })).toBeVisible();
            await page.goto("/console");
            await expect(page).toHaveURL("/login?next=%2Fconsole");
        });
    }
}
