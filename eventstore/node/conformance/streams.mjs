// Streams: appends in both ways, reads, links, subscriptions, metadata, deletion.
import { randomUUID } from "node:crypto";
import * as es from "@eventstore/db-client";
import { ascending, check, collect, credentials, equal, fails, Inbox, json, jsons, numbers, range, revisions, section, unique } from "./checks.mjs";

const maxAppendBytes = 1_048_576; // the node's default

export async function streams(client, lenient) {
  // Both ways to append: in batches, and, when a call has credentials of its own,
  // in one call for each append.
  for (const [way, own] of [["batch append", {}], ["append", { credentials }]]) {
    await section(way, async () => {
      const stream = unique("append");
      const events = jsons(3);
      const first = await client.appendToStream(stream, events, { expectedRevision: es.NO_STREAM, ...own });
      equal(`${way}: revision after three events`, [first.success, first.nextExpectedRevision], [true, 2n]);
      check(`${way}: has a position`, first.position?.commit > 0n && first.position.commit === first.position.prepare, first.position);

      const again = await client.appendToStream(stream, events, { expectedRevision: es.NO_STREAM, ...own });
      equal(`${way}: repeated, it is where it was`, again, first);
      const repeated = await client.appendToStream(stream, events.slice(1), { expectedRevision: es.ANY, ...own });
      equal(`${way}: repeated in part and anywhere, it is where it was`, repeated, first);

      await fails(`${way}: other events where there is a stream`, () => client.appendToStream(stream, json(9), { expectedRevision: es.NO_STREAM, ...own }),
        es.WrongExpectedVersionError, { streamName: stream, expectedVersion: es.NO_STREAM, actualVersion: 2n });
      await fails(`${way}: at a later revision`, () => client.appendToStream(stream, json(9), { expectedRevision: 10n, ...own }),
        es.WrongExpectedVersionError, { streamName: stream, expectedVersion: 10n, actualVersion: 2n });
      await fails(`${way}: at an earlier revision`, () => client.appendToStream(stream, json(9), { expectedRevision: 0n, ...own }),
        es.WrongExpectedVersionError, { expectedVersion: 0n, actualVersion: 2n });
      await fails(`${way}: to a stream that has to exist`, () => client.appendToStream(unique("none"), json(9), { expectedRevision: es.STREAM_EXISTS, ...own }),
        es.WrongExpectedVersionError, { expectedVersion: es.STREAM_EXISTS, actualVersion: es.NO_STREAM });
      const refused = await lenient.appendToStream(stream, json(9), { expectedRevision: 10n, ...own });
      equal(`${way}: a client that does not throw is told`, refused.success, false);

      const exact = await client.appendToStream(stream, json(3), { expectedRevision: 2n, ...own });
      equal(`${way}: at the exact revision`, exact.nextExpectedRevision, 3n);
      check(`${way}: positions grow`, exact.position.commit > first.position.commit, [exact, first]);
      const exists = await client.appendToStream(stream, json(4), { expectedRevision: es.STREAM_EXISTS, ...own });
      equal(`${way}: to an existing stream`, exists.nextExpectedRevision, 4n);
      const any = await client.appendToStream(stream, json(5), own);
      equal(`${way}: anywhere`, any.nextExpectedRevision, 5n);
      equal(`${way}: all of it is there once`, numbers(await collect(client.readStream(stream))), range(0, 6));

      const big = es.binaryEvent({ type: "Big", data: new Uint8Array(maxAppendBytes + 1) });
      await fails(`${way}: too large`, () => client.appendToStream(unique("big"), big, own), es.MaxAppendSizeExceededError, { maxAppendSize: maxAppendBytes });
      const after = await client.appendToStream(stream, json(6), own);
      equal(`${way}: goes on after a refusal`, after.nextExpectedRevision, 6n);
      await fails(`${way}: an event without a type`, () => client.appendToStream(stream, json(7, ""), own), es.UnknownError);
    });
  }

  await section("batches", async () => {
    const stream = unique("batches");
    const many = await client.appendToStream(stream, jsons(1_000), { batchAppendSize: 4_096 });
    equal("a batch in many messages", many.nextExpectedRevision, 999n);
    equal("a batch in many messages is whole and in order", numbers(await collect(client.readStream(stream))), range(0, 1_000));

    const streams = range(0, 50).map(() => unique("beside"));
    const results = await Promise.all(streams.map((s) => client.appendToStream(s, jsons(2), { expectedRevision: es.NO_STREAM })));
    equal("fifty batches at once", results.map((r) => r.nextExpectedRevision), range(0, 50).map(() => 1n));
    equal("each has a place of its own", new Set(results.map((r) => r.position.commit)).size, 50);

    const one = unique("together");
    const revs = await Promise.all(range(0, 20).map((n) => client.appendToStream(one, json(n))));
    equal("twenty batches to one stream share its revisions", revs.map((r) => Number(r.nextExpectedRevision)).sort((a, b) => a - b), range(0, 20));

    const contended = unique("contended");
    const race = await Promise.allSettled(range(0, 10).map((n) => client.appendToStream(contended, json(n), { expectedRevision: es.NO_STREAM })));
    equal("one of ten wins an empty stream", race.filter((r) => r.status === "fulfilled").length, 1);
    check("the others are told", race.every((r) => r.status === "fulfilled" || r.reason instanceof es.WrongExpectedVersionError), race);
  });

  await section("reads of a stream", async () => {
    const stream = unique("größe-読む");
    const data = { text: "Ä€😀", nested: { list: [1, null, true] } };
    const event = es.jsonEvent({ type: "Wrote", data, metadata: { $correlationId: "c1", by: "ü" } });
    const binary = es.binaryEvent({ type: "Bytes", data: Uint8Array.of(0, 255, 1), metadata: Uint8Array.of(3, 0, 254) });
    const began = Date.now();
    const { position } = await client.appendToStream(stream, [event, binary, ...jsons(8, "Counted", 2)]);

    const all = await collect(client.readStream(stream));
    equal("ten events forwards", revisions(all), range(0, 10));
    const [{ event: got, link, commitPosition }, { event: bytes }] = all;
    equal("JSON comes back", [got.id, got.type, got.isJson, got.data, got.metadata], [event.id, "Wrote", true, data, event.metadata]);
    equal("its stream's name comes back", got.streamId, stream);
    check("it was created now", Math.abs(got.created - began) < 60_000, got.created);
    check("it is no link", link === undefined, link);
    check("it has a position", got.position?.commit > 0n && got.position.commit === commitPosition, [got.position, commitPosition]);
    equal("bytes come back", [bytes.isJson, [...bytes.data], [...bytes.metadata]], [false, [0, 255, 1], [3, 0, 254]]);
    equal("the last event is where the append said", all[9].event.position, position);

    const read = async (options) => revisions(await collect(client.readStream(stream, options)));
    equal("backwards from the end", await read({ direction: es.BACKWARDS, fromRevision: es.END }), range(0, 10).reverse());
    equal("forwards from a revision, that one included", await read({ fromRevision: 7n }), [7, 8, 9]);
    equal("backwards from a revision, that one included", await read({ direction: es.BACKWARDS, fromRevision: 2n }), [2, 1, 0]);
    equal("at most three", await read({ fromRevision: 1n, maxCount: 3 }), [1, 2, 3]);
    equal("at most two backwards", await read({ direction: es.BACKWARDS, fromRevision: es.END, maxCount: 2 }), [9, 8]);
    equal("backwards from the start is the first", await read({ direction: es.BACKWARDS, fromRevision: es.START }), [0]);
    equal("backwards from beyond the end is from the end", await read({ direction: es.BACKWARDS, fromRevision: 100n, maxCount: 1 }), [9]);
    equal("forwards from beyond the end is nothing", await read({ fromRevision: 10n }), []);
    const none = unique("none");
    await fails("a stream that is not there", () => collect(client.readStream(none)), es.StreamNotFoundError, { streamName: none });
    await fails("backwards too", () => collect(client.readStream(none, { direction: es.BACKWARDS, fromRevision: es.END })), es.StreamNotFoundError);

    const long = client.readStream(stream);
    for await (const _ of long) break; // ends the read early
    equal("after a read that was left", (await read({ maxCount: 1 })), [0]);
  });

  await section("reads of $all", async () => {
    const stream = unique("all");
    await client.appendToStream(stream, jsons(5));
    const mine = (events) => events.filter((e) => e.event?.streamId === stream);
    const all = await collect(client.readAll());
    equal("has the stream's events in order", revisions(mine(all)), range(0, 5));
    check("positions grow", ascending(all.map((e) => e.event.position)), all.length);
    const backwards = await collect(client.readAll({ direction: es.BACKWARDS, fromPosition: es.END }));
    equal("backwards is the same the other way round", backwards.map((e) => e.event.id).reverse(), all.map((e) => e.event.id));
    const from = mine(all)[2].event.position;
    equal("forwards from a position, that one included", revisions(mine(await collect(client.readAll({ fromPosition: from })))), [2, 3, 4]);
    equal("backwards from a position, that one not", revisions(mine(await collect(client.readAll({ direction: es.BACKWARDS, fromPosition: from })))), [1, 0]);
    equal("at most three", (await collect(client.readAll({ maxCount: 3 }))).length, 3);
    equal("backwards from the start is nothing", await collect(client.readAll({ direction: es.BACKWARDS, fromPosition: es.START })), []);
    equal("forwards from the end is nothing", await collect(client.readAll({ fromPosition: es.END })), []);
    await fails("from a position where no event begins", () => collect(client.readAll({ fromPosition: { commit: from.commit + 1n, prepare: from.prepare + 1n } })), es.UnknownError);
  });

  await section("links", async () => {
    const category = `cat${randomUUID().replaceAll("-", "")}`;
    const stream = `${category}-1`;
    const type = `Type${randomUUID()}`;
    await client.appendToStream(stream, jsons(3, type));
    const links = unique("links");
    const to = (target) => es.binaryEvent({ type: "$>", data: Buffer.from(target) });
    await client.appendToStream(links, [to(`2@${stream}`), to(`0@${stream}`), to(`7@${stream}`)]);

    const resolved = await collect(client.readStream(links, { resolveLinkTos: true }));
    equal("links lead to their events", resolved.map((e) => e.event?.data.n), [2, 0, undefined]);
    equal("and are there themselves", resolved.map((e) => [e.link.type, Number(e.link.revision), e.link.streamId]), [0, 1, 2].map((n) => ["$>", n, links]));
    const raw = await collect(client.readStream(links));
    equal("unless one asks for the links", raw.map((e) => [e.event.type, e.link, Buffer.from(e.event.data).toString()]),
      [["$>", undefined, `2@${stream}`], ["$>", undefined, `0@${stream}`], ["$>", undefined, `7@${stream}`]]);
    await client.appendToStream(`${category}-2`, jsons(2, type, 3));
    equal("a category has its streams' events", numbers(await collect(client.readStream(`$ce-${category}`, { resolveLinkTos: true }))), range(0, 5));
    equal("a type has its events", numbers(await collect(client.readStream(`$et-${type}`, { resolveLinkTos: true }))), range(0, 5));
    const newest = await collect(client.readStream(`$ce-${category}`, { resolveLinkTos: true, direction: es.BACKWARDS, fromRevision: es.END, maxCount: 2 }));
    equal("a category's newest events", numbers(newest), [4, 3]);
    equal("a category counts its links", newest.map((e) => Number(e.link.revision)), [4, 3]);
    const correlation = randomUUID();
    await client.appendToStream(`${category}-3`, es.jsonEvent({ type, data: { n: 5 }, metadata: { $correlationId: correlation } }));
    equal("a correlation has its events", numbers(await collect(client.readStream(`$bc-${correlation}`, { resolveLinkTos: true }))), [5]);
    const firsts = await collect(client.readStream("$streams", { resolveLinkTos: true }));
    equal("every stream is known by its first event", firsts.filter((e) => e.event?.streamId.startsWith(`${category}-`)).map((e) => e.event.data.n), [0, 3, 5]);

    const follower = new Inbox(client.subscribeToStream(`$ce-${category}`, { fromRevision: 3n, resolveLinkTos: true }));
    await follower.until("caught up", (b) => b.caughtUp.length > 0);
    await client.createPersistentSubscriptionToStream(`$ce-${category}`, "workers", es.persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: es.START, resolveLinkTos: true }));
    const worker = new Inbox(client.subscribeToPersistentSubscriptionToStream(`$ce-${category}`, "workers", { bufferSize: 3 }));
    await client.appendToStream(`${category}-1`, json(6, type));
    equal("a subscription to a category", numbers(await follower.next(3)), [4, 5, 6]);
    await worker.next(3);
    await worker.subscription.ack(...worker.events);
    equal("a group of a category", numbers(await worker.next(6)), range(0, 6));
    await worker.subscription.ack(...worker.events.slice(3));
    equal("goes on live", numbers(await worker.next(7)).at(-1), 6);
    for (const b of [follower, worker]) await b.subscription.unsubscribe();
  });

  await section("subscriptions to a stream", async () => {
    const stream = unique("subscribed");
    await client.appendToStream(stream, jsons(40));
    const start = new Inbox(client.subscribeToStream(stream, { fromRevision: es.START }));
    const middle = new Inbox(client.subscribeToStream(stream, { fromRevision: 36n }));
    const end = new Inbox(client.subscribeToStream(stream, { fromRevision: es.END }));
    const boxes = [start, middle, end];
    for (const box of boxes) await box.until("caught up", (b) => b.caughtUp.length > 0);
    check("each is confirmed with an id", boxes.every((b) => b.confirmed === 1 && /^[0-9a-f-]{36}$/.test(b.subscription.id)), boxes.map((b) => b.subscription.id));
    equal("each has caught up after what was there", boxes.map((b) => b.caughtUp[0]), [40, 3, 0]);
    await client.appendToStream(stream, jsons(3, "Counted", 40));
    equal("from the start", numbers(await start.next(43)), range(0, 43));
    equal("after a revision, that one not", numbers(await middle.next(6)), range(37, 43));
    equal("after the end", numbers(await end.next(3)), range(40, 43));
    equal("events have positions", (await end.next(1))[0].event.position?.commit > 0n, true);

    const later = unique("later");
    const waiting = new Inbox(client.subscribeToStream(later));
    await waiting.until("caught up", (b) => b.caughtUp.length > 0);
    await client.appendToStream(later, jsons(2));
    equal("to a stream that comes later", numbers(await waiting.next(2)), [0, 1]);
    await start.subscription.unsubscribe();
    await client.appendToStream(stream, json(43));
    await end.next(4);
    equal("one that ended gets nothing more", [start.events.length, start.error], [43, undefined]);

    await client.tombstoneStream(later);
    const error = await waiting.ended();
    equal("a tombstone is delivered", waiting.events.map((e) => e.event.type), ["Counted", "Counted", "$streamDeleted"]);
    check("and ends the subscription", error instanceof es.StreamDeletedError && error.streamName === later, error);
    const never = new Inbox(client.subscribeToStream(later));
    check("one to a tombstone fails", (await never.ended()) instanceof es.StreamDeletedError && never.confirmed === 0, never.error);
    for (const box of [middle, end]) await box.subscription.unsubscribe();
  });

  await section("subscriptions to $all", async () => {
    const type = `Wanted${randomUUID()}`;
    const stream = unique("filtered");
    // Every tenth event is wanted.
    for (const n of range(0, 20)) await client.appendToStream(stream, [json(n, type), ...jsons(9, "Noise")]);

    const checkpoints = [];
    const filter = es.eventTypeFilter({
      prefixes: [type], checkpointInterval: 2, maxSearchWindow: 16,
      checkpointReached: (_, position) => void checkpoints.push({ position, after: box.events.length }),
    });
    const box = new Inbox(client.subscribeToAll({ fromPosition: es.START, filter }));
    await box.until("caught up", (b) => b.caughtUp.length > 0);
    equal("a filter by type gives its events", numbers(await box.next(20)), range(0, 20));
    check("has a checkpoint in 32 events", checkpoints.length >= 6, checkpoints.length);
    check("checkpoints grow", ascending(checkpoints.map((c) => c.position)), checkpoints);
    const middle = checkpoints.find((c) => c.after >= 10);
    check("a checkpoint is not before what was delivered", middle.position.commit >= box.events[middle.after - 1].event.position.commit, middle);
    const resumed = new Inbox(client.subscribeToAll({ fromPosition: middle.position, filter: es.eventTypeFilter({ prefixes: [type] }) }));
    equal("nothing is lost and nothing comes twice after one", numbers(await resumed.next(20 - middle.after)), range(middle.after, 20));

    const before = checkpoints.length;
    for (const n of range(20, 24)) await client.appendToStream(stream, [json(n, type), ...jsons(19, "Noise")]);
    equal("goes on live", [numbers((await box.next(24)).slice(20)), numbers((await resumed.next(24 - middle.after)).slice(-4))], [range(20, 24), range(20, 24)]);
    await box.until("a live checkpoint", () => checkpoints.length > before);
    check("has checkpoints live too", ascending(checkpoints.map((c) => c.position)), checkpoints.length);

    const regex = new Inbox(client.subscribeToAll({ filter: es.streamNameFilter({ regex: `^${stream}$` }) }));
    equal("a filter by a pattern of streams", revisions(await regex.next(280)), range(0, 280));
    const byStream = new Inbox(client.subscribeToAll({ filter: es.streamNameFilter({ prefixes: ["no such", stream] }) }));
    equal("a filter by the beginning of streams", revisions(await byStream.next(280)), range(0, 280));
    const quiet = new Inbox(client.subscribeToAll({ filter: es.excludeSystemEvents() }));
    await quiet.until("caught up", (b) => b.caughtUp.length > 0);
    check("system events can be left out", quiet.events.length >= 280 && quiet.events.every((e) => !e.event.type.startsWith("$")), quiet.events.length);
    await fails("a pattern that is none", () => new Inbox(client.subscribeToAll({ filter: es.streamNameFilter({ regex: "(" }) })).ended().then((e) => { throw e; }), es.UnknownError);

    const everything = new Inbox(client.subscribeToAll({ fromPosition: es.START }));
    await everything.until("caught up", (b) => b.caughtUp.length > 0);
    check("without a filter everything comes, in order", everything.events.length > 400 && ascending(everything.events.map((e) => e.event.position)), everything.events.length);
    const last = everything.events.at(-1).event.position;
    const fresh = new Inbox(client.subscribeToAll({ fromPosition: es.END }));
    await fresh.until("caught up", (b) => b.caughtUp.length > 0);
    const id = json(0, "Fresh");
    await client.appendToStream(stream, id);
    equal("from the end only what is new", (await fresh.next(1))[0].event.id, id.id);
    const after = new Inbox(client.subscribeToAll({ fromPosition: last }));
    equal("after a position, that one not", (await after.next(1))[0].event.id, id.id);
    for (const b of [box, resumed, regex, byStream, quiet, everything, fresh, after]) await b.subscription.unsubscribe();
  });

  await section("metadata", async () => {
    const stream = unique("metadata");
    await client.appendToStream(stream, jsons(10));
    equal("none at first", (await client.getStreamMetadata(stream)).metadata, undefined);
    const wanted = { maxAge: 3_600, maxCount: 4, cacheControl: 60, acl: { readRoles: ["a", "b"], writeRoles: ["c"] }, own: { x: [1] } };
    equal("set", (await client.setStreamMetadata(stream, wanted, { expectedRevision: es.NO_STREAM })).nextExpectedRevision, 0n);
    equal("comes back", (await client.getStreamMetadata(stream)).metadata, wanted);
    equal("a count hides the oldest", revisions(await collect(client.readStream(stream))), [6, 7, 8, 9]);
    await fails("set at a wrong revision", () => client.setStreamMetadata(stream, {}, { expectedRevision: 5n }), es.WrongExpectedVersionError, { actualVersion: 0n });
    await client.setStreamMetadata(stream, { truncateBefore: 8 });
    equal("a truncation hides what is before", revisions(await collect(client.readStream(stream))), [8, 9]);
    equal("also from a revision before it", revisions(await collect(client.readStream(stream, { fromRevision: 3n }))), [8, 9]);
    const seen = (await collect(client.readAll())).filter((e) => e.event.streamId === stream);
    equal("$all still has them", seen.length, 10);
    const metas = await collect(client.readStream(`$$${stream}`));
    equal("only the newest metadata is kept", metas.map((e) => [e.event.type, e.event.data, Number(e.event.revision)]), [["$metadata", { $tb: 8 }, 1]]);
    await client.setStreamMetadata(stream, { truncateBefore: 100 });
    equal("with all of it hidden the stream is empty", await collect(client.readStream(stream)), []);
  });

  await section("deletion", async () => {
    const stream = unique("deleted");
    await client.appendToStream(stream, jsons(3));
    await fails("at a wrong revision", () => client.deleteStream(stream, { expectedRevision: 7n }),
      es.WrongExpectedVersionError, { streamName: stream, expectedVersion: 7n, actualVersion: 2n });
    const deleted = await client.deleteStream(stream, { expectedRevision: 2n });
    check("has a position", deleted.position?.commit > 0n, deleted);
    await fails("then a read", () => collect(client.readStream(stream)), es.StreamNotFoundError, { streamName: stream });
    equal("then its metadata", (await client.getStreamMetadata(stream)).metadata?.truncateBefore !== undefined, true);
    await fails("then an append to an existing stream", () => client.appendToStream(stream, json(3), { expectedRevision: es.STREAM_EXISTS }), es.StreamDeletedError, { streamName: stream });
    equal("then an append to no stream", (await client.appendToStream(stream, json(3), { expectedRevision: es.NO_STREAM })).nextExpectedRevision, 3n);
    equal("goes on counting", revisions(await collect(client.readStream(stream))), [3]);
    const none = unique("none");
    await fails("of a stream that is not there", () => client.deleteStream(none, { expectedRevision: 0n }),
      es.WrongExpectedVersionError, { streamName: none, expectedVersion: 0n });

    await fails("a tombstone at a wrong revision", () => client.tombstoneStream(stream, { expectedRevision: 9n }), es.WrongExpectedVersionError, { expectedVersion: 9n, actualVersion: 3n });
    const tombstone = await client.tombstoneStream(stream, { expectedRevision: 3n });
    check("a tombstone has a position", tombstone.position?.commit > deleted.position.commit, tombstone);
    const gone = { streamName: stream };
    await fails("then a read", () => collect(client.readStream(stream)), es.StreamDeletedError, gone);
    await fails("then a batch append", () => client.appendToStream(stream, json(4)), es.StreamDeletedError, gone);
    await fails("then an append", () => client.appendToStream(stream, json(4), { credentials }), es.StreamDeletedError, gone);
    await fails("then metadata", () => client.setStreamMetadata(stream, { maxCount: 1 }), es.StreamDeletedError);
    await fails("then a deletion", () => client.deleteStream(stream), es.StreamDeletedError, gone);
    await fails("then a tombstone", () => client.tombstoneStream(stream), es.StreamDeletedError, gone);
    const traces = (await collect(client.readAll())).filter((e) => e.event.streamId === stream);
    equal("$all has the tombstone", traces.map((e) => e.event.type), [...range(0, 4).map(() => "Counted"), "$streamDeleted"]);
    await client.tombstoneStream(unique("empty"), { expectedRevision: es.NO_STREAM });
    check("a stream that never was can have one", true);
  });
}
