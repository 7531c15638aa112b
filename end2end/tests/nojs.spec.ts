// What works in a browser without scripts: coming in, reading, the switches, going out.

import { ADMIN, DESKTOP, LANGS, PHONE, expect, signIn, test, words } from "./support";

const CROWD = 55;

for (const lang of LANGS) {
    const say = words(lang);

    test(`a wrong password is refused in these words and the e-mail stays, ${lang}`, async ({ visitor }) => {
        const page = await visitor({ lang, size: PHONE, scripts: false, refusals: [401] });
        await page.goto("/console/roles");
        await expect(page).toHaveURL("/login?next=%2Fconsole%2Froles");
        await signIn(page, say, { ...ADMIN, password: "not the password at all" });
        const refusal = { ar: "البريد أو كلمة المرور غير صحيحة", en: "The e-mail or password is wrong" };
        await expect(page.getByRole("alert").getByText(refusal[lang], { exact: true })).toBeVisible();
        await expect(page.getByLabel(say("sessions.email_or_username"), { exact: true })).toHaveValue(ADMIN.email);
        await expect(page.getByLabel(say("sessions.password"), { exact: true })).toHaveValue("");

        await signIn(page, say, ADMIN);
        await expect(page).toHaveURL("/console/roles");
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("roles.roles"));
    });

    test(`the set-up form keeps what was typed, ${lang}`, async ({ fresh, visitorAt }) => {
        const page = await visitorAt(fresh, { lang, size: DESKTOP, scripts: false, refusals: [422] });
        await page.goto(fresh.setupLink);
        const name = page.getByLabel(say("sessions.name"), { exact: true });
        const email = page.getByLabel(say("sessions.email"), { exact: true });
        const password = page.getByLabel(say("sessions.password"), { exact: true });
        const again = page.getByLabel(say("sessions.password_again"), { exact: true });
        await name.fill(ADMIN.name);
        // Browsers find nothing wrong with it.
        await email.fill(".noura@example.com");
        await password.fill(ADMIN.password);
        await again.fill("something else entirely");
        await page.getByRole("button", { name: say("sessions.setup_submit") }).click();

        const alert = page.getByRole("alert");
        await expect(alert).toContainText(say("base.error_invalid"));
        await expect(alert.getByRole("link")).toHaveCount(2);
        await expect(email).toHaveAccessibleDescription(say("base.field_malformed"));
        await expect(again).toHaveAccessibleDescription(say("base.field_different"));
        await expect(name).toHaveValue(ADMIN.name);
        await expect(email).toHaveValue(".noura@example.com");
        await expect(password).toHaveValue("");
        await expect(again).toHaveValue("");

        await email.fill(ADMIN.email);
        await password.fill(ADMIN.password);
        await again.fill(ADMIN.password);
        await page.getByRole("button", { name: say("sessions.setup_submit") }).click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: ADMIN.name }));
    });

    test(`a person who was added chooses a password, ${lang}`, async ({ api, visitor }) => {
        const { link } = await api.addPerson({ name: "Lina", email: `lina.${lang}@example.com` });
        const page = await visitor({ lang, size: PHONE, scripts: false, refusals: [422, 410] });
        await page.goto(link);
        const password = page.getByLabel(say("sessions.password"), { exact: true });
        const again = page.getByLabel(say("sessions.password_again"), { exact: true });
        await password.fill("a password of many words");
        await again.fill("another password of many words");
        await page.getByRole("button", { name: say("sessions.welcome_submit") }).click();
        await expect(again).toHaveAccessibleDescription(say("base.field_different"));
        await password.fill("a password of many words");
        await again.fill("a password of many words");
        await page.getByRole("button", { name: say("sessions.welcome_submit") }).click();
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name: "Lina" }));
        await page.goto(link);
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("sessions.welcome_spent_title"));
    });

    test(`people are found, filtered and paged through, ${lang}`, async ({ api, admin, visitor }) => {
        const tag = `crowd-${lang}`;
        for (let number = 1; number <= CROWD; number += 1) {
            const padded = String(number).padStart(2, "0");
            await api.addPerson({ name: `${tag} ${padded}`, email: `${tag}-${padded}@example.com`, department: tag });
        }
        const page = await visitor({ lang, scripts: false, as: admin });
        await page.goto("/console/people");
        const people = page.getByRole("rowheader");

        await page.getByLabel(say("accounts.department"), { exact: true }).fill(tag);
        await page.getByLabel(say("accounts.status"), { exact: true }).selectOption("invited");
        await page.getByRole("button", { name: say("ui.filter") }).click();
        await expect(people).toHaveCount(50);
        await expect(people.first()).toContainText(`${tag} 01`);
        await expect(page.getByLabel(say("accounts.department"), { exact: true })).toHaveValue(tag);
        await expect(page.getByLabel(say("accounts.status"), { exact: true })).toHaveValue("invited");

        await page.getByRole("link", { name: say("ui.next_page") }).click();
        await expect(people).toHaveCount(CROWD - 50);
        await expect(people.last()).toContainText(`${tag} ${CROWD}`);
        await page.getByRole("link", { name: say("ui.first_page") }).click();
        await expect(people).toHaveCount(50);

        await page.getByLabel(say("accounts.search")).fill(`${tag} 07`);
        await page.getByRole("button", { name: say("ui.filter") }).click();
        await expect(people).toHaveCount(1);
        await page.getByLabel(say("accounts.status"), { exact: true }).selectOption("suspended");
        await page.getByRole("button", { name: say("ui.filter") }).click();
        await expect(page.getByText(say("ui.nothing_found"), { exact: true })).toBeVisible();
        await page.getByRole("link", { name: say("ui.clear_filters") }).first().click();
        await expect(page).toHaveURL("/console/people");
    });

    test(`the page of a person can be read, ${lang}`, async ({ api, admin, visitor }) => {
        const reem = { name: "Reem الحربي", email: `reem.${lang}@example.com`, password: "she has chosen one already" };
        const { id } = await api.addPerson({ ...reem, department: "HR" });
        await api.call("PATCH", `/admin/users/${id}/permissions`, {
            allow: [],
            deny: [{ key: "reports.read", reason: "A stated reason" }],
        });
        const page = await visitor({ lang, scripts: false, as: admin });
        await page.goto(`/console/people/${id}`);
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(reem.name);
        await expect(page.getByRole("main")).toContainText(say("accounts.status_active"));
        await expect(page.getByLabel(say("accounts.department"), { exact: true })).toHaveValue("HR");
        // Acting needs scripts, and says so by being off.
        await expect(page.getByRole("button", { name: say("accounts.suspend") })).toBeDisabled();

        const tabs = page.getByRole("navigation", { name: say("app.tabs") });
        await tabs.getByRole("link", { name: say("app.tab_roles") }).click();
        await expect(page.getByRole("checkbox", { name: "standard-user" })).toBeChecked();
        await tabs.getByRole("link", { name: say("app.tab_permissions") }).click();
        // All of them in words: the list with its switches draws what is in sight, and scrolling it needs scripts.
        const right = page.locator("noscript li.padded").filter({ hasText: "reports.read" });
        await expect(right).toContainText(say("roles.refused"));
        await expect(right).toContainText("A stated reason");
        await expect(page.locator("noscript li.padded").filter({ hasText: "workflows.update" })).toBeVisible();
        await expect(page.getByRole("radio", { name: say("ui.denied") }).first()).toBeDisabled();
    });
}

test("language and theme are switched, and the page stays the same", async ({ visitor }) => {
    const page = await visitor({ lang: "ar", scripts: false });
    const html = page.locator("html");
    await page.goto("/login?next=%2Fconsole%2Faudit");
    await expect(html).toHaveAttribute("dir", "rtl");
    await page.getByRole("button", { name: words("ar")("ui.other_language") }).click();
    await expect(html).toHaveAttribute("lang", "en");
    await expect(html).toHaveAttribute("dir", "ltr");
    await expect(page).toHaveURL("/login?next=%2Fconsole%2Faudit");

    const say = words("en");
    const choose = async (theme: string) => {
        await page.getByRole("button", { name: say("ui.theme") }).click();
        await page.getByRole("button", { name: say(theme) }).click();
    };
    await choose("ui.theme_dark");
    await expect(html).toHaveAttribute("data-theme", "dark");
    await expect(page).toHaveURL("/login?next=%2Fconsole%2Faudit");
    await expect(page.locator("body")).toHaveCSS("color", "rgb(231, 236, 234)");
    await choose("ui.theme_light");
    await expect(html).toHaveAttribute("data-theme", "light");
    await choose("ui.theme_system");
    await expect(html).not.toHaveAttribute("data-theme");

    await signIn(page, say, ADMIN);
    await expect(page).toHaveURL("/console/audit");
    await page.getByRole("button", { name: say("ui.other_language") }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(words("ar")("audit.audit_log"));
});

test("logging out ends the session", async ({ visitor, server }) => {
    const say = words("en");
    const page = await visitor({ lang: "en", size: PHONE, scripts: false });
    await page.goto("/login");
    await signIn(page, say, ADMIN);
    await expect(page).toHaveURL("/console");
    const cookies = await page.context().cookies(server.url);
    await page.getByRole("button", { name: say("app.person_menu", { name: ADMIN.name }) }).click();
    await page.getByRole("button", { name: say("app.log_out") }).click();
    await expect(page).toHaveURL("/login");
    await page.goto("/console");
    await expect(page).toHaveURL("/login?next=%2Fconsole");
    // Nor do the cookies of before open anything.
    await page.context().addCookies(cookies);
    await page.goto("/console");
    await expect(page).toHaveURL("/login?next=%2Fconsole");
});
