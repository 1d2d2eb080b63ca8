// Package node is an event store for one process that clients of EventStoreDB
// can call: the engine, access control and the protocol, on one port.
package node
