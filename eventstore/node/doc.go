// Package node is an event store of one process that clients of EventStoreDB
// can call: the engine, access control and the gRPC protocol, on one port.
// `konto node` runs it, and tests can: it starts in memory in some
// milliseconds.
//
// # What it guarantees
//
//   - What a client was told is stored is on disk, see [konto/eventstore/node/engine].
//   - A node denies by default: it starts with TLS and users, or if it was told
//     to be insecure, and then it says so.
//   - One process has a directory. Another one gets an error that says so.
//   - A stop refuses new calls, ends reads and subscriptions with a status that
//     makes clients connect anew, and answers appends that are under way.
//
// There is no cluster: a node is the leader, and if it is away, it is away.
//
// # One port
//
// gRPC has its own transport, which is several times as fast as gRPC through
// net/http. Which server gets a connection is decided by its first bytes, or by
// what its client offers in the TLS handshake. /health/live answers 204, /stats
// needs a login.
//
// # Compatible with EventStoreDB?
//
// By the published sources of EventStoreDB's server (version 25.0), and by what
// the official clients for Go (4.2.0) and Node.js (6.2.1) send and expect; the
// package conformance runs the Go client's own tests. "Same" means the same
// answers, status codes and trailers; texts are our own.
//
//	Topic                            State     What
//	-------------------------------- --------- ----------------------------------------------
//	Discovery
//	  connection strings, TLS        same
//	  gossip                         same      of one node, always alive and leader
//	  server features                same      lists what is there, as version 25.0.0
//	  health                         differs   503 once a write has failed: only a restart helps
//	  HTTP API (AtomPub), web page   missing   but /health/live and /stats
//	  TCP protocol                   missing   it ended with version 24
//	Access control
//	  users, groups, passwords       same      also EventStoreDB's own hashes are believed
//	  users' streams                 differs   our hashes are stronger and unknown to
//	                                           EventStoreDB; $users-password-notifications
//	                                           and the users' own lists are not written
//	  logins                         differs   none begins with $ or has a colon
//	  lists of streams, $settings    same      unreadable $settings leave all to admins
//	  statistics, Users.Details      differs   not for everybody: a login; one's own or admins
//	  credentials over plain text    same      nobody is asked
//	  Bearer tokens, user certificates,
//	  LDAP, OAuth, stream policies   missing
//	Streams
//	  append, append again           same      IDs are remembered over a restart, and at an
//	                                           exact revision for ever
//	  batch append                   differs   what makes no sense gets BadRequest and does not
//	                                           end the call
//	  delete, tombstone, metadata    same
//	  reads, counts, positions       same
//	  links                          differs   lead only to what the caller may read
//	  filters                        differs   regular expressions are RE2's; prefixes are
//	                                           compared byte by byte
//	  checkpoints                    same      after the exact number of events
//	  subscriptions                  same      a slow one reads from disk
//	  names of streams               differs   must be UTF-8; percent-encoded in trailers if
//	                                           not ASCII
//	  write timeout                  differs   of batches only: an append waits as long as its
//	                                           client does
//	Persistent subscriptions
//	  create, update, delete, list   same      the end that a group starts at is remembered:
//	                                           nothing is missed if the node stops before
//	                                           there is a checkpoint
//	  strategies, retries, parking   same
//	  a consumer's buffer            differs   at most 32,768 messages
//	  replay of parked messages      differs   the parked stream is truncated when they are
//	                                           finished, not when they are read
//	  equal event IDs                differs   followed one by one
//	  tries                          differs   what was not sent to a lost consumer, or in
//	                                           time, does not count
//	  checkpoints                    differs   also count what a filter leaves out; a stop
//	                                           writes one
//	  links, filters                 differs   as those of streams
//	  rates                          differs   of the last second
//	Operations
//	  scavenge                       differs   threads and the first chunk are not looked at;
//	                                           the log has the result, no $scavenges stream
//	  shut down, restart groups      same
//	  merge, resign, priority        differs   accepted; there is nothing to do
//	  statistics                     differs   other names; no $stats-... streams
//	  redaction, archiving, backup   missing   copy a stopped node's directory, or
//	                                           konto store copy
//	Projections
//	  service, JavaScript            missing
//	  $streams, $ce-, $et-, $bc-,
//	  $category-                     differs   never late, and not in $all; nobody may append to
//	                                           them; what a scavenge removed is left out
//	Cluster
//	  replication, read replicas     missing   requires-leader is always true
package node
