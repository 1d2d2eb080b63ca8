// Checks a node with the official Node.js client:
//
//	node client.mjs PLAIN SECURE CA
//
// PLAIN is host and port of an empty node without TLS and users, SECURE those
// of one with both whose certificate the file CA vouches for. Each check prints
// a line; the last line says how many there were. What the checks expect is
// what EventStoreDB does.
import * as es from "@eventstore/db-client";
import { access } from "./access.mjs";
import { equal, fails, json, section, summary, unique } from "./checks.mjs";
import { persistent } from "./persistent.mjs";
import { streams } from "./streams.mjs";

const [plain, secure, ca] = process.argv.slice(2);
const client = es.EventStoreDBClient.connectionString(`esdb://${plain}?tls=false&connectionName=checks`);
const lenient = es.EventStoreDBClient.connectionString(`esdb://${plain}?tls=false&throwOnAppendFailure=false`);

await streams(client, lenient);
await persistent(client);
await access(secure, ca);

await section("the rest", async () => {
  await fails("projections", () => client.createProjection("p", "fromAll()"), Error, { code: 12 });
  await fails("a deadline that has passed", () => client.appendToStream(unique("late"), json(0), { deadline: -1_000 }), es.DeadlineExceededError);
  equal("goes on after it", (await client.appendToStream(unique("late"), json(0))).success, true);
});

process.exit(summary() > 0 ? 1 : 0);
