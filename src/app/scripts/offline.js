// The page without a network: its language and theme, which nobody can ask the server for, and another try.

const root = document.documentElement;
const cookie = (name) => document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1];
const texts = [...document.querySelectorAll("[data-title]")];
const accepted = navigator.languages.map((tag) => tag.split("-")[0]);
const known = (lang) => texts.some((text) => text.lang === lang);

/** The choice, else the first of ours that the browser accepts, else Arabic: as the server chooses. */
let lang = [cookie("bawwab_locale"), ...accepted].find(known) ?? "ar";
const theme = cookie("bawwab_theme");
if (theme === "light" || theme === "dark") root.dataset.theme = theme;

const other = document.getElementById("other-language");
function draw() {
    for (const text of texts) text.hidden = text.lang !== lang;
    const shown = texts.find((text) => text.lang === lang);
    const rest = texts.find((text) => text.lang !== lang);
    document.title = shown.dataset.title;
    root.lang = shown.lang;
    root.dir = shown.dir;
    other.lang = rest.lang;
    other.lastElementChild.textContent = shown.dataset.other;
    for (const line of document.querySelectorAll("[data-when]")) {
        line.hidden = (line.dataset.when === "unreachable") !== navigator.onLine;
    }
}
other.hidden = false;
other.addEventListener("click", () => {
    lang = other.lang;
    draw();
});
addEventListener("offline", draw);

// It stands at the address of the page that could not be had.
const stands = location.pathname !== "/offline";
function retry(event) {
    if (!stands) return;
    event.preventDefault();
    location.reload();
}
for (const link of document.querySelectorAll("[data-retry]")) link.addEventListener("click", retry);
addEventListener("online", () => (stands ? location.reload() : draw()));

draw();
root.dataset.hydrated = "true";
