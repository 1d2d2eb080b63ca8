package engine

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence stands between pebble and the disk. The first write, sync, creation or
// rename that fails closes it, and from then on nothing on disk changes: what is
// there is what a power cut at that moment would have left, which is what
// recovery is made for.
//
// Why not let pebble see the error: it panics, in part while it holds its locks,
// when its log cannot be written, and tries forever, without a pause, when a
// table cannot. So behind a closed fence a write to the log seems to succeed
// (the store asks [fence.failure] before it believes that an append is durable)
// and every other write waits until the store is closed, and then fails. While
// pebble recovers, all writes seem to succeed, because it would repeat a failing
// flush without end; [Open] then asks for the failure.
type fence struct {
	vfs.FS
	onFail func(error)
	tables *tableGuard // of the database that is being opened or open

	armed   atomic.Bool // recovery is over
	cause   atomic.Pointer[error]
	once    sync.Once
	hurt    atomic.Bool   // a background job failed; let the next one wait
	closed  chan struct{} // closed with the fence
	closing chan struct{} // closed when the store closes
}

// backgroundPause keeps a failing flush or compaction, which pebble starts
// again at once, from taking a whole core.
const backgroundPause = 100 * time.Millisecond

func newFence(fs vfs.FS, onFail func(error)) *fence {
	return &fence{FS: fs, onFail: onFail, closed: make(chan struct{}), closing: make(chan struct{})}
}

// failure returns why the fence is closed, or nil.
func (f *fence) failure() error {
	if p := f.cause.Load(); p != nil {
		return *p
	}
	return nil
}

func (f *fence) broken() bool { return f.cause.Load() != nil }

func (f *fence) fail(err error) {
	f.once.Do(func() {
		f.cause.Store(&err)
		close(f.closed)
		if f.armed.Load() {
			f.onFail(err)
		}
	})
}

// do runs a change. silent says that pebble must not see a failure.
func (f *fence) do(silent bool, change func() error) error {
	cause := f.failure()
	if cause == nil {
		if cause = change(); cause == nil {
			return nil
		}
		f.fail(cause)
	}
	if silent || !f.armed.Load() {
		return nil
	}
	<-f.closing
	return cause
}

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func (f *fence) create(name string, open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := f.do(isLog(name), func() (err error) {
		file, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	if file == nil { // the fence is closed, and pebble must not know
		file = vfs.NewMemFile(nil)
	}
	return &fencedFile{File: file, fence: f, silent: isLog(name)}, nil
}

// Create implements [vfs.FS].
func (f *fence) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if !isLog(name) && f.hurt.Swap(false) {
		pause := time.NewTimer(backgroundPause)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-f.closing:
		}
	}
	return f.create(name, func() (vfs.File, error) {
		file, err := f.FS.Create(name, c)
		if err != nil || !strings.HasPrefix(f.PathBase(name), manifestPrefix) {
			return file, err
		}
		// pebble next makes a marker that names the manifest, and syncs the
		// directory once for both. A power cut before that could leave the
		// marker alone, and with it a store that does not open.
		if err := syncDir(f.FS, f.PathDir(name)); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return f.tables.watch(file, f.PathBase(name))
	})
}

// ReuseForWrite implements [vfs.FS].
func (f *fence) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(newname, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldname, newname, c) })
}

// OpenReadWrite implements [vfs.FS].
func (f *fence) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.create(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, opts...) })
}

// OpenDir implements [vfs.FS]. A directory is synced for the log as well as for
// tables, so its failures are silent.
func (f *fence) OpenDir(name string) (vfs.File, error) {
	dir, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fencedFile{File: dir, fence: f, silent: true}, nil
}

// Link implements [vfs.FS].
func (f *fence) Link(oldname, newname string) error {
	return f.do(false, func() error { return f.FS.Link(oldname, newname) })
}

// Rename implements [vfs.FS].
func (f *fence) Rename(oldname, newname string) error {
	return f.do(false, func() error { return f.FS.Rename(oldname, newname) })
}

// MkdirAll implements [vfs.FS].
func (f *fence) MkdirAll(dir string, perm os.FileMode) error {
	return f.do(false, func() error { return f.FS.MkdirAll(dir, perm) })
}

// Remove implements [vfs.FS]. A file that cannot be removed harms nobody: the
// next start tries again.
func (f *fence) Remove(name string) error {
	if f.broken() {
		return nil
	}
	return f.FS.Remove(name)
}

// RemoveAll implements [vfs.FS].
func (f *fence) RemoveAll(name string) error {
	if f.broken() {
		return nil
	}
	return f.FS.RemoveAll(name)
}

// Unwrap implements [vfs.FS].
func (f *fence) Unwrap() vfs.FS { return f.FS }

type fencedFile struct {
	vfs.File
	fence  *fence
	silent bool
}

// Write implements [vfs.File].
func (f *fencedFile) Write(p []byte) (n int, err error) {
	n = len(p)
	err = f.fence.do(f.silent, func() error {
		n, err := f.File.Write(p)
		if err == nil && n < len(p) {
			err = errors.New("short write")
		}
		return err
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// WriteAt implements [vfs.File].
func (f *fencedFile) WriteAt(p []byte, off int64) (n int, err error) {
	n = len(p)
	err = f.fence.do(f.silent, func() error {
		_, err := f.File.WriteAt(p, off)
		return err
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// Preallocate implements [vfs.File].
func (f *fencedFile) Preallocate(offset, length int64) error {
	return f.fence.do(f.silent, func() error { return f.File.Preallocate(offset, length) })
}

// Sync implements [vfs.File].
func (f *fencedFile) Sync() error { return f.fence.do(f.silent, f.File.Sync) }

// SyncData implements [vfs.File].
func (f *fencedFile) SyncData() error { return f.fence.do(f.silent, f.File.SyncData) }

// SyncTo implements [vfs.File].
func (f *fencedFile) SyncTo(length int64) (full bool, err error) {
	err = f.fence.do(f.silent, func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Close implements [vfs.File]. A file that cannot be closed may not have been
// written.
func (f *fencedFile) Close() error {
	err := f.File.Close()
	if err == nil {
		return nil
	}
	return f.fence.do(f.silent, func() error { return err })
}
