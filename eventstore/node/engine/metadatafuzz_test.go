package engine_test

import (
	"bytes"
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

// otherwise reads metadata by the rules of EventStoreDB with another parser.
// ok reports whether it is metadata at all.
func otherwise(data []byte) (m engine.Metadata, ok bool) {
	none := engine.Metadata{Revision: eventstore.NoStream}
	m = none
	for _, pair := range pairs(json.NewDecoder(bytes.NewReader(data)), &ok) {
		if !ok {
			break
		}
		positive := func() int64 {
			n, err := strconv.ParseInt(string(pair.value), 10, 64)
			ok = ok && err == nil
			return max(n, 0)
		}
		const longest = 9_223_372_036 // whole seconds that a duration can hold
		switch pair.key {
		case "$maxAge":
			m.MaxAge = time.Duration(min(positive(), longest)) * time.Second
		case "$cacheControl":
			m.CacheControl = time.Duration(min(positive(), longest)) * time.Second
		case "$maxCount":
			m.MaxCount = positive()
		case "$tb":
			m.TruncateBefore = eventstore.Revision(positive())
		case "$acl":
			m.ACL = otherwiseACL(pair.value, &ok)
		}
	}
	if !ok {
		return none, false
	}
	return m, true
}

func otherwiseACL(data []byte, ok *bool) *engine.ACL {
	acl := &engine.ACL{}
	for _, pair := range pairs(json.NewDecoder(bytes.NewReader(data)), ok) {
		var list *[]string
		switch pair.key {
		case "$r":
			list = &acl.Read
		case "$w":
			list = &acl.Write
		case "$d":
			list = &acl.Delete
		case "$mr":
			list = &acl.MetaRead
		case "$mw":
			list = &acl.MetaWrite
		default:
			continue
		}
		*list = []string{}
		var roles []any
		if value := string(pair.value); value[0] == '"' { // null would be understood, too
			roles = make([]any, 1)
			*ok = *ok && json.Unmarshal(pair.value, &roles[0]) == nil
		} else {
			*ok = *ok && value[0] == '[' && json.Unmarshal(pair.value, &roles) == nil
		}
		for _, role := range roles {
			name, isName := role.(string)
			*list = append(*list, name)
			*ok = *ok && isName
		}
	}
	return acl
}

type pair struct {
	key   string
	value json.RawMessage
}

// pairs are those of the object that a text begins with. What follows it means
// nothing. ok is set to whether there is one.
func pairs(d *json.Decoder, ok *bool) (list []pair) {
	var whole json.RawMessage
	err := d.Decode(&whole)
	if *ok = err == nil && whole[0] == '{'; !*ok {
		return nil
	}
	d = json.NewDecoder(bytes.NewReader(whole))
	_, err = d.Token()
	for err == nil && d.More() {
		var p pair
		key, keyErr := d.Token()
		p.key, _ = key.(string)
		err = errors.Join(keyErr, d.Decode(&p.value))
		list = append(list, p)
	}
	*ok = err == nil
	return list
}

var metadataSeeds = []string{
	`{}`, ``, `null`, `[3]`, `{"$tb":3,"$acl":{"$r":["a"]}}`, `{"$maxAge":1e3}`, `{"$maxAge":-0,"$cacheControl":01}`,
	`{"a":{"b":[1,{}]},"$maxCount":2} x`, "{\"\xff\":1,\"$tb\":9223372036854775807}", `{"\u0024tb":2,"$maxCount":1,"$maxCount":"2"}`,
	`{"$acl":{"$r":"a","$w":["b","c"],"$d":[],"$x":1,"$mr":null,"$mw":"$all"}}`, `{"$acl":{"$mr":["\ud800","\ud83d\ude00",""]}}`,
	`{"$maxAge":9223372036854775807,"$cacheControl":10000000000,"$maxCount":-1}`, `{"$tb":9223372036854775808}`, "\t{\n\"$acl\" : { } } ",
	`{"$maxCount":1,"$tb":2,"$maxAge":60}`, `{"$acl":{"$r":"a"},"$acl":{"$w":"b"}}`, `{"$maxCount":3.0}`,
}

// FuzzParseMetadata compares what the engine understands of metadata with what
// another parser does.
func FuzzParseMetadata(f *testing.F) {
	for _, seed := range metadataSeeds {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte(`{"$maxCount":3}`), true)
	f.Fuzz(func(t *testing.T, data []byte, binary bool) {
		got, err := engine.ParseMetadata(data, binary)
		want, ok := otherwise(data)
		if binary {
			want, ok = engine.Metadata{Revision: eventstore.NoStream}, false
		}
		if ok != (err == nil) || !sameMetadata(got, want) {
			t.Errorf("ParseMetadata(%q) = %v, got + and not -:\n%s", data, err, cmp.Diff(want, got))
		}
	})
}

func sameMetadata(a, b engine.Metadata) bool {
	x, y := a.ACL, b.ACL
	a.ACL, b.ACL = nil, nil
	return a == b && (x == nil) == (y == nil) && (x == nil || cmp.Equal(x, y))
}

// reopenAfter bounds what one store of a fuzz test holds.
const reopenAfter = 5000

// FuzzMetadata: whatever is in a metadata stream, it is stored as it is, the
// engine hides of the stream what another parser finds in it, and a deleted
// stream comes back.
func FuzzMetadata(f *testing.F) {
	for _, seed := range metadataSeeds {
		f.Add([]byte(seed))
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) // no event is ever old
	empty := func(tb testing.TB) *engine.Store {
		tb.Helper()
		return open(tb, "store", engine.Config{FS: vfs.NewMem(), Now: func() time.Time { return now }})
	}
	s, streams := empty(f), 0
	f.Cleanup(func() { _ = s.Close() }) // what it says is not what is tested
	f.Fuzz(func(t *testing.T, data []byte) {
		if streams++; streams%reopenAfter == 0 {
			must(t)(nil, s.Close())
			s = empty(t)
		}
		stream := "a-" + strconv.Itoa(streams)
		must(t)(s.Append(t.Context(), stream, eventstore.NoStream, fresh(3)...))
		must(t)(s.Append(t.Context(), "$$"+stream, eventstore.NoStream, metadata(string(data))))
		for r, err := range s.Read(t.Context(), "$$"+stream, eventstore.ReadStream{}) {
			if err != nil || !bytes.Equal(r.Data, data) {
				t.Errorf("metadata %q is stored as %q (%v)", data, r.Data, err)
			}
		}
		want, _ := otherwise(data)
		want.Revision = 0
		if got, err := s.Metadata(t.Context(), stream); err != nil || !sameMetadata(got, want) {
			t.Errorf("Metadata of %q: %v, got + and not -:\n%s", data, err, cmp.Diff(want, got))
		}
		checkVisible(t, s, stream, 3, want)
		must(t)(s.Append(t.Context(), stream, eventstore.Any, fresh(1)...))
		if want.TruncateBefore == math.MaxInt64 { // deleted, and begun anew
			want.TruncateBefore = 3
			if got, err := s.Metadata(t.Context(), stream); err != nil || got.TruncateBefore != 3 {
				t.Errorf("Metadata of a stream that came back from %q = %+v, %v", data, got, err)
			}
		}
		checkVisible(t, s, stream, 4, want)
	})
}

// checkVisible checks which of n events readers see.
func checkVisible(t *testing.T, s *engine.Store, stream string, n int64, m engine.Metadata) {
	t.Helper()
	first := int64(m.TruncateBefore)
	if m.MaxCount > 0 {
		first = max(first, n-m.MaxCount)
	}
	want := max(0, n-first)
	next, got := eventstore.Revision(first), int64(0)
	for r, err := range s.Read(t.Context(), stream, eventstore.ReadStream{}) {
		if errors.Is(err, eventstore.ErrStreamNotFound) && want == 0 {
			return
		}
		if err != nil || r.Revision != next {
			t.Fatalf("with %+v: revision %d, %v, want %d", m, r.Revision, err, next)
		}
		next, got = next+1, got+1
	}
	if got != want {
		t.Errorf("with %+v: %d of %d events are visible, want %d", m, got, n, want)
	}
}
