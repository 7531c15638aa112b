// Passkeys in the browser. A form with `data-passkey` is filled in with what an authenticator answers and then posted as any
// other form: the server needs nothing of this file but the two fields.
//
//   data-passkey="get"     answers a challenge; data-purpose says for what, data-autofill offers it in the name's field
//   data-passkey="create"  makes a passkey for data-user
//
// What can go wrong stands in the form as hidden lines in the reader's language, `data-wrong="…"`.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
    buffer &&
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
        .replace(/\+/g, "-")
        .replace(/\//g, "_")
        .replace(/=+$/, "");

const listed = (known = []) => known.map((one) => ({ ...one, id: bytes(one.id) }));

async function ask(path, body) {
    const answer = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.code), { code: said.code });
    return said;
}

function tell(form, wrong) {
    for (const line of form.querySelectorAll("[data-wrong]")) line.hidden = line.dataset.wrong !== wrong;
}

function send(form, challenge, credential, response) {
    const { challenge_id: handle, credential: field } = form.elements;
    if (handle) handle.value = challenge.challenge_id;
    field.value = JSON.stringify({
        id: credential.id,
        rawId: text(credential.rawId),
        type: credential.type,
        clientExtensionResults: {},
        response,
    });
    form.submit();
}

/** Makes a passkey and posts it. */
async function create(form) {
    const challenge = await ask("/auth/webauthn/register/challenge", { userId: form.dataset.user });
    const { publicKey } = challenge;
    const credential = await navigator.credentials.create({
        publicKey: {
            ...publicKey,
            challenge: bytes(publicKey.challenge),
            user: { ...publicKey.user, id: bytes(publicKey.user.id) },
            excludeCredentials: listed(publicKey.excludeCredentials),
        },
    });
    const { response } = credential;
    send(form, challenge, credential, {
        clientDataJSON: text(response.clientDataJSON),
        attestationObject: text(response.attestationObject),
        transports: response.getTransports?.() ?? [],
    });
}

/** One request at a time: the button takes over from the field that waits. */
let waiting;

/** Has a passkey answer and posts that. */
async function get(form, mediation) {
    waiting?.abort();
    waiting = new AbortController();
    const { signal } = waiting;
    const challenge = await ask("/auth/webauthn/login/challenge", { purpose: form.dataset.purpose });
    const { publicKey } = challenge;
    const credential = await navigator.credentials.get({
        mediation,
        signal,
        publicKey: {
            ...publicKey,
            challenge: bytes(publicKey.challenge),
            allowCredentials: listed(publicKey.allowCredentials),
        },
    });
    const { response } = credential;
    send(form, challenge, credential, {
        clientDataJSON: text(response.clientDataJSON),
        authenticatorData: text(response.authenticatorData),
        signature: text(response.signature),
        userHandle: text(response.userHandle) ?? null,
    });
}

async function press(form) {
    tell(form, "");
    try {
        await (form.dataset.passkey === "create" ? create(form) : get(form));
    } catch (error) {
        if (error.code === "step_up_required") {
            const name = form.elements.name?.value ?? "";
            const back = `${location.pathname}?name=${encodeURIComponent(name)}`;
            location.assign(`/reauthenticate?next=${encodeURIComponent(back)}`);
            return;
        }
        const known = { InvalidStateError: "known", NotAllowedError: "stopped" };
        tell(form, error.code === "full" ? "full" : (known[error.name] ?? "failed"));
    }
}

document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form[data-passkey]");
    if (!form) return;
    event.preventDefault();
    if (window.PublicKeyCredential) press(form);
    else tell(form, "none");
});

/** Offers passkeys in the field of the name, and asks anew before the challenge runs out. */
async function offer(form) {
    const able = await window.PublicKeyCredential?.isConditionalMediationAvailable?.();
    if (!able) return;
    const again = setInterval(() => get(form, "conditional").catch(() => {}), 240_000);
    await get(form, "conditional").catch((error) => {
        // Taken over by the button, or by the next challenge. Anything else: the button is still there.
        if (error.name !== "AbortError") clearInterval(again);
    });
}

// After a refusal nothing is asked again without a press: the device would give the same answer.
const quiet = document.querySelector("form[data-autofill]");
if (quiet && !new URLSearchParams(location.search).has("passkey")) offer(quiet);
