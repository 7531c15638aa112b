// Keeps the shell on the device: the files that every page needs, whose names carry a digest of what is in them, and the
// page that stands for others while there is no network. Nothing else: no page, no answer of the server, nothing of a person.
"use strict";

const VERSION = "{version}";
const SHELL = ["{shell}"];
const OFFLINE = "/offline";
const CACHE = `bawwab-${VERSION}`;
const ours = (name) => name.startsWith("bawwab-");

// The server says which files are needed. Those that the offline page stands on must be there, the rest is a convenience.
const needed = (path) => path.endsWith(".css") || path.endsWith(".woff2");

// What a browser holds under a name with a digest is right; of the rest it asks whether it still is.
const request = (path) => new Request(path, { cache: path.startsWith("/pkg/") ? "default" : "no-cache" });

self.addEventListener("install", (event) => {
    const fill = async () => {
        const cache = await caches.open(CACHE);
        const add = (path) => cache.add(request(path));
        // Without cookies: the copy belongs to nobody.
        const page = cache.add(new Request(OFFLINE, { cache: "reload", credentials: "omit" }));
        await Promise.all([page, ...SHELL.filter(needed).map(add)]);
        await Promise.allSettled(SHELL.filter((path) => !needed(path)).map(add));
        // Open pages have what they need already, so the newer worker need not wait for them to be closed; it reloads none.
        await self.skipWaiting();
    };
    event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
    const tidy = async () => {
        const old = (await caches.keys()).filter((name) => ours(name) && name !== CACHE);
        await Promise.all(old.map((name) => caches.delete(name)));
        await self.registration.navigationPreload?.enable();
    };
    event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
    const asked = event.request;
    // A form that is posted goes its own way: whether it arrived is nothing that a page kept here could know.
    if (asked.method !== "GET") return;
    const url = new URL(asked.url);
    if (url.origin !== self.location.origin) return;
    if (asked.mode === "navigate") event.respondWith(page(event));
    else if (SHELL.includes(url.pathname) && !url.search) event.respondWith(file(asked));
});

async function page(event) {
    try {
        return (await event.preloadResponse) ?? (await fetch(event.request));
    } catch (failure) {
        const kept = await caches.match(OFFLINE, { cacheName: CACHE, ignoreVary: true });
        if (kept) return kept;
        throw failure;
    }
}

async function file(asked) {
    const kept = await caches.match(asked, { cacheName: CACHE, ignoreVary: true });
    if (kept) return kept;
    const answer = await fetch(asked);
    if (answer.ok) {
        const copy = answer.clone();
        // Kept for next time, if there is room; this time it is here already.
        caches.open(CACHE).then((cache) => cache.put(asked, copy)).catch(() => {});
    }
    return answer;
}
