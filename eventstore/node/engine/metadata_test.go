package engine_test

import (
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	defer func() { _ = s.Close() }()
	none := engine.Metadata{}
	for i, test := range []struct {
		data string
		want engine.Metadata
	}{
		{`{}`, none},
		{`{"$maxAge":90,"$maxCount":7,"$tb":5,"$cacheControl":2,"$tmp":true,"color":"blue","nested":{"$tb":1}}`, engine.Metadata{MaxAge: 90 * time.Second, MaxCount: 7, TruncateBefore: 5, CacheControl: 2 * time.Second}},
		{`{"$maxAge":0,"$maxCount":-7,"$tb":-5,"$cacheControl":-2}`, none},
		{`{"$maxAge":9223372036854775807}`, engine.Metadata{MaxAge: math.MaxInt64 / time.Second * time.Second}},
		{`{"$tb":9223372036854775807}`, engine.Metadata{TruncateBefore: math.MaxInt64}},
		{`{"$tb":9223372036854775808}`, none},
		{`{"$maxCount":1,"$maxCount":2}`, engine.Metadata{MaxCount: 2}},
		{`{"$acl":{"$r":"a","$w":["b","c"],"$d":[],"$x":1,"$mw":"$all"}}`, engine.Metadata{ACL: &engine.ACL{Read: []string{"a"}, Write: []string{"b", "c"}, Delete: []string{}, MetaWrite: []string{"$all"}}}},
		{`{"$maxCount":3,"$acl":"$userStreamAcl"}`, none},
		{`{"$maxCount":3,"$acl":{"$r":1}}`, none},
		{`{"$maxCount":3,"$acl":{"$r":["a",1]}}`, none},
		{`{"$maxCount":3.0}`, none},
		{`{"$maxCount":"3"}`, none},
		{`{"$maxCount":3,"$tb":null}`, none},
		{`{"$maxCount":3`, none},
		{`[3]`, none},
		{``, none},
	} {
		stream := "a-" + strconv.Itoa(i)
		must(t)(s.Append(t.Context(), "$$"+stream, eventstore.Any, metadata(test.data)))
		got, err := s.Metadata(t.Context(), stream)
		if d := cmp.Diff(test.want, got); err != nil || d != "" {
			t.Errorf("Metadata of %s: %v, got + and not -:\n%s", test.data, err, d)
		}
	}
	for stream, want := range map[string]engine.Metadata{
		"a-unheard": {Revision: eventstore.NoStream},
		"$$a-1":     {Revision: eventstore.NoStream, MaxCount: 1},
	} {
		if got, err := s.Metadata(t.Context(), stream); err != nil || !cmp.Equal(got, want) {
			t.Errorf("Metadata(%s) = %+v, %v, want %+v", stream, got, err, want)
		}
	}
	binary := metadata(`{"$maxCount":3}`)
	binary.Binary = true
	must(t)(s.Append(t.Context(), "$$a-1", eventstore.Any, binary))
	if got, err := s.Metadata(t.Context(), "a-1"); err != nil || !cmp.Equal(got, engine.Metadata{Revision: 1}) {
		t.Errorf("Metadata that is not JSON = %+v, %v", got, err)
	}
	must(t)(s.Tombstone(t.Context(), "a-1", eventstore.Any))
	if got, err := s.Metadata(t.Context(), "a-1"); err != nil || got.Revision != eventstore.NoStream {
		t.Errorf("Metadata of a tombstoned stream = %+v, %v", got, err)
	}
	if _, err := places(s.Read(t.Context(), "$$a-1", eventstore.ReadStream{})); !errors.Is(err, eventstore.ErrStreamDeleted) {
		t.Errorf("Read of the metadata of a tombstoned stream = %v, want ErrStreamDeleted", err)
	}
}
