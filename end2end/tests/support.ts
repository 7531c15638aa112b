// What every browser test stands on: a server of its own, the words of the pages, a client of the REST API, and
// browsers that notice what goes wrong in a page.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect, type Browser, type BrowserContext, type Page } from "@playwright/test";

export { expect };

// ---------------------------------------------------------------------------- words

export type Lang = "ar" | "en";
export const LANGS: Lang[] = ["ar", "en"];
export const PHONE = { width: 360, height: 800 };
export const DESKTOP = { width: 1440, height: 900 };

const LOCALES = new URL("../../locales/", import.meta.url);

/** Every text of a language by its full key: `accounts.people`. */
export const texts: Record<Lang, Map<string, string>> = { ar: readTexts("ar"), en: readTexts("en") };

function readTexts(lang: Lang): Map<string, string> {
    const folder = new URL(`${lang}/`, LOCALES);
    const entries = readdirSync(folder).flatMap((file) => {
        const words: Record<string, string> = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
        return Object.entries(words).map(([key, text]): [string, string] => [`${file.replace(".json", "")}.${key}`, text]);
    });
    return new Map(entries);
}

export type Say = (key: string, values?: Record<string, string | number>) => string;

/** The words of the pages in one language; a `count` chooses the plural form. */
export function words(lang: Lang): Say {
    return (key, values = {}) => {
        const form = "count" in values ? `_${new Intl.PluralRules(lang).select(Number(values.count))}` : "";
        const text = texts[lang].get(key + form);
        if (text === undefined) throw new Error(`there is no text ${key}${form} in ${lang}`);
        return text.replace(/\{\{ (\w+) \}\}/g, (_whole, name: string) => {
            if (!(name in values)) throw new Error(`the text ${key} needs ${name}`);
            return String(values[name]);
        });
    };
}

// ---------------------------------------------------------------------------- server

const env = (name: string): string => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: run the browser tests with ./dev e2e`);
    return value;
};

export const OUT = env("BAWWAB_E2E_OUT");
const CLUSTER = env("DATABASE_URL");

/** No sign-in is unusual: how most tests want it. */
export const CALM = { ask_new_device: false, ask_new_network: false, ask_new_country: false, mail_new_device: false };

export type Person = { name: string; email: string; password: string };

export const ADMIN: Person = {
    name: "نورة العتيبي",
    email: "noura@example.com",
    password: "ليل هادئ فوق الرياض",
};

export type Server = {
    url: string;
    /** What the program prints while nobody is administrator. */
    setupLink: string;
    /** Where the program keeps its files, and its mail, since no SMTP server is set. */
    data: string;
    /** Its database, as the owner. */
    database: string;
};

let started = 0;

/** Starts a server on a database of its own, lets `use` have it, and looks afterwards whether all went well in it. */
async function withServer(admin: Person | undefined, use: (server: Server) => Promise<void>) {
    const name = `e2e_${process.pid}_${(started += 1)}`;
    const data = mkdtempSync(join(tmpdir(), "bawwab-e2e-"));
    const database = CLUSTER.replace(/\/[^/]*$/, `/${name}`);
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const environment = {
        ...process.env,
        DATABASE_URL: database,
        BAWWAB_PORT: String(port),
        BAWWAB_PUBLIC_URL: url,
        BAWWAB_DATA_DIR: data,
        BAWWAB_SECRET_KEY: "5e".repeat(32),
        NO_COLOR: "1",
    };
    sql(`create database ${name}`);
    try {
        // Most tests are about something else; second_factor.spec.ts and risk.spec.ts turn the rules on.
        for (const [key, value] of [["sessions.sign_in", { second_factor_roles: [] }], ["sessions.risk", CALM]] as const) {
            const rule = ["settings", "set", key, JSON.stringify(value)];
            const ruled = spawnSync(env("BAWWAB_BIN"), rule, { env: environment, encoding: "utf8" });
            expect(ruled.status, ruled.stderr).toBe(0);
        }
        if (admin) {
            const args = ["admin", "create", "--email", admin.email, "--name", admin.name, "--password-stdin"];
            const made = spawnSync(env("BAWWAB_BIN"), args, { env: environment, input: admin.password, encoding: "utf8" });
            expect(made.status, made.stderr).toBe(0);
        }
        const program = spawn(env("BAWWAB_BIN"), { env: environment, stdio: ["ignore", "pipe", "pipe"] });
        const output = listen(program, name);
        try {
            await isReady(url, program, output);
            const link = () => /^http\S+\/setup\?\S+$/m.exec(output.text)?.[0];
            if (!admin) await expect.poll(link, "the program prints the set-up link").toBeTruthy();
            await use({ url, setupLink: link() ?? "", data, database });
            expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "ok", panics: 0 });
            expect(output.text.split("\n").filter((line) => / ERROR /.test(line))).toEqual([]);
        } finally {
            await stop(program);
        }
    } finally {
        sql(`drop database ${name} with (force)`);
        rmSync(data, { recursive: true, force: true });
    }
}

function sql(statement: string, database = CLUSTER) {
    const done = spawnSync("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, database], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`${statement}: ${done.error ?? done.stderr}`);
}

/** As if a person had last proved who they are a while ago: sensitive acts ask for it again. */
export function outliveProofs(server: Server, { email }: Person) {
    const theirs = `(select id from users where email = '${email.replaceAll("'", "''")}')`;
    sql(`update sessions set proved_at = proved_at - interval '6 minutes' where user_id = ${theirs}`, server.database);
}

async function freePort(): Promise<number> {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return port;
}

function listen(program: ChildProcess, name: string): { text: string } {
    mkdirSync(join(OUT, "servers"), { recursive: true });
    const file = createWriteStream(join(OUT, "servers", `${name}.log`));
    const output = { text: "" };
    for (const stream of [program.stdout, program.stderr]) {
        stream?.on("data", (chunk: Buffer) => {
            output.text += chunk.toString();
            file.write(chunk);
        });
    }
    return output;
}

async function isReady(url: string, program: ChildProcess, output: { text: string }) {
    const readiness = async () => {
        if (program.exitCode !== null) throw new Error(`the server ended:\n${output.text}`);
        return fetch(`${url}/readyz`).then(
            (answer) => answer.status,
            () => "no answer",
        );
    };
    await expect.poll(readiness, { timeout: 30_000, intervals: [50] }).toBe(200);
}

async function stop(program: ChildProcess) {
    const ended = new Promise((resolve) => program.once("exit", resolve));
    if (program.exitCode === null && program.signalCode === null) {
        program.kill("SIGTERM");
        await ended;
    }
    expect(program.exitCode, "the server stops in order").toBe(0);
}

// ---------------------------------------------------------------------------- mail

/** The letters to an address as plain text, oldest first. */
function mailedTexts(server: Server, to: string): string[] {
    const folder = join(server.data, "mail");
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".eml")) : [];
    const letters = files.sort().map((file) => readFileSync(join(folder, file), "utf8"));
    return letters.filter((letter) => letter.split(/\r?\n\r?\n/)[0].includes(`To: ${to}`)).map(plainText);
}

/** The links in the letters to an address, oldest first. */
export function mailedLinks(server: Server, to: string): string[] {
    return mailedTexts(server, to).flatMap((text) => /^http\S+$/m.exec(text) ?? []);
}

/** The code in the newest letter to an address that has one. */
export function mailedCode(server: Server, to: string): string | undefined {
    return mailedTexts(server, to).flatMap((text) => /^\s*(\d{6})\s*$/m.exec(text)?.[1] ?? []).at(-1);
}

/** Waits for the letter that makes it so many, and gives its link. */
export async function mailedLink(server: Server, to: string, count = 1): Promise<string> {
    await expect.poll(() => mailedLinks(server, to).length, `letters to ${to}`).toBe(count);
    return mailedLinks(server, to)[count - 1];
}

function plainText(letter: string): string {
    const part = letter.split("Content-Type: text/plain")[1] ?? "";
    const [head, ...rest] = part.split(/\r?\n\r?\n/);
    const body = rest.join("\n\n").split(/\r?\n--/)[0];
    if (/base64/i.test(head)) return Buffer.from(body, "base64").toString("utf8");
    if (!/quoted-printable/i.test(head)) return body.replace(/\r/g, "");
    const joined = body.replace(/=\r?\n/g, "").replace(/\r/g, "");
    const bytes = joined.replace(/=([0-9A-F]{2})/g, (_whole, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(bytes, "latin1").toString("utf8");
}

// ---------------------------------------------------------------------------- REST

/** A program that is signed in, to arrange what a test needs. */
export class Api {
    private token = "";
    private refreshToken = "";
    private renewAt = 0;

    private constructor(
        private readonly url: string,
        private readonly password: string,
    ) {}

    static async signIn(server: Server, { email, password }: Person): Promise<Api> {
        const api = new Api(server.url, password);
        api.keep(await send("POST", `${server.url}/auth/login`, { email, password }));
        return api;
    }

    private keep(tokens: { access_token: string; refresh_token: string; expires_in: number }) {
        this.token = tokens.access_token;
        this.refreshToken = tokens.refresh_token;
        this.renewAt = Date.now() + (tokens.expires_in * 1_000) / 2;
    }

    /** Sensitive acts want a proof of the last five minutes: it is given where one is asked for. */
    async call(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown) {
        // A worker's run is longer than an access token lives.
        if (Date.now() > this.renewAt) this.keep(await send("POST", `${this.url}/auth/refresh`, { refresh_token: this.refreshToken }));
        try {
            return await send(method, this.url + path, body, this.token);
        } catch (error) {
            if (!String(error).includes("step_up_required")) throw error;
            await send("POST", `${this.url}/auth/reauthenticate`, { password: this.password }, this.token);
            return send(method, this.url + path, body, this.token);
        }
    }

    /** Adds a person and tells their id and, where they have no password yet, their link. */
    addPerson(person: { name: string; email: string; password?: string; [field: string]: unknown }): Promise<Added> {
        return this.call("POST", "/admin/users", person);
    }

    async roleId(name: string): Promise<string> {
        const role = (await this.all<{ id: string; name: string }>("/admin/roles")).find((role) => role.name === name);
        if (!role) throw new Error(`there is no role ${name}`);
        return role.id;
    }

    /** Every row of a list, page by page. */
    async all<Row>(path: string): Promise<Row[]> {
        const rows: Row[] = [];
        for (let after: string | null = ""; after !== null; ) {
            const page: { items: Row[]; next: string | null } = await this.call("GET", `${path}?limit=200&after=${after}`);
            rows.push(...page.items);
            after = page.next;
        }
        return rows;
    }

    /** The names of permissions as the pages of one language show them. */
    async permissionNames(lang: Lang): Promise<(key: string) => string> {
        const all: { key: string; name_ar: string; name_en: string }[] = await this.call("GET", "/admin/permissions");
        return (key) => {
            const found = all.find((permission) => permission.key === key);
            if (!found) throw new Error(`there is no permission ${key}`);
            return found[`name_${lang}`];
        };
    }
}

export type Added = { id: string; link: string };

// Answers are JSON of many shapes, read by whoever asked.
async function send(method: string, url: string, body?: unknown, token?: string): Promise<any> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token) headers.authorization = `Bearer ${token}`;
    const answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
}

// ---------------------------------------------------------------------------- browsers

export type State = Awaited<ReturnType<BrowserContext["storageState"]>>;

export type Visit = {
    lang: Lang;
    size?: { width: number; height: number };
    scripts?: boolean;
    /** There is a finger instead of a mouse. */
    touch?: boolean;
    theme?: "light" | "dark";
    /** Where the reader is: `Asia/Riyadh`. */
    zone?: string;
    /** Choices that a cookie keeps: `{ digits: "arabic" }`. */
    habits?: Record<string, string>;
    /** The cookies of somebody who has signed in before. */
    as?: State;
    /** Client errors that belong to this visit; the browser writes a line about each. */
    refusals?: number[];
    /** The network goes away during this visit; the browser writes a line about each request that is lost. */
    losses?: boolean;
    /** What the browser would otherwise ask its person for. */
    permissions?: string[];
};

/** Opens a browser of its own; `complaints` gathers what went wrong in its pages. */
async function openBrowser(browser: Browser, server: Server, visit: Visit, complaints: string[]): Promise<Page> {
    const context = await browser.newContext({
        baseURL: server.url,
        locale: visit.lang === "ar" ? "ar-SA" : "en-GB",
        viewport: visit.size ?? DESKTOP,
        hasTouch: visit.touch ?? false,
        javaScriptEnabled: visit.scripts ?? true,
        storageState: visit.as,
        reducedMotion: "reduce",
        permissions: visit.permissions,
        timezoneId: visit.zone,
    });
    const habits = Object.entries(visit.habits ?? {});
    await context.addCookies(habits.map(([name, value]) => ({ name: `bawwab_${name}`, value, url: server.url })));
    const kept = visit.as && proofs.get(visit.as);
    if (kept && Date.now() - kept.at > 150_000) {
        // Whoever has signed in for a whole run proves themselves again: sensitive acts want a proof of five minutes.
        const proof = { data: { password: kept.password }, headers: { origin: server.url } };
        const proved = await context.request.post("/auth/reauthenticate", proof);
        if (proved.status() === 401 && visit.as) {
            // The answer that brought a new secret was lost with the page it was for: they sign in anew, as people do.
            const form = { email: kept.email, password: kept.password };
            const signed = await context.request.post("/login", { form, headers: { origin: server.url }, maxRedirects: 0 });
            expect([signed.status(), signed.headers().location], "signing in anew").toEqual([303, "/console"]);
            await keepRenewed(visit.as, context);
        } else {
            expect(proved.status(), "proving oneself again").toBe(200);
        }
        kept.at = Date.now();
    }
    if (visit.theme) await context.addCookies([{ name: "bawwab_theme", value: visit.theme, url: server.url }]);
    const refusals = visit.refusals ?? [];
    context.on("console", (message) => {
        if (message.type() !== "error" && message.type() !== "warning") return;
        const status = /^Failed to load resource: the server responded with a status of (4\d\d)/.exec(message.text());
        if (status && refusals.includes(Number(status[1]))) return;
        if (visit.losses && / net::ERR_(INTERNET_DISCONNECTED|FAILED)|^TypeError: Failed to fetch/.test(message.text())) return;
        // What is fetched ahead for scripts is of no use without them.
        if (visit.scripts === false && message.text().includes(".wasm was preloaded using link preload but not used")) return;
        complaints.push(`${message.type()} at ${message.location().url}: ${message.text()}`);
    });
    context.on("weberror", (error) => complaints.push(`uncaught: ${error.error().message}`));
    context.on("request", (request) => {
        const { origin, protocol } = new URL(request.url());
        if (protocol.startsWith("http") && origin !== server.url) complaints.push(`asked elsewhere: ${request.url()}`);
    });
    return context.newPage();
}

/** Goes to an address and waits until the page can be used. */
export async function open(page: Page, address: string, status = 200) {
    const answer = await page.goto(address);
    expect(answer?.status(), address).toBe(status);
    await isUsable(page);
}

/** Waits until the browser's half of the page has taken over. */
export async function isUsable(page: Page) {
    await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
}

/** Waits until the worker that keeps the shell is there: it is fetched while the page can be used already. */
export async function shellIsKept(page: Page) {
    const state = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state);
    await expect.poll(state, { message: "the worker is installed", timeout: 20_000 }).toBe("activated");
}

/** The network goes, once the page has all that it fetches by itself: the browser complains about a worker cut off midway. */
export async function goOffline(page: Page) {
    await shellIsKept(page);
    await page.context().setOffline(true);
}

/** Goes to a place of the menu; on a phone some of them are behind a button. */
export async function goTo(page: Page, say: Say, place: string) {
    const menu = page.getByRole("navigation", { name: say("app.menu") });
    const link = menu.getByRole("link", { name: say(place), exact: true });
    // Its name also says how much waits behind it.
    const more = menu.getByRole("button", { name: new RegExp(`^${say("app.more")}`) });
    await expect(menu.getByRole("link").first()).toBeVisible();
    if (!(await link.isVisible())) await more.click();
    await link.click();
}

/** A role in the list of a person's roles: looked for, since the list draws only those in sight. */
export async function roleBox(page: Page, say: Say, role: string) {
    await page.getByRole("searchbox", { name: say("roles.search_roles") }).fill(role);
    return page.getByRole("checkbox", { name: role });
}

/** Signs in as people do, from the page at which one is asked to. */
export async function signIn(page: Page, say: Say, { email, password }: Person) {
    await page.getByLabel(say("sessions.email_or_username"), { exact: true }).fill(email);
    await page.getByLabel(say("sessions.password"), { exact: true }).fill(password);
    await page.getByRole("button", { name: say("sessions.sign_in"), exact: true }).click();
}

/** The password that goes with cookies that are kept for a whole run, and when it was last shown. */
const proofs = new WeakMap<State, { email: string; password: string; at: number }>();

/**
 * Takes over into kept cookies what a browser was given instead: whenever its person's rights change, a session gets a new
 * secret, and the old one is good until the new one is shown. Of browsers with the same cookies only one is given it.
 */
async function keepRenewed(state: State, context: BrowserContext) {
    const { cookies } = await context.storageState();
    const secretIn = (all: State["cookies"]) => all.find((cookie) => cookie.name === "__Host-bawwab-session")?.value;
    const secret = secretIn(cookies);
    if (!secret || secret === secretIn(state.cookies)) return;
    const isSession = (cookie: { name: string }) => /^__Host-bawwab-(access|session)$/.test(cookie.name);
    state.cookies = [...state.cookies.filter((cookie) => !isSession(cookie)), ...cookies.filter(isSession)];
}

/** The cookies of a person who has just signed in. */
async function stateOf(browser: Browser, server: Server, person: Person): Promise<State> {
    const complaints: string[] = [];
    const page = await openBrowser(browser, server, { lang: "en" }, complaints);
    await open(page, "/login");
    await signIn(page, words("en"), person);
    await expect(page).toHaveURL("/console");
    const state = await page.context().storageState();
    proofs.set(state, { email: person.email, password: person.password, at: Date.now() });
    await page.context().close();
    expect(complaints).toEqual([]);
    return state;
}

// ---------------------------------------------------------------------------- fixtures

type ForTest = {
    /** A server that nobody has set up, for this test only. */
    fresh: Server;
    /** Opens a browser at the worker's server; after the test no page may have complained. */
    visitor: (visit: Visit) => Promise<Page>;
    /** The same at another server. */
    visitorAt: (server: Server, visit: Visit) => Promise<Page>;
};

type ForWorker = {
    /** A server with one administrator, for all tests of a worker. */
    server: Server;
    /** The administrator as a program. */
    api: Api;
    /** The administrator's browser cookies. */
    admin: State;
    /** Opens a browser for a person that a fixture or test has made and keeps the cookies. */
    signedIn: (person: Person) => Promise<State>;
};

export const test = base.extend<ForTest, ForWorker>({
    server: [async ({}, use) => withServer(ADMIN, use), { scope: "worker" }],
    api: [async ({ server }, use) => use(await Api.signIn(server, ADMIN)), { scope: "worker" }],
    admin: [async ({ browser, server }, use) => use(await stateOf(browser, server, ADMIN)), { scope: "worker" }],
    signedIn: [
        async ({ browser, server }, use) => use((person) => stateOf(browser, server, person)),
        { scope: "worker" },
    ],
    fresh: async ({}, use) => withServer(undefined, use),
    visitorAt: async ({ browser }, use) => {
        const complaints: string[] = [];
        const visits: { context: BrowserContext; as?: State }[] = [];
        await use(async (server, visit) => {
            const page = await openBrowser(browser, server, visit, complaints);
            visits.push({ context: page.context(), as: visit.as });
            return page;
        });
        for (const { context, as } of visits) {
            if (as) await keepRenewed(as, context);
            await context.close();
        }
        expect(complaints, "what pages complained about").toEqual([]);
    },
    visitor: async ({ visitorAt, server }, use) => use((visit) => visitorAt(server, visit)),
});

// ---------------------------------------------------------------------------- looks

/** Keeps pictures of whole pages under a common name, for people to look at. */
export function pictures(of: string) {
    return async (page: Page, name: string) => {
        const path = join(OUT, "screenshots", `${of}-${name}.png`);
        await page.screenshot({ path, fullPage: true, animations: "disabled" });
    };
}

/** The same of pages in which nothing may stick out and, once they can be used, axe may object to nothing. */
export function checkedPictures(of: string) {
    const picture = pictures(of);
    return async (page: Page, name: string) => {
        await picture(page, name);
        const sticksOut = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(sticksOut, `${name} sticks out`).toBeLessThanOrEqual(0);
        if ((await page.locator("html").getAttribute("data-hydrated")) !== "true") return;
        await page.evaluate(AXE);
        expect(await page.evaluate(axe), `${name}: what axe objects to`).toEqual([]);
    };
}

/** Runs in the page, where axe has been put before; with all rules and the size of targets (WCAG 2.5.8), or only with those named. */
export async function axe(rules?: string[]): Promise<string[]> {
    await document.fonts.ready;
    // What stays in sight covers what lies below it wherever the page has been scrolled to: judged from its beginning.
    window.scrollTo({ top: 0, behavior: "instant" });
    type Found = { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] };
    const run = (window as unknown as { axe: { run(options: object): Promise<{ violations: Found[] }> } }).axe.run;
    const which = rules ? { runOnly: { type: "rule", values: rules } } : { rules: { "target-size": { enabled: true } } };
    const { violations } = await run({ resultTypes: ["violations"], ...which });
    return violations.flatMap(({ id, help, nodes }) =>
        nodes.slice(0, 3).map(({ target, failureSummary }) => `${id} (${help}) at ${target.join(" ")}: ${failureSummary}`),
    );
}

/** The rules of axe that look at colours. */
export const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** The source of axe, to be evaluated in a page: a script element would be stopped by the page's policy. */
export const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
