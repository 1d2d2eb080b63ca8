//go:build cgo && linux

package system

/*
#include <stdlib.h>

extern int mallopt(int, int) __attribute__((weak));

__attribute__((constructor)) static void one_arena(void) {
	if (mallopt && !getenv("MALLOC_ARENA_MAX")) mallopt(-8, 1); // M_ARENA_MAX.
}
*/
import "C"

// In a program with cgo, pebble's blocks and tables come from C. glibc has up to
// eight arenas for each core, and what was freed in one is no use to a thread
// with another: that came to 100 MB of a node under load. With one arena there
// is none of it, and a lock that nobody waits for, as blocks are kilobytes.
//
// It must be said before there are threads, since they keep the arena they have;
// so it is said before Go begins. Other C libraries have no such setting.
