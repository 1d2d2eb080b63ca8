// Package proto has those messages and services of EventStoreDB's protocol that
// the official Go client's module does not have: users, operations, monitoring
// and one detail of an error. Names and numbers are EventStoreDB's, so that any
// client's code fits; everything else is written here. `make proto` generates
// the Go files.
package proto
