package domain_test

import (
	"errors"
	"testing"

	"konto/domain"
	"konto/domain/webhook"
)

// What a field must be is said in words, and not in types of Go.
func TestTypesAreSaidInWords(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]domain.Error{
		`{"url":1}`:                {Detail: "url must be a text, not a number", Pointer: "/url"},
		`{"url":"x","events":"a"}`: {Detail: "events must be a list of texts, not a text", Pointer: "/events"},
		`{"url":"x","events":[1]}`: {Detail: "events must be a list of texts, not a number in it", Pointer: "/events"},
		`{"url":"x","events":{}}`:  {Detail: "events must be a list of texts, not an object", Pointer: "/events"},
		`{"href":"x"}`:             {Detail: "the body has an unknown field; this command has url, events"},
	} {
		_, err := webhook.Aggregate.DecodeCommand(raw("RegisterWebhookEndpoint", body))
		got, ok := errors.AsType[*domain.Error](err)
		if !ok || got.Detail != want.Detail || got.Pointer != want.Pointer || got.Code != "malformed-command" {
			t.Errorf("DecodeCommand(%s) = %v, want %q at %q", body, err, want.Detail, want.Pointer)
		}
	}
}
