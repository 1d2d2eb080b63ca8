// Package persistent keeps persistent subscriptions: groups of competing
// consumers whose place in a stream, or in $all, the node remembers.
//
// A group reads its source ahead of its consumers, gives each message to one
// of them, and waits for its answer: an acknowledgement, or a refusal that
// says to try again, to skip it, or to park it in a stream of its own for
// somebody to look at.
//
// # What it guarantees
//
//   - Every event of the source from the group's start on is delivered until a
//     consumer acknowledges or skips it, or it is parked. This holds across a
//     crash: a checkpoint is written behind the oldest unfinished message only,
//     and a message counts as parked when the parked stream has it on disk.
//   - A consumer never holds more messages than it asked for.
//   - A parked message that is replayed stays in the parked stream until it is
//     finished. (EventStoreDB truncates the parked stream when the replay has
//     been read; a crash then loses what was not finished.)
//   - Events with the same ID are followed one by one. (EventStoreDB follows
//     the first alone.)
//
// # What it does not guarantee
//
// A message may be delivered more than once: after a time-out, a lost consumer,
// or a restart, when up to MaxCheckpointCount events come again. There is no
// order among consumers, and none for one consumer once something was retried.
//
// # Where things are kept
//
// In the store itself, under EventStoreDB's names: the definitions in
// `$persistentSubscriptionConfig`, and for a group g of a stream s the
// checkpoints in `$persistentsubscription-s::g-checkpoint` and the parked
// messages, as links, in `$persistentsubscription-s::g-parked`.
//
// # How it works
//
// One goroutine owns a group: all that happens (events read, answers, ticks of
// the clock, writes that are done) comes to it through channels and changes a
// [state], which does no I/O and reads no clock. After each change it gives
// messages to consumers and starts the writes that are due, each kind at most
// once at a time. A second goroutine follows the source; the first takes from
// it only while there is room, so a slow group holds history_buffer_size and,
// once it has caught up, live_buffer_size more events, and no others.
package persistent
