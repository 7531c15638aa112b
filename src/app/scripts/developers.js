// The live half of /developers: search, deep links, calls to copy, and trying them. What it says comes from the page.

const root = document.documentElement;
const words = document.getElementById("words").dataset;
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** An element with attributes and children; texts are texts, never markup. */
function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
}

// ---------------------------------------------------------------------------- finding

// Spellings that people do not tell apart: marks, forms of alif, final ya, ta marbuta.
const fold = (text) =>
    text
        .toLowerCase()
        .replace(/[\u064B-\u0652\u0640]/g, "")
        .replace(/[\u0622\u0623\u0625]/g, "\u0627")
        .replace(/\u0649/g, "\u064A")
        .replace(/\u0629/g, "\u0647");

const operations = $$("[data-operation]").map((element) => ({ element, text: fold(element.dataset.search) }));
const links = new Map($$("[data-for]").map((link) => [link.dataset.for, link]));

function find(query) {
    const wanted = fold(query).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element, text } of operations) {
        const fits = wanted.every((word) => text.includes(word));
        element.hidden = !fits;
        links.get(element.dataset.operation).hidden = !fits;
        if (fits) count += 1;
    }
    for (const group of $$(".docs-group:has([data-operation])")) group.hidden = !$("[data-operation]:not([hidden])", group);
    const said = count === 0 ? words.nothing : words.found.replace("{number}", String(count));
    $("#found").textContent = wanted.length ? said : "";
}

$("#find-box").hidden = false;
$("#find").addEventListener("input", (event) => find(event.target.value));

// ---------------------------------------------------------------------------- deep links

function go() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const around = target?.closest("details");
    if (!around) return;
    around.hidden = false;
    around.open = true;
    around.scrollIntoView();
}
addEventListener("hashchange", go);

for (const details of $$(".docs-operation")) {
    details.addEventListener("toggle", () => {
        if (!details.open) return;
        const { id } = $(".docs-body", details);
        // The address of what is being read, to be handed on.
        if (location.hash !== `#${id}`) history.replaceState(history.state, "", `#${id}`);
        if (details.dataset.operation) prepare($(".docs-body", details));
    });
}

// ---------------------------------------------------------------------------- copying

async function copy(button) {
    const text = $("pre", button.parentElement).textContent;
    const label = $("span", button);
    try {
        await navigator.clipboard.writeText(text);
        label.textContent = words.copied;
    } catch {
        getSelection().selectAllChildren($("pre", button.parentElement));
        label.textContent = words.notCopied;
    }
    setTimeout(() => (label.textContent = words.copy), 4000);
}

for (const button of $$("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
}

// ---------------------------------------------------------------------------- a call

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** What is typed, as a request. Places of the path that are empty keep their name. */
function call(body) {
    const { method, path, public: isPublic, file, kind } = body.dataset;
    const headers = {};
    const query = new URLSearchParams();
    const missing = [];
    let address = path;
    for (const input of $$("[data-value]", body)) {
        const { in: place, name } = input.dataset;
        const value = input.value.trim();
        if (!value) {
            if (place === "path") missing.push(input);
        } else if (place === "path") address = address.replace(`{${name}}`, encodeURIComponent(value));
        else if (place === "query") query.append(name, value);
        else headers[name.toLowerCase()] = value;
    }
    const sent = $("textarea", body)?.value ?? $("[data-example]", body)?.textContent;
    if (sent !== undefined) headers["content-type"] = "application/json";
    // Until a file is chosen its example stands for it.
    const picker = $("[type='file']", body);
    const picked = picker?.files[0];
    if (kind) headers["content-type"] = picked?.type || kind;
    if (picker && !picked) missing.push(picker);
    const search = query.toString();
    return {
        method,
        url: address + (search ? `?${search}` : ""),
        headers,
        body: picked ?? sent,
        file: picked?.name ?? file,
        isPublic: isPublic === "true",
        missing,
    };
}

function asCurl({ method, url, headers, body, file, isPublic }) {
    const lines = [`curl -X ${method} ${quote(location.origin + url)}`];
    if (!isPublic) lines.push('-H "authorization: Bearer $ACCESS_TOKEN"');
    for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quote(`${name}: ${value}`)}`);
    if (file !== undefined) lines.push(`--data-binary ${quote(`@${file}`)}`);
    else if (body !== undefined) lines.push(`-d ${quote(body)}`);
    return lines.join(" \\\n  ");
}

function asFetch({ method, url, headers, body, file, isPublic }) {
    const all = { ...(isPublic ? {} : { authorization: "Bearer …" }), ...headers };
    const lines = [`  method: ${JSON.stringify(method)},`];
    if (Object.keys(all).length) {
        const said = JSON.stringify(all).replace('"Bearer …"', "`Bearer ${accessToken}`");
        lines.push(`  headers: ${said},`);
    }
    if (file !== undefined) lines.push("  body: file,");
    else if (body !== undefined) lines.push(`  body: JSON.stringify(${body.replaceAll("\n", "\n  ")}),`);
    return `await fetch(${JSON.stringify(location.origin + url)}, {\n${lines.join("\n")}\n});`;
}

let prepared = 0;

/** Makes the form of an operation from its own description, once it is looked at. */
function prepare(body) {
    const place = $("[data-try]", body);
    if (!place || place.childElementCount) return;
    prepared += 1;
    const field = (label, input, name) => {
        input.id = `try-${prepared}-${name}`;
        input.setAttribute("dir", "ltr");
        return make("div", { class: "field" }, make("label", { for: input.id }, label), input);
    };
    const inputs = $$("[data-in]", body).map(({ dataset }) => {
        const input = make("input", { class: "input mono", "data-value": "", "data-in": dataset.in, autocomplete: "off" });
        input.dataset.name = dataset.name;
        return field(make("bdi", { class: "mono", dir: "ltr" }, dataset.name), input, dataset.name);
    });
    const example = $("[data-example]", body);
    if (example) {
        const area = make("textarea", { class: "input mono", rows: String(example.textContent.split("\n").length + 1) });
        area.value = example.textContent;
        area.spellcheck = false;
        inputs.push(field(words.body, area, "body"));
    }
    const kinds = $("[data-kinds]", body);
    if (kinds) {
        const picker = make("input", { class: "input", type: "file", accept: kinds.dataset.kinds });
        inputs.push(field(words.body, picker, "file"));
    }
    const send = make("button", { class: "btn primary", type: "submit" }, words.send);
    const said = make("p", { role: "status" });
    const answer = make("div", { class: "stack" });
    const form = make("form", { class: "stack" }, ...inputs, make("div", { class: "row-of" }, send), said, answer);
    place.append(make("h4", {}, words.try), form);

    // The same call for JavaScript, beside the one for a shell.
    const shell = $("[data-call] pre", body);
    const script = $("[data-call] .docs-copy", body).cloneNode(true);
    $("[data-call]", body).append(script);
    $("[data-copy]", script).addEventListener("click", (event) => copy(event.currentTarget));
    const draw = () => {
        const made = call(body);
        shell.textContent = asCurl(made);
        $("pre", script).textContent = asFetch(made);
    };
    form.addEventListener("input", draw);
    draw();

    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const made = call(body);
        if (made.missing.length) {
            said.textContent = words.missing;
            made.missing[0].focus();
            return;
        }
        if (made.method !== "GET" && !(await isMeant(made))) return;
        send.disabled = true;
        said.textContent = words.waiting;
        answer.replaceChildren();
        try {
            said.textContent = await show(made, answer);
        } catch {
            said.textContent = words.unreachable;
        }
        send.disabled = false;
    });
}

/** Asks before anything that changes something. */
function isMeant({ method, url }) {
    const ask = document.getElementById("ask");
    $("#ask-what").textContent = `${method} ${url}`;
    ask.returnValue = "";
    ask.showModal();
    return new Promise((resolve) => {
        ask.addEventListener("close", () => resolve(ask.returnValue === "send"), { once: true });
    });
}

/** Sends the call, with the token that was pasted or else with the browser's session, and shows what comes back. */
async function show({ method, url, headers, body }, place) {
    const token = $("#token").value.trim();
    const began = performance.now();
    const answer = await fetch(url, {
        method,
        body,
        headers: token ? { ...headers, authorization: `Bearer ${token}` } : headers,
        credentials: token ? "omit" : "same-origin",
        cache: "no-store",
        redirect: "manual",
    });
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
    place.append(
        make(
            "details",
            {},
            make("summary", {}, words.headers),
            make("pre", { class: "docs-code", dir: "ltr", "data-headers": "" }, lines.join("\n")),
        ),
    );
    if (text) {
        const attributes = { class: "docs-code docs-answer", dir: "ltr", tabindex: "0", role: "region", "aria-label": words.answer };
        place.append(make("pre", attributes, pretty(text)));
    }
    return `${answer.status} ${answer.statusText} · ${took} ms · ${new Blob([text]).size} B`;
}

function pretty(text) {
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
}

// ----------------------------------------------------------------------------

$("#session").hidden = false;
go();
root.dataset.hydrated = "true";
