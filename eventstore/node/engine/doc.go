// Package engine is an event store on the local disk, over cockroachdb/pebble:
// the heart of the embedded node.
package engine
