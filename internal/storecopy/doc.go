// Package storecopy copies the events of one store to another: a laptop's
// history to a cluster, a cluster's to a laptop. `konto store copy` runs it.
//
// # What is carried
//
// Every event of $all up to the source's end at the start, in the order of
// $all, with its stream, revision, ID, type, data, metadata and content type;
// links (`$>`) are events like others, and since revisions stay the same they
// keep pointing at what they pointed at. The metadata of streams (`$$s`) is
// carried, and with it limits, access lists and soft deletions; tombstones are.
//
// A node's own streams are not carried, those whose names begin with "$":
// `$settings`, `$users` and `$user-*`, `$stats-*`, `$scavenges`,
// `$persistentSubscriptionConfig`, `$persistentsubscription-*` (their
// checkpoints are positions in the source), `$projections-*` and what
// projections derive (`$ce-`, `$et-`, `$bc-`, `$category-`, `$streams`). The
// target has its own. The report says how many were left out.
//
// # What a target gives back
//
// A target that is an [Importer], which is an embedded directory, takes
// records as they are: everything above and the time of recording, holes left
// by a scavenge included. Over EventStoreDB's protocol a store gives the time
// itself, numbers revisions without holes, and writes the metadata of a
// deleted stream that lives again, so there
//
//   - the time of recording is that of the copy (Konto's events carry their own
//     in the metadata);
//   - revisions that a scavenge has removed are filled with events of the type
//     [Filler], so that those after them keep their numbers. The stream's
//     metadata, which is carried, hides them as it hid what they stand for;
//     under $maxAge they are visible until they are that old;
//   - metadata that the target has written itself, with the same content, has
//     another ID; a tombstone always has.
//
// All of these are counted in the [Report]. An event over the target's limit
// ends the copy with [eventstore.ErrTooLarge]: nothing is split or dropped.
//
// # Why one append at a time
//
// Read models replay $all, and some look across streams: an account is only
// understood once its organization is there. Appends in flight at the same
// time arrive in any order, and no later step could put them right. So there
// is one, of as many consecutive events of a stream as there are; an importer
// takes a thousand events of any streams at once and loses nothing by it.
//
// # Why there is no checkpoint
//
// A copy that was interrupted goes on where it was: before the first append,
// and again after the last, source and target are read side by side and
// compared. The first event that the target lacks is where to go on. Nothing
// can be out of step with a checkpoint, the target gets no stream that the
// source has not, and what an earlier run has written is verified. The price is
// one read of both, millions of events a second from directories and some
// hundred thousand over the network. Appends name exact revisions and keep the
// IDs, so the one that was in flight may be repeated.
//
// A target may hold other streams. If it has other events in a stream of the
// source, the copy is refused with [ErrOtherData] when it gets there.
//
// # Konto on the copy
//
// Positions in the copy are others. Read models, the outbox and the bus keep
// positions; they belong to the store they were made from, and must be made
// anew: see package origin, which sees to it when Konto starts. What people
// were told is in the events, so nobody is told again. Personal values open
// with the keys of the source: keys.db and root.key move with the history.
package storecopy
