// Access: users, passwords, lists, and finding the leader.
import * as es from "@eventstore/db-client";
import { check, collect, credentials, equal, fails, Inbox, json, numbers, section, unique } from "./checks.mjs";

const toStream = es.persistentSubscriptionToStreamSettingsFromDefaults;

// access checks the node at an address whose certificate the file ca vouches for.
export async function access(address, ca) {
  await section("access", async () => {
    const to = (login, options = `?tlsCAFile=${ca}`) => es.EventStoreDBClient.connectionString(`esdb://${login}${address}${options}`);
    const [admin, ops, nobody, wrong] = ["admin:changeit@", "ops:changeit@", "", "admin:wrong@"].map((login) => to(login));
    const stream = unique("guarded");
    const read = (who, name) => () => collect(who.readStream(name, { maxCount: 1 }));
    equal("an administrator appends", (await admin.appendToStream(stream, json(0))).nextExpectedRevision, 0n);
    equal("a user appends", (await ops.appendToStream(stream, json(1))).nextExpectedRevision, 1n);
    equal("a user reads", (await collect(ops.readStream(stream))).length, 2);
    await fails("nobody's batch append", () => nobody.appendToStream(stream, json(2)), es.AccessDeniedError);
    await fails("nobody's read", read(nobody, stream), es.AccessDeniedError);
    await fails("nobody's deletion", () => nobody.deleteStream(stream), es.AccessDeniedError);
    await fails("nobody's subscription", () => new Inbox(nobody.subscribeToStream(stream)).ended().then((e) => { throw e; }), es.AccessDeniedError);
    await fails("nobody's group", () => nobody.createPersistentSubscriptionToStream(stream, "g", toStream()), es.AccessDeniedError);
    await fails("a read with a wrong password", read(wrong, stream), es.AccessDeniedError);
    await fails("a batch append with a wrong password", () => wrong.appendToStream(stream, json(2)), es.AccessDeniedError);
    await fails("an append with a wrong password", () => nobody.appendToStream(stream, json(2), { credentials: { username: "ops", password: "no" } }), es.AccessDeniedError);
    equal("an append with the right one", (await nobody.appendToStream(stream, json(2), { credentials })).nextExpectedRevision, 2n);
    await fails("an append without the node's authority", () => to("admin:changeit@", "").appendToStream(stream, json(3)), Error, { code: 14 });

    await fails("a user's read of the store's own streams", read(ops, "$users"), es.AccessDeniedError);
    equal("an administrator's", (await collect(admin.readStream("$users"))).length >= 2, true);
    await fails("a user's read of $all", () => collect(ops.readAll({ maxCount: 1 })), es.AccessDeniedError);
    await admin.setStreamMetadata(stream, { acl: { readRoles: ["$admins"], writeRoles: ["ops"] } });
    await fails("a read that a list forbids", read(ops, stream), es.AccessDeniedError);
    equal("an append that it allows", (await ops.appendToStream(stream, json(3))).nextExpectedRevision, 3n);
    equal("an administrator reads all the same", (await collect(admin.readStream(stream))).length, 4);
    await ops.createPersistentSubscriptionToStream(stream, "g", toStream({ startFrom: es.START }));
    await fails("a consumer that may not read", () => new Inbox(ops.subscribeToPersistentSubscriptionToStream(stream, "g")).ended().then((e) => { throw e; }), es.AccessDeniedError);
    const consumer = new Inbox(admin.subscribeToPersistentSubscriptionToStream(stream, "g"));
    equal("one that may", numbers(await consumer.next(1)), [0]);
    await consumer.subscription.unsubscribe();

    const found = es.EventStoreDBClient.connectionString(`esdb+discover://admin:changeit@${address}?tlsCAFile=${ca}&nodePreference=leader`);
    equal("a client that asks for the leader finds it", (await found.appendToStream(stream, json(4))).nextExpectedRevision, 4n);
    const seeds = es.EventStoreDBClient.connectionString(`esdb://admin:changeit@localhost:1,${address}?tlsCAFile=${ca}&discoveryInterval=10`);
    equal("also past a seed that is down", (await seeds.appendToStream(stream, json(5))).nextExpectedRevision, 5n);
  });
}
