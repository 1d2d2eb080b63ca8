package webhook

import (
	"errors"
	"time"

	"konto/domain"
)

// SecretPolicy says for how long a secret that was replaced goes on signing.
var SecretPolicy = domain.Policy[SecretTerms]{
	Name:  "webhook-secrets",
	First: SecretTerms{OverlapHours: 24},
}

// SecretTerms are the limits of secrets.
type SecretTerms struct {
	OverlapHours int `json:"overlapHours"` // 1 to 720
}

// Validate says that the overlap is out of its range.
func (t SecretTerms) Validate() error {
	if t.OverlapHours < 1 || t.OverlapHours > 720 {
		return errors.New("overlapHours must be 1 to 720")
	}
	return nil
}

// RotateWebhookSecret makes a new secret. The one before goes on signing beside
// it for a while; one before that, which still did, ends. After a leak the old
// one is ended at once.
type RotateWebhookSecret struct {
	EndOld bool `json:"endOld,omitempty"` // the old one signs nothing any more
}

// Needs implements [domain.Needer].
func (RotateWebhookSecret) Needs(Meta) []domain.Need { return []domain.Need{SecretPolicy.Need()} }

// Cautions implements [domain.Cautioner].
func (RotateWebhookSecret) Cautions() []domain.Caution { return keepSecret() }

func keepSecret() []domain.Caution {
	return []domain.Caution{{
		Code: "secret-shown-once", Detail: "the secret is in this answer and in no other; if it gets lost, have another made with RotateWebhookSecret",
	}}
}

// Decide implements [domain.Command].
func (c RotateWebhookSecret) Decide(e Endpoint, m Meta) ([]Event, error) {
	if err := e.open(); err != nil {
		return nil, err
	}
	until := m.At
	if !c.EndOld {
		until = until.Add(time.Duration(SecretPolicy.In(m).OverlapHours) * time.Hour)
	}
	return []Event{WebhookSecretRotated{Secret: m.Command, Previous: e.Secret, PreviousUntil: until, At: m.At}}, nil
}

// WebhookSecretRotated records that another secret signs.
type WebhookSecretRotated struct {
	Secret        string    `json:"secret"`        // ID of the new one
	Previous      string    `json:"previous"`      // ID of the old one
	PreviousUntil time.Time `json:"previousUntil"` // until when the old one signs, too
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (w WebhookSecretRotated) Evolve(e *Endpoint) {
	e.Secret, e.Previous, e.ValidTill = w.Secret, w.Previous, w.PreviousUntil
}
