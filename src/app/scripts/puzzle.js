// Solves a puzzle beside the page: finds the number whose digest with the salt is the challenge, and tells how far it is.
// SHA-256 is written out, since crypto.subtle answers one promise a digest, which costs more than the digest itself.
"use strict";

const K = new Uint32Array(64);
const START = new Uint32Array(8);
{
    // The first bits of the fractions of the cube and square roots of the first primes (FIPS 180-4 §4.2.2, §5.3.3).
    const fraction = (root) => ((root - Math.floor(root)) * 4294967296) | 0;
    for (let n = 2, found = 0; found < 64; n += 1) {
        let prime = true;
        for (let d = 2; d * d <= n; d += 1) if (n % d === 0) prime = false;
        if (!prime) continue;
        if (found < 8) START[found] = fraction(Math.sqrt(n));
        K[found] = fraction(Math.cbrt(n));
        found += 1;
    }
}

const turn = (x, n) => (x >>> n) | (x << (32 - n));
const w = new Uint32Array(64);

/** SHA-256 of ASCII text, as hexadecimal digits. */
function sha256(text) {
    const blocks = ((text.length + 8) >> 6) + 1;
    const state = Uint32Array.from(START);
    for (let block = 0; block < blocks; block += 1) {
        for (let i = 0; i < 16; i += 1) {
            let word = 0;
            for (let j = 0; j < 4; j += 1) {
                const at = block * 64 + i * 4 + j;
                const byte = at < text.length ? text.charCodeAt(at) : at === text.length ? 0x80 : 0;
                word = (word << 8) | byte;
            }
            w[i] = word;
        }
        if (block === blocks - 1) w[15] = text.length * 8;
        for (let i = 16; i < 64; i += 1) {
            const [a, b] = [w[i - 15], w[i - 2]];
            w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
        }
        let [a, b, c, d, e, f, g, h] = state;
        for (let i = 0; i < 64; i += 1) {
            const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
            const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
            [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
        }
        [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] += value));
    }
    return Array.from(state, (value) => value.toString(16).padStart(8, "0")).join("");
}

self.onmessage = ({ data }) => {
    const { algorithm, challenge, maxnumber, salt, signature } = JSON.parse(data);
    const step = Math.max(1, Math.floor(maxnumber / 20));
    for (let number = 0; number <= maxnumber; number += 1) {
        if (sha256(salt + number) === challenge) {
            self.postMessage(`done ${btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }))}`);
            return;
        }
        if (number % step === 0) self.postMessage(`part ${Math.floor((number / maxnumber) * 100)}`);
    }
    self.postMessage("failed ");
};
