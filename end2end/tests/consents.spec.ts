// Consents: an administrator publishes texts, whoever owes one is held up until they have given it, and what is optional
// is withdrawn. On servers of their own: a required text holds up everybody.

import { ADMIN, Api, DESKTOP, LANGS, PHONE, checkedPictures, expect, isUsable, open, signIn, test, words, type Person } from "./support";

const picture = checkedPictures("consents");
const TERMS = { title_ar: "شروط الاستخدام", title_en: "Terms of use", body_ar: "نحفظ سجل دخولك.\n\nولا نبيع بياناتك.", body_en: "We keep a log of sign-ins.\n\nWe sell nothing." };
const NEWS = { title_ar: "رسائل الأخبار", title_en: "Newsletter", body_ar: "رسالة كل شهر.", body_en: "One letter a month." };

for (const lang of LANGS) {
    const say = words(lang);
    const terms = TERMS[`title_${lang}`];
    const news = NEWS[`title_${lang}`];

    test(`a required text comes first, an optional one is withdrawn, ${lang}`, async ({ fresh: server, visitorAt }) => {
        test.setTimeout(120_000);
        const page = await visitorAt(server, { lang, size: DESKTOP });
        await open(page, server.setupLink);
        await page.getByLabel(say("sessions.name"), { exact: true }).fill(ADMIN.name);
        await page.getByLabel(say("sessions.email"), { exact: true }).fill(ADMIN.email);
        await page.getByLabel(say("sessions.password"), { exact: true }).fill(ADMIN.password);
        await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(ADMIN.password);
        await page.getByRole("button", { name: say("sessions.setup_submit") }).click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: ADMIN.name }));
        const api = await Api.signIn(server, ADMIN);
        const person: Person = { name: "سارة", email: "sara@example.com", password: "coffee with cardamom daily" };
        await api.addPerson(person);

        // The administrator writes a text and publishes it.
        await open(page, "/console/consents");
        await expect(page.getByText(say("consents.none"), { exact: true })).toBeVisible();
        await page.getByRole("link", { name: say("consents.create") }).first().click();
        await page.getByLabel(say("consents.key"), { exact: true }).fill("terms");
        for (const [field, text] of Object.entries(TERMS)) await page.getByLabel(say(`consents.${field}`), { exact: true }).fill(text);
        await page.getByRole("checkbox", { name: say("consents.required_box") }).check();
        await picture(page, `new-${lang}`);
        await page.getByRole("button", { name: say("consents.save"), exact: true }).click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(terms);
        await page.getByRole("button", { name: say("consents.publish"), exact: true }).click();
        await page.getByRole("dialog").getByRole("button", { name: say("consents.publish"), exact: true }).click();

        // Who publishes it owes it as well.
        await expect(page).toHaveURL("/account/consents");
        await isUsable(page);
        await expect(page.getByText(say("consents.owed"), { exact: true })).toBeVisible();
        await picture(page, `owed-${lang}`);
        await page.getByRole("button", { name: say("consents.give_it", { title: terms }) }).click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: ADMIN.name }));
        const optional = await api.call("POST", "/admin/consents", { key: "news", ...NEWS });
        await api.call("POST", `/admin/consents/${optional.id}/publish`);
        await open(page, "/console/consents");
        await page.getByRole("link", { name: terms }).click();
        await expect(page.getByRole("rowheader", { name: ADMIN.name })).toBeVisible();
        await isUsable(page);
        await picture(page, `text-${lang}`);

        // Whoever signs in gets no further, with or without scripts.
        const theirs = await visitorAt(server, { lang, size: PHONE, scripts: false });
        await theirs.goto("/login");
        await signIn(theirs, say, person);
        await expect(theirs).toHaveURL("/account/consents");
        await theirs.goto("/console/account");
        await expect(theirs).toHaveURL("/account/consents");
        await expect(theirs.getByText(TERMS[`body_${lang}`].split("\n")[0])).toBeVisible();
        await picture(theirs, `owed-plain-${lang}`);
        await theirs.getByRole("button", { name: say("consents.give_it", { title: terms }) }).click();
        await expect(theirs).toHaveURL("/console");
        await expect(theirs.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: person.name }));

        await theirs.goto("/account/consents");
        const card = theirs.getByRole("region", { name: news });
        await card.getByRole("button", { name: say("consents.give_it", { title: news }) }).click();
        await expect(card).toContainText(say("consents.given_version", { number: 1 }));
        await card.getByRole("button", { name: say("consents.withdraw_it", { title: news }) }).click();
        await expect(card).toContainText(say("consents.withdrawn_version", { number: 1 }));
        await expect(theirs.getByRole("region", { name: terms })).toContainText(say("consents.kept"));
        await picture(theirs, `own-${lang}`);
    });
}
