// Package grpc serves the store to clients of EventStoreDB, over its protocol.
package grpc
