package httpapi_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"konto/eventstore"
	"konto/eventstore/memory"
)

// refusals is where refused commands are recorded, at their own pace: it looks
// at each record and keeps none.
type refusals struct {
	*memory.Store
	mu       sync.Mutex
	recorded int
	wrong    []string
}

func (r *refusals) Append(_ context.Context, stream string, _ eventstore.Revision, events ...eventstore.Event) (eventstore.Appended, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		r.recorded++
		var fields map[string]any
		err := json.Unmarshal(e.Data, &fields)
		for name := range fields {
			if !slices.Contains([]string{"category", "commandType", "ruleId", "ruleIds", "problemType"}, name) {
				err = cmp.Or(err, fmt.Errorf("field %s", name))
			}
		}
		if err != nil || tells(e.Data) || tells(e.Meta) || tells([]byte(stream)) || !strings.HasPrefix(stream, "rejections-") {
			r.wrong = append(r.wrong, fmt.Sprintf("%s: %s %s: %v", stream, e.Data, e.Meta, err))
		}
	}
	return eventstore.Appended{}, nil
}

// lines are a log.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

// take returns what was logged since it was last asked.
func (l *lines) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := bytes.Clone(l.Bytes())
	l.Reset()
	return b
}

// tells reports whether b holds a personal value.
func tells(b []byte) bool {
	return bytes.Contains(b, []byte(mark)) || bytes.Contains(b, []byte("Z"+mark[1:])) || phones(b)
}

// phones reports whether b holds one of the world's phone numbers, which begin
// alike. Hex digits of an ID or a hash may do so by chance.
func phones(b []byte) bool {
	for _, form := range []string{"701740", "70-174 0", "70 174 0"} {
		for rest := b; ; {
			i := bytes.Index(rest, []byte(form))
			if i < 0 {
				break
			}
			if !bytes.ContainsAny(rest[max(0, i-4):min(len(rest), i+12)], "abcdef-") || form != "701740" {
				return true
			}
			rest = rest[i+1:]
		}
	}
	return false
}
