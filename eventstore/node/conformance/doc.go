// Package conformance asks two clients that are not ours whether the node is
// what it says it is.
//
//   - The official Go client brings a test suite. It is taken from the client's
//     module, at the version that go.mod names, and run against the node: as it
//     is, where it dials localhost:2113 by itself, and with the start of its
//     containers replaced, where it takes an address. The replacement is made at
//     run time, on a copy outside this repository.
//   - The Node.js client speaks parts of the protocol that the Go client never
//     uses, batch appends above all. client.mjs drives it.
//
// Each of the Go client's top-level tests gets a node of its own, in memory and
// in this process. The suite's tests that only a cluster, commercial plugins,
// projections or the vendor's own data set can pass are left out; the counts of
// the rest are fixed, so that a test that stops running is noticed.
//
// Building the suite takes a minute and the network, so the tests run when
// KONTO_CONFORMANCE is set: make conformance. What they need and cannot get (a
// module proxy, a package registry) skips them, and fails them where CI is set;
// without a node program the second client is skipped everywhere.
package conformance
