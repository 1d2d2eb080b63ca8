// Package grpc serves the store to clients of EventStoreDB, over its protocol:
// streams, persistent subscriptions, users, operations, monitoring, gossip and
// the list of features.
//
// # What it guarantees
//
//   - Status codes, trailers and the order of messages are those of
//     EventStoreDB 25.0; what differs is in the table of package node. The tests
//     run against a real server as well, if there is one to run them against.
//   - No client gets a message that the official Go client would panic or end
//     its process about.
//   - A subscription yields every event after its start once and in order. Where
//     it starts is settled before it is confirmed, so nothing that is appended
//     after the confirmation is missed.
//   - A call holds a bounded amount of memory: a slow reader has what its
//     connection's flow control lets through and one step of the store's, which
//     reads the rest from disk when it is asked for. A batch append has 64 MiB.
//   - A link leads to an event only for callers who may read its stream; to
//     others it is a link whose target is gone.
//   - A panic ends the call it happens in, and is logged.
//
// It does not know who calls (that is package access) and keeps nothing of its
// own between calls.
//
// # How it is fast
//
// Two kinds of messages are not left to the generated types, because nearly all
// messages are of these. Events that are sent are encoded straight from the store's memory into blocks that many of
// them share: one allocation for some twenty events, where the generated types
// need some fifteen for each, most of them for a map of three entries. And what
// clients append is decoded without that map, as long as it looks like what
// clients send; whatever else is valid is decoded by the generated type. Both are
// compared with the generated types by fuzzing. With that, nine tenths of what a
// read costs are gRPC's and the client's (BenchmarkReadAll).
//
// The server has one limit for messages, that of the Streams service, because
// gRPC has one for each server. Interceptors enforce the smaller one of the
// other services.
package grpc
