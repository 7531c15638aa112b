// What makes it an app on a phone or a desk (H2): the manifest, its icons, the worker; and how much the first page asks for.

import { LANGS, expect, open, test, texts } from "./support";

/** The width and height that a PNG says it has. */
function sizeOf(png: Buffer): string {
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    return `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;
}

for (const lang of LANGS) {
    test(`the manifest is valid and its icons are there, ${lang}`, async ({ visitor, request, server }) => {
        const page = await visitor({ lang });
        await open(page, "/login");
        const address = await page.locator('link[rel="manifest"]').getAttribute("href");
        expect(address).toBe(`/manifest.webmanifest?lang=${lang}`);
        const answer = await request.get(`${server.url}${address}`);
        expect(answer.headers()["content-type"]).toBe("application/manifest+json");
        const manifest = await answer.json();
        expect(manifest).toMatchObject({
            id: "/console",
            start_url: "/console",
            scope: "/",
            display: "standalone",
            lang,
            dir: lang === "ar" ? "rtl" : "ltr",
            name: texts[lang].get("offline.app_name"),
            short_name: texts[lang].get("app.brand"),
        });
        const purposes = manifest.icons.map((icon: { purpose: string; sizes: string }) => `${icon.purpose} ${icon.sizes}`);
        expect(purposes).toEqual(["any any", "any 192x192", "any 512x512", "maskable 512x512"]);
        for (const icon of manifest.icons) {
            const file = await request.get(`${server.url}${icon.src}`);
            expect(file.status(), icon.src).toBe(200);
            expect(file.headers()["content-type"], icon.src).toBe(icon.type);
            if (icon.type === "image/png") expect(sizeOf(await file.body()), icon.src).toBe(icon.sizes);
        }
        const apple = await page.locator('link[rel="apple-touch-icon"]').getAttribute("href");
        expect(sizeOf(await (await request.get(`${server.url}${apple}`)).body())).toBe("180x180");
    });
}

test("the browser takes it for an app that can be installed", async ({ visitor }) => {
    const page = await visitor({ lang: "en" });
    await open(page, "/login");
    const tools = await page.context().newCDPSession(page);
    const { errors } = await tools.send("Page.getAppManifest");
    expect(errors).toEqual([]);
    const { installabilityErrors } = await tools.send("Page.getInstallabilityErrors");
    // A window that leaves no traces installs nothing.
    expect(installabilityErrors.map((error) => error.errorId).filter((id) => id !== "in-incognito")).toEqual([]);
});

test("the colour of the window follows the theme", async ({ visitor }) => {
    const colours = async (theme?: "light" | "dark") => {
        const page = await visitor({ lang: "en", theme });
        await open(page, "/login");
        const metas = await page.locator('meta[name="theme-color"]').all();
        return Promise.all(metas.map(async (meta) => `${await meta.getAttribute("media")} ${await meta.getAttribute("content")}`));
    };
    expect(await colours("light")).toEqual(["null #ffffff"]);
    expect(await colours("dark")).toEqual(["null #171d1c"]);
    expect(await colours()).toEqual(["(prefers-color-scheme: light) #ffffff", "(prefers-color-scheme: dark) #171d1c"]);
});

/** design/performance.md, "first load". */
test("the page at which people sign in asks for eight files at most", async ({ visitor, server }) => {
    const page = await visitor({ lang: "ar" });
    const asked = new Set<string>();
    page.on("request", (request) => asked.add(request.url().replace(server.url, "")));
    await open(page, "/login");
    await page.waitForLoadState("networkidle");
    console.log(`requests of the sign-in page: ${asked.size} (at most 8): ${[...asked].join(" ")}`);
    expect([...asked].length).toBeLessThanOrEqual(8);
    expect([...asked]).toContain("/login");
});
