// Passkeys in the browser, with an authenticator of the browser's own: made, named, used at the door and after the
// password, before sensitive acts, removed; and a copy refused.

import { DESKTOP, LANGS, PHONE, checkedPictures, expect, isUsable, open, signIn, test, words, type Person, type Say } from "./support";
import type { CDPSession, Page } from "@playwright/test";

const picture = checkedPictures("passkeys");

type Device = { cdp: CDPSession; id: string };

/** Gives a page a device that recognises its person at once. */
async function device(page: Page): Promise<Device> {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
        options: {
            protocol: "ctap2",
            transport: "internal",
            hasResidentKey: true,
            hasUserVerification: true,
            isUserVerified: true,
            automaticPresenceSimulation: true,
        },
    });
    return { cdp, id: authenticatorId };
}

/** Whether the device answers by itself; a person would otherwise have to touch it. */
async function answers({ cdp, id }: Device, enabled: boolean) {
    await cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: id, enabled });
}

/** Takes the keys of one device to another page's, as they are or counting from somewhere else. */
async function move(from: Device, to: Device, signCount?: number) {
    const { credentials } = await from.cdp.send("WebAuthn.getCredentials", { authenticatorId: from.id });
    for (const credential of credentials) {
        const moved = { ...credential, signCount: signCount ?? credential.signCount };
        await to.cdp.send("WebAuthn.addCredential", { authenticatorId: to.id, credential: moved });
    }
}

async function addPasskey(page: Page, say: Say, name: string) {
    await page.getByLabel(say("passkeys.name"), { exact: true }).fill(name);
    await page.getByRole("button", { name: say("passkeys.add_submit") }).click();
    await expect(page.getByText(say("passkeys.added"), { exact: true })).toBeVisible();
    await isUsable(page);
}

for (const lang of LANGS) {
    const say = words(lang);
    const rows = (page: Page) => page.locator(".passkey-list > li");

    for (const size of [PHONE, DESKTOP]) {
        const theme = size === PHONE ? "light" : "dark";
        const name = `${lang}-${size.width}`;

        test(`a passkey is made, named, opens the account alone, and is removed, ${name}`, async ({ api, visitor }) => {
            const person: Person = { name: "سارة المطيري", email: `sara.key.${name}@example.com`, password: "coffee with cardamom daily" };
            await api.addPerson(person);
            const page = await visitor({ lang, size, theme });
            const phone = await device(page);
            await open(page, "/login?next=%2Faccount%2Ftwo-factor");
            await picture(page, `login-${name}`);
            // The field of the name offers what the device knows.
            await expect(page.getByLabel(say("sessions.email_or_username"), { exact: true })).toHaveAttribute("autocomplete", "username webauthn");
            await signIn(page, say, person);
            await isUsable(page);
            await picture(page, `offer-${name}`);
            await page.getByRole("link", { name: say("second_factor.passkey_add") }).click();
            await isUsable(page);
            await expect(page.getByText(say("passkeys.no_passkeys"), { exact: true })).toBeVisible();
            await addPasskey(page, say, "هاتفي الأخضر");
            await expect(rows(page)).toHaveCount(1);
            await expect(rows(page)).toContainText(say("passkeys.not_used"));
            await picture(page, `one-${name}`);
            await rows(page).locator("summary").click();
            // What is missing is told in the language of the page.
            const newName = page.getByLabel(say("passkeys.new_name"), { exact: true });
            await newName.fill("");
            await page.getByRole("button", { name: say("passkeys.rename") }).click();
            await expect(newName).toHaveAccessibleDescription(say("base.field_required"));
            await expect(newName).toBeFocused();
            await newName.fill("My green phone");
            await page.getByRole("button", { name: say("passkeys.rename") }).click();
            await expect(rows(page)).toContainText("My green phone");
            await isUsable(page);
            // A device that has one makes no second.
            await page.getByLabel(say("passkeys.name"), { exact: true }).fill("again");
            await page.getByRole("button", { name: say("passkeys.add_submit") }).click();
            await expect(page.getByText(say("sessions.passkey_known"), { exact: true })).toBeVisible();

            const other = await visitor({ lang, size, theme });
            const same = await device(other);
            await answers(same, false);
            await move(phone, same);
            await open(other, "/login?next=%2Fconsole%2Faccount");
            await answers(same, true);
            await other.getByRole("button", { name: say("sessions.passkey_sign_in") }).click();
            await expect(other).toHaveURL("/console/account");
            await isUsable(other);
            await expect(other.getByRole("main")).toContainText("My green phone");
            await expect(other.locator(".session-list > li").filter({ hasText: say("sessions.this_session") })).toContainText(
                say("sessions.two_factors"),
            );
            await picture(other, `account-${name}`);
            await other.getByRole("link", { name: say("passkeys.manage") }).click();
            await isUsable(other);
            await expect(rows(other)).not.toContainText(say("passkeys.not_used"));
            await rows(other).locator("summary").click();
            await picture(other, `change-${name}`);
            await other.getByRole("button", { name: say("passkeys.remove") }).click();
            await expect(other.getByText(say("passkeys.removed"), { exact: true })).toBeVisible();
            await expect(rows(other)).toHaveCount(0);
            // The other session has ended with it.
            await answers(phone, false);
            await page.goto("/console");
            await expect(page).toHaveURL("/login?next=%2Fconsole");
        });
    }

    test(`a passkey is offered in the field of the name, ${lang}`, async ({ api, visitor }) => {
        const person: Person = { name: "Omar", email: `omar.key.${lang}@example.com`, password: "nobody knows this phrase" };
        await api.addPerson(person);
        const page = await visitor({ lang });
        const phone = await device(page);
        await answers(phone, false);
        await open(page, "/login?next=%2Faccount%2Fpasskeys");
        await signIn(page, say, person);
        await isUsable(page);
        await answers(phone, true);
        await addPasskey(page, say, "phone");
        const other = await visitor({ lang });
        const same = await device(other);
        await move(phone, same);
        // The virtual device chooses the one passkey there is as soon as it is offered.
        await other.goto("/login");
        await expect(other).toHaveURL("/console");
    });

    test(`a passkey is the second step, proves its person, and a copy of it is refused, ${lang}`, async ({ api, visitor }) => {
        const person: Person = { name: "ليان", email: `layan.key.${lang}@example.com`, password: "rain on a tin roof again" };
        await api.addPerson(person);
        const page = await visitor({ lang, refusals: [401] });
        const phone = await device(page);
        await answers(phone, false);
        await open(page, "/login?next=%2Faccount%2Fpasskeys");
        await signIn(page, say, person);
        await isUsable(page);
        await answers(phone, true);
        await addPasskey(page, say, "phone");

        // After the password.
        const other = await visitor({ lang, size: PHONE });
        const same = await device(other);
        await answers(same, false);
        await open(other, "/login?next=%2Fconsole%2Faccount");
        await signIn(other, say, person);
        await expect(other).toHaveURL("/login/code?next=%2Fconsole%2Faccount");
        await isUsable(other);
        await expect(other.getByLabel(say("second_factor.code"), { exact: true })).toHaveCount(0);
        await picture(other, `step-${lang}`);
        await answers(same, true);
        await move(phone, same, 100);
        await other.getByRole("button", { name: say("sessions.passkey_use") }).click();
        await expect(other).toHaveURL("/console/account");

        // Before a sensitive act.
        await open(other, "/reauthenticate?next=%2Faccount%2Fpasskeys");
        await picture(other, `prove-${lang}`);
        await other.getByRole("button", { name: say("sessions.passkey_use") }).click();
        await expect(other).toHaveURL("/account/passkeys");

        // The phone's own key counts from where it was: of two that count, one is a copy.
        const copy = await visitor({ lang });
        const old = await device(copy);
        await answers(old, false);
        await move(phone, old, 1);
        await open(copy, "/login");
        await answers(old, true);
        await copy.getByRole("button", { name: say("sessions.passkey_sign_in") }).click();
        await expect(copy).toHaveURL("/login?passkey=wrong_passkey");
        await expect(copy.getByRole("alert").filter({ hasText: say("base.error_wrong_passkey") })).toBeVisible();
        const events = await api.call("GET", "/admin/audit?action=auth.passkey_copy_suspected");
        expect(events.items.length).toBeGreaterThan(0);
    });
}

test("without scripts the page of sign-in is complete and offers no passkey", async ({ visitor }) => {
    const say = words("ar");
    const page = await visitor({ lang: "ar", size: PHONE, scripts: false });
    await page.goto("/login");
    await expect(page.getByRole("button", { name: say("sessions.passkey_sign_in") })).toBeHidden();
    await expect(page.getByRole("button", { name: say("sessions.sign_in"), exact: true })).toBeVisible();
});
