package webhook

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"konto/domain"
)

// RegisterWebhookEndpoint has another system called when something happens. An
// organization has a limited number of endpoints; see [LimitPolicy].
type RegisterWebhookEndpoint struct {
	URL    string   `json:"url"`
	Events []string `json:"events"` // types such as card-declined, or "*" alone
}

// Needs implements [domain.Needer].
func (RegisterWebhookEndpoint) Needs(Meta) []domain.Need {
	return []domain.Need{site(), LimitPolicy.Need()}
}

// Cautions implements [domain.Cautioner].
func (RegisterWebhookEndpoint) Cautions() []domain.Caution { return keepSecret() }

// Decide implements [domain.Command].
func (c RegisterWebhookEndpoint) Decide(e Endpoint, m Meta) ([]Event, error) {
	switch {
	case e.Removed:
		return nil, ErrRemoved
	case e.Exists():
		return nil, ErrExists
	}
	if err := domain.All(address(c.URL, m), known(c.Events)); err != nil {
		return nil, err
	}
	return []Event{WebhookEndpointRegistered{URL: c.URL, Events: sorted(c.Events), Secret: m.Command, At: m.At}}, nil
}

// WebhookEndpointRegistered records that another system is called.
type WebhookEndpointRegistered struct {
	URL    string    `json:"url"`
	Events []string  `json:"events"`
	Secret string    `json:"secret"` // its ID, which gives nothing away
	At     time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (w WebhookEndpointRegistered) Evolve(e *Endpoint) {
	*e = Endpoint{URL: w.URL, Events: slices.Clone(w.Events), Secret: w.Secret, URLSince: w.At}
}

// ChangeWebhookEndpoint changes where calls go, or what they tell of. Calls that
// are on their way, or wait to be tried again, go to the new address. The
// secret stays.
type ChangeWebhookEndpoint struct {
	URL    *string  `json:"url,omitempty"`
	Events []string `json:"events,omitempty"`
}

// Needs implements [domain.Needer].
func (ChangeWebhookEndpoint) Needs(Meta) []domain.Need { return []domain.Need{site()} }

// Decide implements [domain.Command].
func (c ChangeWebhookEndpoint) Decide(e Endpoint, m Meta) ([]Event, error) {
	if err := e.open(); err != nil {
		return nil, err
	}
	if c.URL == nil && c.Events == nil {
		return nil, ErrNothing
	}
	changed := WebhookEndpointChanged{URL: e.URL, Events: slices.Clone(e.Events), At: m.At}
	var wrong []*domain.Error
	if c.URL != nil {
		changed.URL = *c.URL
		wrong = append(wrong, address(*c.URL, m))
	}
	if c.Events != nil {
		changed.Events = sorted(c.Events)
		wrong = append(wrong, known(c.Events))
	}
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	if changed.URL == e.URL && slices.Equal(changed.Events, e.Events) {
		return nil, nil
	}
	return []Event{changed}, nil
}

// WebhookEndpointChanged records what an endpoint is from now on.
type WebhookEndpointChanged struct {
	URL    string    `json:"url"`
	Events []string  `json:"events"`
	At     time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (w WebhookEndpointChanged) Evolve(e *Endpoint) {
	if w.URL != e.URL {
		e.URL, e.URLSince = w.URL, w.At
	}
	e.Events = slices.Clone(w.Events)
}

// known returns why events do not name what a call may tell of, or nil.
func known(events []string) *domain.Error {
	if len(events) == 0 || slices.Contains(events, All) && len(events) > 1 {
		return ErrEvents
	}
	all := Types()
	for i, e := range events {
		switch {
		case e != All && !slices.Contains(all, e):
			wrong := *ErrEvents.With("known", all)
			wrong.Detail = fmt.Sprintf("there is no type %s; %s, and %q alone is for all", quoted(e), alike(e), All)
			return &wrong
		case slices.Contains(events[:i], e):
			wrong := *ErrEvents
			wrong.Detail = "the type " + e + " is named twice"
			return &wrong
		}
	}
	return nil
}

// alike says which types are about the same as what is none, or else what
// types are about. All of them would be a page.
func alike(e string) string {
	about, _, _ := strings.Cut(e, "-")
	var same, others []string
	for _, t := range Types() {
		first, _, _ := strings.Cut(t, "-")
		if first == about {
			same = append(same, t)
		}
		others = append(others, first+"-…")
	}
	if len(same) > 0 {
		return "there are " + strings.Join(same, ", ")
	}
	return "types are called " + strings.Join(slices.Compact(others), ", ")
}

// quoted is what somebody took for a type, if it looks like one: what does not
// may be anything, and a refusal is logged.
func quoted(e string) string {
	const longest = 64
	if len(e) > longest || strings.Trim(e, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return "of that name"
	}
	return strconv.Quote(e)
}

func sorted(events []string) []string { return slices.Sorted(slices.Values(events)) }
