// What the checks are made of. Each check prints a line and is counted.
import { randomUUID } from "node:crypto";
import { inspect, isDeepStrictEqual } from "node:util";
import { jsonEvent } from "@eventstore/db-client";

const patience = 10_000; // milliseconds until something that has to come counts as missing

let passed = 0;
let failed = 0;

// show is a value as text; of an error, what it says and where it was made.
function show(value) {
  if (value instanceof Error) return value.stack.split("\n", 4).join("\n       ");
  return inspect(value, { depth: 4 });
}

// check counts a check that holds or does not.
export function check(what, holds, got) {
  if (holds) passed++;
  else failed++;
  console.log(holds ? `ok     ${what}` : `FAILED ${what}: got ${show(got)}`);
}

// equal counts a check that got is want.
export function equal(what, got, want) {
  check(what, isDeepStrictEqual(got, want), got);
  if (!isDeepStrictEqual(got, want)) console.log(`       want ${show(want)}`);
}

// fails counts a check that a call ends with an error of a class whose fields
// are these.
export async function fails(what, call, type, fields = {}) {
  try {
    const result = await within(what, call());
    check(`${what} fails`, false, result);
  } catch (error) {
    const got = Object.fromEntries(Object.keys(fields).map((key) => [key, error[key]]));
    const good = error instanceof type && isDeepStrictEqual(got, fields);
    check(`${what} fails as ${type.name}`, good, error);
    if (!good) console.log(`       with ${show(got)}, want ${show(fields)}`);
  }
}

// becomes counts a check that what read returns is want, in the end.
export async function becomes(what, read, want) {
  const end = Date.now() + patience;
  let got;
  do got = await read();
  while (!isDeepStrictEqual(got, want) && Date.now() < end);
  equal(what, got, want);
}

// within gives up on a promise that takes too long.
function within(what, promise, milliseconds = patience) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// section runs one group of checks; an error in it fails one check and ends it.
export async function section(name, run) {
  console.log(`-- ${name}`);
  try {
    await within(name, run(), 60_000);
  } catch (error) {
    check(`${name} runs to its end`, false, error);
  }
}

// collect reads all there is.
export async function collect(stream) {
  const events = [];
  for await (const e of stream) events.push(e);
  return events;
}

// Inbox keeps what a subscription delivers.
export class Inbox {
  constructor(subscription) {
    this.subscription = subscription;
    this.events = [];
    this.confirmed = 0;
    this.caughtUp = [];
    this.error = undefined;
    this.changed = () => {};
    const note = (change) => (value) => {
      change(value);
      this.changed();
    };
    subscription.on("data", note((e) => this.events.push(e)));
    subscription.on("error", note((e) => (this.error ??= e)));
    subscription.on("confirmation", note(() => this.confirmed++));
    subscription.on("caughtUp", note(() => this.caughtUp.push(this.events.length)));
  }

  // until waits for something; an error ends the wait unless it is waited for.
  async until(what, condition) {
    const wait = async () => {
      while (!condition(this)) {
        if (this.error) throw this.error;
        await new Promise((resolve) => (this.changed = resolve));
      }
    };
    await within(what, wait()).catch((error) => {
      throw new Error(`${what}: ${error.message}; ${this.events.length} events, ${this.confirmed} confirmations`, { cause: error });
    });
  }

  // next waits until n events are there and returns them.
  async next(n) {
    await this.until(`${n} events`, () => this.events.length >= n);
    return this.events.slice(0, n);
  }

  // ended waits for the error that ends the subscription and returns it.
  async ended() {
    await this.until("an error", () => this.error !== undefined);
    return this.error;
  }
}

export const unique = (name) => `${name}-${randomUUID()}`;
export const json = (n, type = "Counted") => jsonEvent({ type, data: { n }, metadata: { by: "client.mjs" } });
export const jsons = (count, type, first = 0) => Array.from({ length: count }, (_, i) => json(first + i, type));
export const numbers = (events) => events.map((e) => e.event.data.n);
export const revisions = (events) => events.map((e) => Number(e.event.revision));
export const range = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
export const ascending = (positions) => positions.every((p, i) => i === 0 || positions[i - 1].commit < p.commit);
export const credentials = { username: "admin", password: "changeit" };

// summary prints how many checks there were and returns how many failed.
export function summary() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}
