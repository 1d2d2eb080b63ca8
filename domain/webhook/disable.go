package webhook

import "time"

// Why an endpoint is not called.
const (
	ByPerson = "asked" // somebody asked for it
	Gone     = "gone"  // it answered 410 (RFC 9110 section 15.5.11)
)

// DisableWebhookEndpoint stops calling an endpoint. What waits to be tried
// again is given up when its time comes.
type DisableWebhookEndpoint struct{}

// Decide implements [domain.Command].
func (DisableWebhookEndpoint) Decide(e Endpoint, m Meta) ([]Event, error) {
	if err := e.open(); err != nil || e.Disabled {
		return nil, err
	}
	return []Event{WebhookEndpointDisabled{Why: ByPerson, At: m.At}}, nil
}

// DisableGoneWebhookEndpoint stops calling an endpoint that says that it is
// gone. It does nothing if calls go elsewhere by now.
type DisableGoneWebhookEndpoint struct {
	CalledAt time.Time `json:"calledAt"`
}

// Decide implements [domain.Command].
func (c DisableGoneWebhookEndpoint) Decide(e Endpoint, m Meta) ([]Event, error) {
	if !e.Active() || c.CalledAt.Before(e.URLSince) {
		return nil, nil
	}
	return []Event{WebhookEndpointDisabled{Why: Gone, At: m.At}}, nil
}

// WebhookEndpointDisabled records that an endpoint is not called.
type WebhookEndpointDisabled struct {
	Why string    `json:"why"` // ByPerson or Gone
	At  time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (WebhookEndpointDisabled) Evolve(e *Endpoint) { e.Disabled = true }

// EnableWebhookEndpoint calls an endpoint again. What happened meanwhile is not
// told; a single delivery can be asked for again.
type EnableWebhookEndpoint struct{}

// Decide implements [domain.Command].
func (EnableWebhookEndpoint) Decide(e Endpoint, m Meta) ([]Event, error) {
	if err := e.open(); err != nil || !e.Disabled {
		return nil, err
	}
	return []Event{WebhookEndpointEnabled{At: m.At}}, nil
}

// WebhookEndpointEnabled records that an endpoint is called again.
type WebhookEndpointEnabled struct {
	At time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (w WebhookEndpointEnabled) Evolve(e *Endpoint) {
	// A 410 from before says nothing about what it answers from now on.
	e.Disabled, e.URLSince = false, w.At
}

// RemoveWebhookEndpoint forgets an endpoint. Its ID is not used again.
type RemoveWebhookEndpoint struct{}

// Decide implements [domain.Command].
func (RemoveWebhookEndpoint) Decide(e Endpoint, m Meta) ([]Event, error) {
	switch {
	case !e.Exists():
		return nil, ErrNotFound
	case e.Removed:
		return nil, nil
	}
	return []Event{WebhookEndpointRemoved{At: m.At}}, nil
}

// WebhookEndpointRemoved records that an endpoint is not called any more.
type WebhookEndpointRemoved struct {
	At time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (WebhookEndpointRemoved) Evolve(e *Endpoint) { e.Removed = true }
