// Package engine is an event store on the local disk, over cockroachdb/pebble:
// the heart of the embedded node.
//
// # What it guarantees
//
//   - An append that returned without an error is on disk (fsync) and in its
//     place for ever. After a power cut an append is there as a whole or not at
//     all; one that was not answered may be either, and repeating it with the
//     same event IDs finds out.
//   - Readers and subscribers see durable events only, in one order, and a
//     position that was seen never belongs to another event.
//   - An append at an exact revision can be repeated for ever, or until a
//     scavenge has removed its events. With Any and
//     StreamExists it can as long as its IDs are among the newest
//     [Config].RememberedIDs, also after a restart.
//   - What is hidden of a stream, by its metadata or because it was deleted, is
//     hidden from the moment that is durable, and as a whole: a read that begins
//     sees one state of the stream, before or after. $all hides nothing.
//   - A deleted stream goes on with its numbers. One with a tombstone is never
//     written again, nor is its metadata.
//   - Indexes, if they are on, hold an event as soon as $all does, in its order;
//     they have no gaps, whenever they were turned on and off.
//   - What is read was checked against a checksum, of the record or of the chunk
//     it is in.
//   - A scavenge removes what was hidden when it began and nothing else. It may
//     be stopped anywhere; positions and revisions stay as they were.
//   - After the first write that fails, the store is read-only: appends get
//     [eventstore.ErrUnavailable] with the cause, reads go on, and nothing on
//     disk changes any more. Open it again when the cause is gone.
//
// A flipped bit or a file cut short, in any file of a store, is an error of
// [Open] or of the read that meets it, never an event that is missing or other
// than it was. What pebble alone takes for a write the power cut off, damage to
// its list of tables (MANIFEST) and to the end of its log, is compared with what
// the store notes in two files of its own: how much of the list is durable, at
// once (guard.go), and how far the log has got, at most every 50 ms
// (logguard.go). If a process dies and the log is damaged as well, events of the
// last 50 ms may be missing without an error; after a power cut, those that the
// system has not written the note of yet: on Linux, of half a minute. A clean
// Close leaves nothing in the log. Nor does the store notice when its own two
// files are taken away, or all its files are replaced by older ones.
//
// It does not replicate, and it does not defend against somebody who may write
// to its files: the audit log is for that.
//
// # How it works
//
// One goroutine takes all appends that wait, decides each against the stream's
// head, gives out positions and puts all of them into one pebble batch. A second
// one waits for the batch's sync, shows its events to readers and answers; the
// next batch is prepared meanwhile. So the number of callers that wait decides
// how many appends share a sync, and positions are given out in commit order.
//
// A position is an offset: it grows by the size of the record. An event is
// stored once, in a chunk of the log: as many records of a group, one after
// another, as fill a block of a table. Why chunks and not a key for each event:
// the position says where in a chunk a record is, so one seek finds an event as
// before, but reading $all takes a step and an allocation for every 26 events of
// 600 bytes, and the writer has half as many keys to sort. An append adds one
// index entry, under its stream and first revision, that says where its events
// are. Why not store events under the stream as well: loading a short stream
// would be some six times as fast and one long stream three times, but an event
// would take 1.7 times the disk and every append would write twice as much,
// through the log and through compactions. Accounts are kept in memory by their
// users, so streams are loaded rarely; appends are what is waited for. Why an
// entry for an append and not for an event: an append of 100 events needs one,
// not 100.
//
// Keys of chunks only grow, and their tables are kept apart from those of the
// index, so that compactions move them and do not rewrite them: 3.3 bytes are
// written for each byte of an event, the log included (1,000,000 events of 600
// bytes). Blocks are 16 KiB, a compromise between a single event and a scan,
// and not compressed: sealed data does not get smaller, and unpacking would
// take longer than reading.
//
// A read decodes pages of events; between them it holds nothing of the database.
// One that has had about a thousand events decodes the next two pages in
// goroutines while its reader looks at the one before. A long read of $all
// forward takes chunks out of the tables itself (tables.go): through pebble each
// block would be copied twice, into memory that has to be cleared. Together that
// was two to three times the events per second of one page after the other through
// pebble, on two cores, for 0.55 of the processor time of each. Pages of a stream are not decoded ahead.
//
// Each record has a checksum, and each chunk too: who reads most of a chunk checks
// it at once, with a third of the effort, after copying it; pebble's checksums of
// blocks do not tell what memory or a wrong index did to an event. Events that
// were read share copies of at most 64 KiB: a reader that keeps one event for long
// should copy it.
//
// The cache of blocks and what is to be written share 80 MiB of memory. With
// tables to be written of 8 instead of 16 MiB appends were as fast, and the cache
// has 16 MiB more: short streams that fit are read with 3.5 instead of 9 µs of
// processor time for each event.
//
// What readers of a stream need besides its events, its truncation, limits and
// tombstone, is a fact under the stream's name, written in the batch of the event
// that says so. Until that is durable, readers ask the event before. A store
// that has no fact at all, as Konto's own, looks none up. Where a stream begins
// for a reader follows from the fact and the number of the newest event; if
// events expire, the oldest living one is found by halving. The rules, and the
// order in which an append is decided, are those of EventStoreDB 25: metadata is
// the newest event of $$stream, whatever its type; any part of it that has the
// wrong type makes all of it none; a metadata stream shows its newest event only.
//
// Why an append to a deleted stream writes metadata too: so that what was there
// before stays hidden. It has all keys of the old metadata, and says that the
// stream begins with the append. Both become durable together.
//
// An index ([Config].Indexes) gets one entry for a group: the positions of the
// group's events that belong to it. Its events are made when they are read: links
// to what is there, numbered in their order, with IDs that follow from the
// event's. At 256 writers the three entries that most groups need cost a tenth of
// the processor time of an append, and two to three bytes of disk for each event
// of an index; a single writer pays about 50. In EventStoreDB projections write
// links later, as events of their own in $all. Here they are not in $all, and
// what a scavenge removes is left out, so numbers have holes then.
//
// A scavenge sweeps the log in the order of positions, so that each stream loses
// its oldest events first, and writes batches: chunks without the events that go,
// in several parts if there are holes, together with the index entries that are
// affected. So the store is whole after each batch. No page is decoded while a
// batch becomes visible. At the end it lets pebble rewrite the tables in question;
// until that is done, also across a restart, no read takes anything out of tables
// itself. The last event of a stream stays, and so the newest of all, from which
// a start learns where the log ends. Sweeping instead of removing stream by stream:
// events of many streams share a chunk, which is rewritten once.
//
// Newest events are also kept in memory for subscribers. A subscriber that
// falls behind reads from disk until it has caught up; nobody waits for it.
//
// # What is on disk
//
// record.go has all keys and layouts. The first byte of a key says what it is:
// 'e' a chunk, 's' a stream's run, 'w' facts about a stream, 'x' a part of an
// index, 'm' what the store notes about itself; others are free. A record's flags
// say that its data is not JSON; another one is reserved. The format has a
// version; a store that is newer than the program is refused.
package engine
