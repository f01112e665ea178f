/** What the end-to-end scripts share. They run against a server whose address is in MURPH_URL. */
import assert from "node:assert/strict";

export const base = new URL(process.env.MURPH_URL ?? "http://127.0.0.1:8080/");

/** Runs named checks one after the other, prints each, and ends the process: with 1 if one has failed. */
export async function run(name, checks, cleanUp = async () => {}) {
  let failed = 0;
  for (const [what, check] of checks) {
    const begin = Date.now();
    try {
      await limited(check());
      console.log(`ok    ${what} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
    } catch (err) {
      failed++;
      console.log(`FAIL  ${what}\n      ${String(err?.stack ?? err).slice(0, 2_000).replaceAll("\n", "\n      ")}`);
    }
  }
  await cleanUp();
  console.log(failed === 0 ? `${name}: all ${checks.length} checks passed` : `${name}: ${failed} of ${checks.length} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

function limited(promise, ms = 120_000) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** Signs in and returns fetch with the session of this person. */
export async function login(userId) {
  const res = await fetch(new URL("demo/login", base), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ userId }),
  });
  assert.equal(res.status, 200, `login of ${userId}`);
  const cookie = res.headers.getSetCookie().map((c) => c.split(";", 1)[0]).join("; ");
  assert.notEqual(cookie, "", "the login sets no cookie");
  return (path, init = {}) => fetch(new URL(path, base), { ...init, headers: { ...init.headers, Cookie: cookie } });
}

export function key() {
  return crypto.randomUUID();
}

/** Sends a message and returns the answer. */
export function send(as, content, more = {}) {
  return as("api/nachrichten", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ consultationId: "demo", content, clientMessageId: key(), ...more }),
  });
}

/** Asks the Go test that started the server to stop it, or to start it again. */
export async function control(what) {
  const res = await fetch(new URL(what, process.env.MURPH_CONTROL), { method: "POST" });
  assert.equal(res.status, 204, `${what}: ${await res.text()}`);
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Gives the demo consultation to another student. */
export async function reassign(studentId) {
  const res = await fetch(new URL("demo/reassign", base), { method: "POST", body: JSON.stringify({ studentId }) });
  assert.equal(res.status, 204, `reassign: ${res.status}`);
}
