// Persistent subscriptions: groups, acknowledgements, parking, strategies, $all.
import { randomUUID } from "node:crypto";
import * as es from "@eventstore/db-client";
import { ascending, becomes, check, equal, fails, Inbox, json, jsons, numbers, range, section, unique } from "./checks.mjs";

const toStream = es.persistentSubscriptionToStreamSettingsFromDefaults;
const toAll = es.persistentSubscriptionToAllSettingsFromDefaults;

export async function persistent(client) {
  await section("persistent subscriptions", async () => {
    const stream = unique("work");
    const group = "group one";
    const at = { streamName: stream, groupName: group };
    await client.appendToStream(stream, jsons(6));
    await fails("to a group that is not there", () => new Inbox(client.subscribeToPersistentSubscriptionToStream(stream, group)).ended().then((e) => { throw e; }),
      es.PersistentSubscriptionDoesNotExistError, at);
    await fails("what is known of it", () => client.getPersistentSubscriptionToStreamInfo(stream, group), es.PersistentSubscriptionDoesNotExistError, at);
    await fails("its update", () => client.updatePersistentSubscriptionToStream(stream, group, toStream()), es.PersistentSubscriptionDoesNotExistError, at);
    await fails("its deletion", () => client.deletePersistentSubscriptionToStream(stream, group), es.PersistentSubscriptionDoesNotExistError, at);
    await fails("its replay", () => client.replayParkedMessagesToStream(stream, group), es.PersistentSubscriptionDoesNotExistError, at);

    const settings = toStream({ startFrom: es.START, maxSubscriberCount: 1, checkPointLowerBound: 1, checkPointUpperBound: 1, messageTimeout: 60_000 });
    await client.createPersistentSubscriptionToStream(stream, group, settings);
    await fails("a second one of the name", () => client.createPersistentSubscriptionToStream(stream, group, settings), es.PersistentSubscriptionExistsError, at);
    await fails("impossible settings", () => client.createPersistentSubscriptionToStream(stream, "bad", toStream({ readBatchSize: 500, historyBufferSize: 20 })), es.PersistentSubscriptionFailedError);

    const box = new Inbox(client.subscribeToPersistentSubscriptionToStream(stream, group, { bufferSize: 2 }));
    await box.next(2);
    equal("the confirmation names both", box.subscription.id, `${stream}::${group}`);
    equal("has the first events", numbers(box.events), [0, 1]);
    equal("they come for the first time", box.events.map((e) => e.retryCount), [0, 0]);
    const info = await client.getPersistentSubscriptionToStreamInfo(stream, group);
    equal("no more than the buffer takes are out", [box.events.length, info.stats.totalInFlightMessages], [2, 2]);
    equal("says what it is", [info.eventSource, info.groupName, info.connections.length], [stream, group, 1]);
    equal("says who is there", info.connections[0].connectionName, "checks");
    equal("says its settings", info.settings, settings);
    await fails("one consumer too many", () => new Inbox(client.subscribeToPersistentSubscriptionToStream(stream, group)).ended().then((e) => { throw e; }),
      es.PersistentSubscriptionMaximumSubscribersReachedError, at);

    await box.subscription.ack(box.events[0]);
    equal("an ack lets the next one come", numbers(await box.next(3)), [0, 1, 2]);
    await box.subscription.nack(es.RETRY, "again", box.events[1]);
    await box.next(4);
    equal("a retry comes again", [box.events[3].event.data.n, box.events[3].retryCount], [1, 1]);
    await box.subscription.ack(box.events[3]);
    await box.subscription.nack(es.SKIP, "not this", box.events[2]);
    await box.next(6);
    equal("a skipped one does not", numbers(box.events), [0, 1, 2, 1, 3, 4]);
    await box.subscription.nack(es.PARK, "later", box.events[4], box.events[5]);
    equal("a parked one makes room", numbers(await box.next(7)).at(-1), 5);
    await box.subscription.ack(box.events[6]);
    const stats = (name) => async () => (await client.getPersistentSubscriptionToStreamInfo(stream, group)).stats[name];
    await becomes("two are parked", stats("parkedMessageCount"), 2n);
    await client.replayParkedMessagesToStream(stream, group, { stopAt: 1 });
    equal("a replay up to a place", numbers(await box.next(8)).at(-1), 3);
    await box.subscription.ack(box.events[7]);
    await client.replayParkedMessagesToStream(stream, group);
    await box.next(9);
    equal("a replay of the rest", [box.events[8].event.data.n, box.events[8].retryCount], [4, 0]);
    await box.subscription.ack(box.events[8]);
    await client.appendToStream(stream, jsons(2, "Counted", 6));
    equal("goes on live", numbers((await box.next(11)).slice(9)), [6, 7]);
    await box.subscription.ack(...box.events.slice(9));
    await becomes("remembers how far it came", stats("lastCheckpointedEventRevision"), 7n);

    await client.updatePersistentSubscriptionToStream(stream, group, toStream({ ...settings, maxRetryCount: 1, maxSubscriberCount: es.UNBOUNDED }));
    check("an update drops who is there", (await box.ended()) instanceof es.PersistentSubscriptionDroppedError && box.error.groupName === group, box.error);
    const two = new Inbox(client.subscribeToPersistentSubscriptionToStream(stream, group));
    await two.until("confirmed", (b) => b.confirmed > 0);
    await client.appendToStream(stream, json(8));
    equal("and goes on where it was", numbers(await two.next(1)), [8]);
    await two.subscription.nack(es.RETRY, "once", two.events[0]);
    await two.next(2);
    await two.subscription.nack(es.RETRY, "twice", two.events[1]);
    await becomes("too many retries park it", stats("parkedMessageCount"), 1n);
    equal("each retry is counted", two.events.map((e) => e.retryCount), [0, 1]);

    const other = "group two";
    await client.createPersistentSubscriptionToStream(stream, other, toStream({ startFrom: 7n }));
    const listed = await client.listPersistentSubscriptionsToStream(stream);
    equal("a stream's groups", listed.map((i) => i.groupName).sort(), [group, other]);
    check("are among all groups", (await client.listAllPersistentSubscriptions()).filter((i) => i.eventSource === stream).length === 2, stream);
    const from = new Inbox(client.subscribeToPersistentSubscriptionToStream(stream, other));
    equal("a start at a revision, that one included", numbers(await from.next(2)), [7, 8]);
    equal("is known", (await client.getPersistentSubscriptionToStreamInfo(stream, other)).settings.startFrom, 7n);
    await client.deletePersistentSubscriptionToStream(stream, other);
    check("a deletion drops who is there", (await from.ended()) instanceof es.PersistentSubscriptionDroppedError, from.error);
    equal("and only that group", (await client.listPersistentSubscriptionsToStream(stream)).map((i) => i.groupName), [group]);
    await two.subscription.unsubscribe();
    await fails("the groups of a stream without any", () => client.listPersistentSubscriptionsToStream(unique("none")), es.PersistentSubscriptionDoesNotExistError);
  });

  await section("consumers of persistent subscriptions", async () => {
    const stream = unique("shared");
    for (const [strategy, share] of [[es.ROUND_ROBIN, [5, 5]], [es.DISPATCH_TO_SINGLE, [10, 0]], [es.PINNED, [10, 0]]]) {
      await client.createPersistentSubscriptionToStream(stream, strategy, toStream({ consumerStrategyName: strategy }));
      const boxes = [0, 1].map(() => new Inbox(client.subscribeToPersistentSubscriptionToStream(stream, strategy, { bufferSize: 20 })));
      for (const b of boxes) await b.until("confirmed", () => b.confirmed > 0);
      await client.appendToStream(stream, jsons(10));
      const all = () => boxes[0].events.length + boxes[1].events.length === 10;
      await Promise.race(boxes.map((b) => b.until("ten events", all)));
      equal(`${strategy} shares ten events`, boxes.map((b) => b.events.length).sort((a, b) => b - a), share);
      if (strategy === es.ROUND_ROBIN) {
        await boxes[0].subscription.unsubscribe();
        await boxes[1].next(10);
        equal("what one left the other gets", numbers(boxes[1].events).sort((a, b) => a - b), range(0, 10));
      }
      for (const b of boxes) await b.subscription.unsubscribe();
      await client.deletePersistentSubscriptionToStream(stream, strategy);
    }
    await client.createPersistentSubscriptionToStream(stream, "slow", toStream({ messageTimeout: 300, startFrom: es.START }));
    const slow = new Inbox(client.subscribeToPersistentSubscriptionToStream(stream, "slow", { bufferSize: 1 }));
    await slow.next(2);
    equal("what takes too long comes again", slow.events.slice(0, 2).map((e) => [e.event.data.n, e.retryCount]), [[0, 0], [0, 1]]);
    await slow.subscription.unsubscribe();

    const links = unique("shared-links");
    await client.appendToStream(links, es.binaryEvent({ type: "$>", data: Buffer.from(`4@${stream}`) }));
    await client.createPersistentSubscriptionToStream(links, "resolved", toStream({ resolveLinkTos: true, startFrom: es.START, checkPointLowerBound: 1, checkPointUpperBound: 1 }));
    const box = new Inbox(client.subscribeToPersistentSubscriptionToStream(links, "resolved", { bufferSize: 1 }));
    const [first] = await box.next(1);
    equal("links are resolved", [first.event.data.n, first.link.streamId], [4, links]);
    await box.subscription.ack(first);
    await client.appendToStream(links, es.binaryEvent({ type: "$>", data: Buffer.from(`5@${stream}`) }));
    equal("and acknowledged", (await box.next(2))[1].event.data.n, 5);
    await box.subscription.unsubscribe();
  });

  await section("persistent subscriptions to $all", async () => {
    const group = unique("everything");
    const type = `Work${randomUUID()}`;
    const stream = unique("work-of-all");
    const at = { streamName: "$all", groupName: group };
    await client.appendToStream(stream, [...jsons(3, type), ...jsons(3, "Noise")]);
    await fails("to a group that is not there", () => client.getPersistentSubscriptionToAllInfo(group), es.PersistentSubscriptionDoesNotExistError, at);
    await client.createPersistentSubscriptionToAll(group, toAll({ startFrom: es.START }), { filter: es.eventTypeFilter({ prefixes: [type] }) });
    await fails("a second one of the name", () => client.createPersistentSubscriptionToAll(group, toAll()), es.PersistentSubscriptionExistsError, at);
    const box = new Inbox(client.subscribeToPersistentSubscriptionToAll(group, { bufferSize: 10 }));
    equal("has what the filter lets through", numbers(await box.next(3)), [0, 1, 2]);
    check("with positions", ascending(box.events.map((e) => e.event.position)), box.events);
    await box.subscription.ack(box.events[0], box.events[1]);
    await box.subscription.nack(es.PARK, "later", box.events[2]);
    await client.appendToStream(stream, [...jsons(3, "Noise"), json(3, type)]);
    equal("goes on live", numbers(await box.next(4)).at(-1), 3);
    await box.subscription.ack(box.events[3]);
    const info = async () => client.getPersistentSubscriptionToAllInfo(group);
    await becomes("one is parked", async () => (await info()).stats.parkedMessageCount, 1n);
    await client.replayParkedMessagesToAll(group);
    equal("replays", numbers(await box.next(5)).at(-1), 2);
    await box.subscription.ack(box.events[4]);
    const known = await info();
    equal("says what it is", [known.eventSource, known.groupName, known.settings.startFrom], ["$all", group, es.START]);
    const from = { commit: box.events[1].event.position.commit, prepare: box.events[1].event.position.prepare };
    const later = unique("later");
    await client.createPersistentSubscriptionToAll(later, toAll({ startFrom: from }), { filter: es.eventTypeFilter({ regex: `^${type}$` }) });
    equal("a start at a position is known", (await client.getPersistentSubscriptionToAllInfo(later)).settings.startFrom, from);
    const second = new Inbox(client.subscribeToPersistentSubscriptionToAll(later));
    equal("a start at a position, that one included", numbers(await second.next(3)), [1, 2, 3]);
    equal("both are listed", (await client.listPersistentSubscriptionsToAll()).map((i) => i.groupName).sort(), [group, later].sort());
    await client.updatePersistentSubscriptionToAll(group, toAll({ maxRetryCount: 3 }));
    check("an update drops who is there", (await box.ended()) instanceof es.PersistentSubscriptionDroppedError, box.error);
    await client.deletePersistentSubscriptionToAll(group);
    await fails("once deleted", () => client.deletePersistentSubscriptionToAll(group), es.PersistentSubscriptionDoesNotExistError, at);
    await client.restartPersistentSubscriptionSubsystem();
    check("a restart of all drops who is there", (await second.ended()) instanceof es.PersistentSubscriptionDroppedError, second.error);
    const third = new Inbox(client.subscribeToPersistentSubscriptionToAll(later));
    equal("and keeps the groups", numbers(await third.next(3)), [1, 2, 3]);
    await third.subscription.unsubscribe();
  });
}
