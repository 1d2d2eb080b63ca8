package envelope

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/privacy"
)

// MaxBody is the longest body of a command that is kept, in bytes. It travels
// with its event's metadata, which has to fit into a message's headers.
const MaxBody = 8 << 10

var (
	// ErrNoBody reports an event that no body was kept with: it is not its
	// command's first, or the body is secret or too long.
	ErrNoBody = errors.New("the command's body was not kept")
	// ErrErasedBody reports a body that nobody can read any more, since it was
	// about a person whose keys are destroyed.
	ErrErasedBody = errors.New("the command's body is erased")
)

// What the sealed text of a body begins with: the body, or one more layer.
const (
	innermost = "="
	layer     = "+"
)

type layered struct {
	Body domain.Personal[string] `json:"body"`
}

// CloseBody returns body as the metadata of event e, to be appended to stream,
// holds it. It is sealed once for each of subjects, one around the other, so
// that destroying the keys of any of them makes it unreadable. [Seal] seals the
// outermost layer. A subject whose keys are destroyed is a [privacy.ErrErased].
func CloseBody(ctx context.Context, k *privacy.Keys, stream, tenant string, e eventstore.Event, subjects []string, body []byte) (domain.Personal[string], error) {
	if len(subjects) == 0 || len(body) > MaxBody {
		return domain.Personal[string]{}, ErrNoBody
	}
	if erased, err := k.Erased(ctx, tenant, subjects[0]); err != nil || erased {
		return domain.Personal[string]{}, cmp.Or(err, privacy.ErrErased)
	}
	where := Where(eventstore.Recorded{Event: e, Stream: stream}, tenant).Metadata()
	text := innermost + string(body)
	for _, s := range subjects[1:] {
		doc, err := json.Marshal(layered{domain.About(s, text)})
		if err != nil {
			return domain.Personal[string]{}, err
		}
		if doc, err = k.Seal(ctx, where, doc); err != nil {
			return domain.Personal[string]{}, fmt.Errorf("body: %w", err)
		}
		text = layer + string(doc)
	}
	return domain.About(subjects[0], text), nil
}

// OpenBody returns the body of the command whose first event is r, an
// [ErrNoBody] or an [ErrErasedBody].
func OpenBody(ctx context.Context, k *privacy.Keys, r eventstore.Recorded) (json.RawMessage, error) {
	m, err := ParseMeta(r.Meta)
	if err != nil {
		return nil, err
	}
	if m.Body.IsZero() {
		return nil, ErrNoBody
	}
	doc, err := json.Marshal(layered{m.Body})
	if err != nil {
		return nil, err
	}
	where := Where(r, m.Tenant).Metadata()
	for {
		if doc, err = k.Open(ctx, where, doc); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		var l layered
		if err := json.Unmarshal(doc, &l); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		text := l.Body.Value
		switch {
		case l.Body.Erased:
			return nil, ErrErasedBody
		case len(text) > 0 && text[:1] == innermost:
			return json.RawMessage(text[1:]), nil
		case len(text) > 0 && text[:1] == layer:
			doc = slices.Clone([]byte(text[1:]))
		default:
			return nil, fmt.Errorf("body: %w", privacy.ErrMalformed)
		}
	}
}
