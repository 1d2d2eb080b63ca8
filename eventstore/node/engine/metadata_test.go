package engine_test

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
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

// FuzzMetadata: whatever is in a metadata stream, it is stored as it is, what
// the engine understands of it is what another parser finds, and a deleted
// stream comes back.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{`{"$tb":3,"$acl":{"$r":["a"]}}`, `{"$maxAge":1e3}`, `{"a":{"b":[1,{}]},"$maxCount":2} x`, "{\"\xff\":1,\"$tb\":9223372036854775807}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := engine.Open("store", engine.Config{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		three(t, s, "a-1")
		must(t)(s.Append(t.Context(), "$$a-1", eventstore.Any, metadata(string(data))))
		m, err := s.Metadata(t.Context(), "a-1")
		if err != nil || m.MaxCount < 0 || m.MaxAge < 0 || m.TruncateBefore < 0 {
			t.Fatalf("Metadata(%q) = %+v, %v", data, m, err)
		}
		var other struct {
			MaxCount int64 `json:"$maxCount"`
			Tb       int64 `json:"$tb"`
		}
		understood := json.Unmarshal(data, &other) == nil
		if set := m.MaxCount + int64(m.TruncateBefore); understood && set != 0 && (m.MaxCount != max(other.MaxCount, 0) || int64(m.TruncateBefore) != max(other.Tb, 0)) {
			t.Errorf("Metadata(%q) = %+v, want %+v", data, m, other)
		}
		must(t)(s.Append(t.Context(), "a-1", eventstore.Any, fresh(1)...))
		if m.TruncateBefore < math.MaxInt64 {
			return
		}
		if m, err := s.Metadata(t.Context(), "a-1"); err != nil || m.TruncateBefore != 3 {
			t.Errorf("Metadata of a stream that came back from %q = %+v, %v", data, m, err)
		}
	})
}
