package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"konto/eventstore"
)

// Metadata is what the newest event of a stream's metadata stream says. Zero
// values mean: not set.
type Metadata struct {
	Revision       eventstore.Revision // of the metadata event; NoStream if there is none
	MaxAge         time.Duration
	MaxCount       int64
	TruncateBefore eventstore.Revision
	CacheControl   time.Duration
	ACL            *ACL
}

// ACL lists who may do what with a stream. A nil list is not set: the default applies.
type ACL struct{ Read, Write, Delete, MetaRead, MetaWrite []string }

// What describes a stream s is the newest event of the stream $$s, whatever its
// type, as in EventStoreDB. The engine's own events there have this type.
const (
	metadataType   = "$metadata"
	metadataPrefix = "$$"
)

// describes returns the stream whose metadata stream this is. Metadata streams
// have none themselves.
func describes(metastream string) (stream string, ok bool) {
	stream, ok = strings.CutPrefix(metastream, metadataPrefix)
	return stream, ok && stream != "" && !strings.HasPrefix(stream, metadataPrefix)
}

// Metadata returns what applies to a stream. Metadata that cannot be parsed is
// none, and so is that of a tombstoned stream. A metadata stream has no metadata
// but a MaxCount of 1.
func (s *Store) Metadata(ctx context.Context, stream string) (Metadata, error) {
	m := Metadata{Revision: eventstore.NoStream}
	if strings.HasPrefix(stream, metadataPrefix) {
		m.MaxCount = 1
		return m, ctx.Err()
	}
	err := s.look(ctx, func() error {
		e, found, err := s.metadataEvent(stream)
		if err == nil && found {
			m, _ = parseMetadata(&e) // what cannot be parsed is none
			m.Revision = e.Revision
		}
		return err
	})
	if err != nil {
		return Metadata{}, fmt.Errorf("metadata of %s: %w", stream, err)
	}
	return m, nil
}

var errMetadata = errors.New("engine: not stream metadata")

// parseMetadata reads the metadata EventStoreDB knows. Any of it with a wrong
// type makes all of it invalid, as there; limits that are not positive are not
// set; other keys mean nothing.
func parseMetadata(e *eventstore.Recorded) (Metadata, error) {
	none := Metadata{Revision: eventstore.NoStream}
	if e.Binary {
		return none, errMetadata
	}
	m := none
	d := decodeJSON(e.Data)
	err := members(d, func(key string) (err error) {
		var n int64
		switch key {
		case "$maxAge":
			n, err = integer(d)
			m.MaxAge = seconds(n)
		case "$maxCount":
			n, err = integer(d)
			m.MaxCount = max(n, 0)
		case "$tb":
			n, err = integer(d)
			m.TruncateBefore = eventstore.Revision(max(n, 0))
		case "$cacheControl":
			n, err = integer(d)
			m.CacheControl = seconds(n)
		case "$acl":
			m.ACL, err = readACL(d)
		default:
			err = d.SkipValue()
		}
		return err
	})
	if err != nil {
		return none, fmt.Errorf("%w: %w", errMetadata, err)
	}
	return m, nil
}

func decodeJSON(b []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewReader(b), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// members calls member for each key of the object that d is at. member reads
// the value.
func members(d *jsontext.Decoder, member func(key string) error) error {
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return errors.Join(err, errMetadata)
	}
	for {
		key, err := d.ReadToken()
		if err != nil || key.Kind() == '}' {
			return err
		}
		if err := member(key.String()); err != nil {
			return err
		}
	}
}

func integer(d *jsontext.Decoder) (int64, error) {
	v, err := d.ReadValue()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(v), 10, 64)
}

func seconds(n int64) time.Duration {
	return time.Duration(min(max(n, 0), math.MaxInt64/int64(time.Second))) * time.Second
}

func readACL(d *jsontext.Decoder) (*ACL, error) {
	acl := &ACL{}
	lists := map[string]*[]string{"$r": &acl.Read, "$w": &acl.Write, "$d": &acl.Delete, "$mr": &acl.MetaRead, "$mw": &acl.MetaWrite}
	err := members(d, func(key string) (err error) {
		list := lists[key]
		if list == nil {
			return d.SkipValue()
		}
		*list, err = roles(d)
		return err
	})
	return acl, err
}

// roles reads a role or an array of them. An empty array is no nil list: it
// lets nobody in.
func roles(d *jsontext.Decoder) ([]string, error) {
	first, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch first.Kind() {
	case '"':
		return []string{first.String()}, nil
	case '[':
	default:
		return nil, errMetadata
	}
	list := []string{}
	for {
		role, err := d.ReadToken()
		switch {
		case err != nil:
			return nil, err
		case role.Kind() == ']':
			return list, nil
		case role.Kind() != '"':
			return nil, errMetadata
		}
		list = append(list, role.String())
	}
}
