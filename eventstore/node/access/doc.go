// Package access says who calls the node and what they may do: users with
// passwords, and access control lists of streams, both kept as events in the
// store itself, under EventStoreDB's names.
//
// # What it guarantees
//
//   - A decision is made by what was durable when it was asked for: a password
//     that was changed, a user who was disabled and a list that was replaced
//     count for the next call. What is remembered is compared with the stream
//     that it came from each time.
//   - Passwords are stored as PBKDF2 hashes with a salt. One that was verified
//     is remembered in memory by a hash under a key that only this process
//     has, so that a call costs a microsecond and not a tenth of a second.
//     Wrong passwords are verified few at a time, so that guessing does not
//     take the processor from those who are known.
//   - What is not allowed is denied, also when the reason is a user's event or
//     settings that cannot be read.
//
// It does not count failed attempts or lock users out: whoever can reach the
// node may guess as fast as the hash allows. It knows the Basic scheme alone.
//
// # Rules
//
// As EventStoreDB's, from its documentation ("Access control lists"):
//
//   - A list is used role by role: what the stream's own metadata says, else
//     what `$settings` says of user or system streams (a name that begins with
//     "$"), else: all roles for user streams, $admins for system streams.
//   - A role matches who has it as login or as group; $all matches everybody
//     who is signed in, and nobody else unless [Config.AllowAnonymous].
//   - Members of $admins may everything but what nobody may: append to or
//     delete $all, or delete a metadata stream.
//   - The metadata stream $$s is read and written by $mr and $mw of s.
package access
