package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// pebble takes damage to its list of tables for a write the power cut off: it
// goes on with what precedes it, an older list, and removes the newer tables.
// So the store notes in a file of its own how much of the list is durable, and
// looks before pebble does.

const (
	manifestPrefix = "MANIFEST-"
	guardName      = "tables.guard"
)

// extent is how much of a manifest is durable, and its checksum (CRC-32C).
type extent struct {
	manifest, length uint64
	sum              uint32
}

// tableGuard notes the extent of pebble's manifest each time it was synced,
// before pebble relies on that. Manifests are written by one goroutine at a time.
//
// A new manifest counts once pebble has moved its marker there, which is after
// the first sync. So the previous one is noted too.
type tableGuard struct {
	slots             *slots
	current, previous extent
}

const guardLen = 2 * (8 + 8 + 4)

// openTableGuard compares the manifest of the database in dir with what was
// noted. A database that has no note, as those of earlier versions, passes.
func openTableGuard(fs vfs.FS, dir string) (*tableGuard, error) {
	s, noted, err := openSlots(fs, fs.PathJoin(dir, guardName), guardLen)
	if err != nil {
		return nil, err
	}
	g := &tableGuard{slots: s}
	if _, err := fs.Stat(dir); oserror.IsNotExist(err) {
		return g, nil
	}
	d, err := pebble.Peek(dir, fs)
	if err != nil {
		return nil, err
	}
	if !d.Exists {
		if noted != nil {
			return nil, corrupt("no manifest")
		}
		return g, nil
	}
	if g.current.manifest, err = manifestNumber(fs.PathBase(d.ManifestFilename)); err != nil || noted == nil {
		return g, err
	}
	newest, previous := decodeExtent(noted), decodeExtent(noted[guardLen/2:])
	switch found := g.current.manifest; {
	case found == newest.manifest:
		g.current = newest
	case found == previous.manifest:
		g.current = previous
	case found < newest.manifest:
		return nil, corrupt("manifest %d is older than %d", found, newest.manifest)
	}
	return g, g.current.check(fs, d.ManifestFilename)
}

func manifestNumber(name string) (uint64, error) {
	return strconv.ParseUint(strings.TrimPrefix(name, manifestPrefix), 10, 64)
}

// check compares a manifest with its extent.
func (e extent) check(fs vfs.FS, path string) error {
	f, err := fs.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	sum := crc32.New(castagnoli())
	n, err := io.CopyN(sum, f, int64(e.length)) //nolint:gosec // of a file
	switch {
	case errors.Is(err, io.EOF):
		return corrupt("manifest %d has %d bytes, had %d", e.manifest, n, e.length)
	case err != nil:
		return err
	case sum.Sum32() != e.sum:
		return corrupt("manifest %d has a wrong checksum", e.manifest)
	}
	return nil
}

func (e extent) append(buf []byte) []byte {
	buf = binary.LittleEndian.AppendUint64(buf, e.manifest)
	buf = binary.LittleEndian.AppendUint64(buf, e.length)
	return binary.LittleEndian.AppendUint32(buf, e.sum)
}

func decodeExtent(b []byte) extent {
	return extent{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[16:])}
}

// watch returns file, a new manifest, such that its syncs are noted.
func (g *tableGuard) watch(file vfs.File, name string) (vfs.File, error) {
	n, err := manifestNumber(name)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	g.previous, g.current = g.current, extent{manifest: n}
	return &guardedFile{file, g}, nil
}

type guardedFile struct {
	vfs.File
	guard *tableGuard
}

// Write implements [vfs.File], which may change p. After an error the extent is
// wrong, but then nothing is synced any more.
func (f *guardedFile) Write(p []byte) (int, error) {
	e := &f.guard.current
	e.length, e.sum = e.length+uint64(len(p)), crc32.Update(e.sum, castagnoli(), p)
	return f.File.Write(p)
}

// Sync implements [vfs.File].
func (f *guardedFile) Sync() error {
	if err := f.File.Sync(); err != nil {
		return err
	}
	return f.guard.slots.write(f.guard.previous.append(f.guard.current.append(nil)), true)
}

// slots is a small file that is overwritten in place: two slots, written in
// turn, so that one is whole wherever the power is cut. A slot is, little-endian,
//
//	crc(4) turn(8) content
//
// with a checksum (CRC-32C) of what follows it.
type slots struct {
	fs   vfs.FS
	path string
	turn uint64 // of the newest; 0: there is no file
}

const (
	slotHead = 4 + 8
	// slotSpace is that of a sector, which disks write as a whole.
	slotSpace = 512
)

// openSlots returns the newest content, or nil if there is no file yet.
func openSlots(fs vfs.FS, path string, size int) (*slots, []byte, error) {
	s := &slots{fs: fs, path: path}
	f, err := fs.Open(path)
	if oserror.IsNotExist(err) {
		return s, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	var content []byte
	for i := range int64(2) {
		slot := make([]byte, slotHead+size)
		if n, err := f.ReadAt(slot, i*slotSpace); err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, err
		} else if n < len(slot) || crc32.Checksum(slot[4:], castagnoli()) != binary.LittleEndian.Uint32(slot) {
			continue
		}
		if turn := binary.LittleEndian.Uint64(slot[4:]); turn > s.turn {
			s.turn, content = turn, slot[slotHead:]
		}
	}
	if content == nil {
		return nil, nil, corrupt("%s is damaged", fs.PathBase(path))
	}
	return s, content, nil
}

// write replaces the older content, durably if sync is set. The first one
// makes the file, always durably.
func (s *slots) write(content []byte, sync bool) error {
	s.turn++
	slot := binary.LittleEndian.AppendUint64(make([]byte, 4), s.turn)
	slot = append(slot, content...)
	binary.LittleEndian.PutUint32(slot, crc32.Checksum(slot[4:], castagnoli()))
	if s.turn == 1 {
		return s.create(slot)
	}
	f, err := s.fs.OpenReadWrite(s.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(slot, int64(s.turn%2)*slotSpace)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (s *slots) create(slot []byte) error {
	both := make([]byte, 2*slotSpace)
	copy(both, slot)
	copy(both[slotSpace:], slot)
	unfinished := s.path + ".new"
	f, err := s.fs.Create(unfinished, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(both)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("create %s: %w", s.fs.PathBase(s.path), err)
	}
	if err := s.fs.Rename(unfinished, s.path); err != nil {
		return err
	}
	return syncDir(s.fs, s.fs.PathDir(s.path))
}
