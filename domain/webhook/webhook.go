// Package webhook models where another system wants to be called when
// something happens to an organization's accounts (rule P11): the address, the
// types of events, and which secret signs the calls.
//
// # What is guaranteed
//
// An address is on the public internet and takes TLS, unless the system is set
// up for development. No event holds a secret: an event names a secret by an
// ID, and the secret is a keyed function of that, as one-time codes are. It is
// shown once, in the answer to the command that makes it. After a rotation the
// old one goes on signing beside the new for as long as the policy says, so
// that receivers can change over without missing a call.
//
// # What is not
//
// A name in an address may point to a private host when it is called. Whoever
// calls looks at the address that the name stands for, each time. What becomes
// of a call is package delivery's.
package webhook

import (
	"slices"
	"time"

	"konto/domain"
)

// Event is a fact about an endpoint.
type Event = domain.Event[Endpoint]

// Meta is what a decision may know besides the endpoint and the command.
type Meta = domain.Meta

// Aggregate is the endpoint's contract. Wire names are for ever. Bodies are not
// kept: an address may have a secret in it, and no policy judges it.
var Aggregate = domain.NewAggregate(
	"webhook", "webhook-endpoints",
	domain.Accepts[RegisterWebhookEndpoint]("RegisterWebhookEndpoint", domain.Summary("Have another system called when something happens; the answer has the secret that signs the calls, once"), domain.NotKept()),
	domain.Accepts[ChangeWebhookEndpoint]("ChangeWebhookEndpoint", domain.Summary("Change where calls go, or what they tell of"), domain.CallerSaw(), domain.NotKept()),
	domain.Accepts[RotateWebhookSecret]("RotateWebhookSecret", domain.Summary("Sign with a new secret; the answer has it, once, and the old one stays valid for a while"), domain.NotKept()),
	domain.Accepts[DisableWebhookEndpoint]("DisableWebhookEndpoint", domain.Summary("Stop calling an endpoint")),
	domain.Accepts[EnableWebhookEndpoint]("EnableWebhookEndpoint", domain.Summary("Call an endpoint again, with what happens from now on")),
	domain.Accepts[RemoveWebhookEndpoint]("RemoveWebhookEndpoint", domain.Summary("Forget an endpoint, for good")),
	domain.Accepts[DisableGoneWebhookEndpoint]("DisableGoneWebhookEndpoint", domain.Summary("Stop calling an endpoint that says that it is gone"), domain.Internal(), domain.NotKept()),

	domain.Records[WebhookEndpointRegistered]("WebhookEndpointRegistered"),
	domain.Records[WebhookEndpointChanged]("WebhookEndpointChanged"),
	domain.Records[WebhookSecretRotated]("WebhookSecretRotated"),
	domain.Records[WebhookEndpointDisabled]("WebhookEndpointDisabled"),
	domain.Records[WebhookEndpointEnabled]("WebhookEndpointEnabled"),
	domain.Records[WebhookEndpointRemoved]("WebhookEndpointRemoved"),
)

// Endpoint is where another system is called.
type Endpoint struct {
	URL       string    `json:"url"`
	Events    []string  `json:"events"` // types, or All
	Secret    string    `json:"secret"` // ID of the secret that signs
	Previous  string    `json:"previous,omitempty"`
	ValidTill time.Time `json:"validTill,omitzero"` // until when Previous signs, too
	URLSince  time.Time `json:"urlSince"`
	Disabled  bool      `json:"disabled,omitempty"`
	Removed   bool      `json:"removed,omitempty"`
}

// Exists reports whether the endpoint was ever registered.
func (e Endpoint) Exists() bool { return e.Secret != "" }

// Active reports whether the endpoint is called.
func (e Endpoint) Active() bool { return e.Exists() && !e.Disabled && !e.Removed }

// Secrets returns the IDs of the secrets that sign a call at a time, the newest
// first.
func (e Endpoint) Secrets(at time.Time) []string {
	if e.Previous != "" && at.Before(e.ValidTill) {
		return []string{e.Secret, e.Previous}
	}
	return []string{e.Secret}
}

// Wants reports whether events, as an endpoint has them, name a type.
func Wants(events []string, typ string) bool {
	return slices.Contains(events, All) || slices.Contains(events, typ)
}

// open refuses what nobody can change any more.
func (e Endpoint) open() error {
	switch {
	case !e.Exists():
		return ErrNotFound
	case e.Removed:
		return ErrRemoved
	}
	return nil
}

// Rejections.
var (
	ErrNotFound = domain.NotFound("webhook-endpoint-not-found", "there is no such webhook endpoint").ByRule("P11")
	ErrExists   = domain.Conflict("webhook-endpoint-exists", "there is a webhook endpoint with this ID").ByRule("P11").Allowed("ChangeWebhookEndpoint", domain.GlobalAdmin)
	ErrRemoved  = domain.Conflict("webhook-endpoint-removed", "the webhook endpoint was removed").ByRule("P11").Allowed("RegisterWebhookEndpoint", domain.GlobalAdmin)
	ErrURL      = domain.Invalid("webhook-url-malformed", "an address is an absolute URL of at most 2,048 bytes, without a user and without a fragment").ByRule("P11").At("/url")
	ErrPort     = domain.Invalid("webhook-url-port", "the port of an address is a number from 1 to 65535").ByRule("P11").At("/url")
	ErrNotHTTPS = domain.Invalid("webhook-url-not-https", "calls go to https only, in development to http as well").ByRule("P11").At("/url")
	ErrPrivate  = domain.Invalid("webhook-url-private", "calls go to the public internet only").ByRule("P11").At("/url")
	ErrEvents   = domain.Invalid("webhook-events-unknown", `name at least one type of event, each once, or "*" alone for all`).ByRule("P11").At("/events")
	ErrTooMany  = domain.Conflict("webhook-endpoints-used-up", "the organization has as many webhook endpoints as it may: remove one that is not needed").ByRule("N22").Allowed("RemoveWebhookEndpoint", domain.GlobalAdmin)
	ErrNothing  = domain.Invalid("webhook-change-empty", "say what is to change: url, events, or both").ByRule("P11")
)
