// Package undo is the page on which a change of contacts is taken back (rule
// I7), by somebody who need not be able to sign in: whoever changed the contact
// may have changed the password, too.
//
// # What is guaranteed
//
// The link in the message is all that it takes, and it is for one change. To
// open it changes nothing: mail programs and scanners open links. Only the
// button does, and only once. The page works without a script, loads nothing,
// and shows no more of the person than a masked contact, in their language.
//
// # The link
//
// It holds a proof of 128 bits that is derived from the tenant's key, so
// guessing is hopeless, and a forged link costs one look at the key file. The
// proof is in the path, since a fragment cannot be read without a script. So
// Konto writes no paths into its log and its traces, and the page sends no
// referrer; what a proxy logs opens a page that puts the owner's own contact
// back, until it was used or its time is over.
package undo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"golang.org/x/text/language"

	"konto/domain"
	"konto/domain/securityinfo"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/notify"
)

// Path is where the page is; the token follows.
const Path = "/undo/"

// actor is who a change is undone by in its history: nobody who signed in.
var actor = domain.Actor{ID: "undo-link", Kind: domain.KindSystem}

// Page serves the page, GET and POST. All fields must be set.
type Page struct {
	// Handle carries out a command, or rehearses it.
	Handle func(context.Context, command.Request) (command.Result, error)
	// Proves reports whether proof is the tenant's keyed hash of value.
	Proves func(ctx context.Context, tenant, purpose, value, proof string) (bool, error)
	// Locale returns the language (BCP 47) of a person of a tenant, or "".
	Locale func(ctx context.Context, tenant, person string) (string, error)
	Source func(*http.Request) envelope.Source
	NewID  func() uuid.UUID
	Log    zerolog.Logger
}

// Handler returns the page, for patterns that end in {token}.
func (p *Page) Handler() http.Handler {
	look := newLook()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, lang := p.answer(w, r)
		look.write(w, lang, shown)
	})
}

// shown is what the page shows.
type shown struct {
	state  state
	slot   securityinfo.Slot // the rest is of stateAsk alone
	masked string
	other  bool // a contact has taken its place, and goes
}

// state is what became of the link.
type state int

const (
	stateAsk     state = iota // it can be used
	stateDone                 // it has done its work, now or before
	stateOver                 // its time is over
	stateRefused              // the contact cannot come back
	stateUnknown              // it is no link of ours
	stateLater                // nobody can say now
)

// answer finds out what became of the link, and in which language to say it.
func (p *Page) answer(w http.ResponseWriter, r *http.Request) (shown, string) {
	lang := asked(r)
	token, ok := notify.ParseUndoToken(r.PathValue("token"))
	if !ok {
		return shown{state: stateUnknown}, lang
	}
	ok, err := p.Proves(r.Context(), token.Tenant, securityinfo.UndoPurpose, token.Change, token.Proof)
	if err != nil {
		return p.fault(err), lang
	}
	if !ok {
		return shown{state: stateUnknown}, lang
	}
	locale, err := p.Locale(r.Context(), token.Tenant, token.Person)
	if err != nil {
		return p.fault(err), lang
	}
	if locale != "" {
		lang = notify.Locale(locale)
	}
	return p.undo(r, token, w.Header().Get("Request-Id")), lang
}

// undo carries the command out if r is a POST; else it says what would happen.
func (p *Page) undo(r *http.Request, t notify.UndoToken, correlation string) shown {
	body, err := json.Marshal(securityinfo.UndoContactChange{Change: t.Change, Proof: t.Proof})
	if err != nil {
		return p.fault(err)
	}
	rehearsal := r.Method != http.MethodPost
	res, err := p.Handle(r.Context(), command.Request{
		ID: p.NewID(), Category: securityinfo.Aggregate.Category(), Target: t.Person, Command: "UndoContactChange", Body: body,
		Actor: actor, Tenant: t.Tenant, Source: p.Source(r), Correlation: correlation, DryRun: rehearsal,
	})
	switch rule, refused := errors.AsType[*domain.Error](err); {
	case errors.Is(err, securityinfo.ErrUndone):
		return shown{state: stateDone}
	case errors.Is(err, securityinfo.ErrUndoOver):
		return shown{state: stateOver}
	case refused && rule.Kind == domain.KindNotFound:
		return shown{state: stateUnknown} // the account is another tenant's, or gone
	case refused:
		return shown{state: stateRefused}
	case err != nil:
		return p.fault(err)
	case !rehearsal:
		return shown{state: stateDone}
	}
	for _, e := range res.Events {
		var undone securityinfo.ContactChangeUndone
		if e.Type != "ContactChangeUndone" {
			continue
		}
		if err := json.Unmarshal(e.Data, &undone); err != nil {
			return p.fault(err)
		}
		return shown{slot: undone.Slot, masked: masked(undone.Contact.Value), other: !undone.Dropped.IsZero()}
	}
	return p.fault(errors.New("nothing would be undone, and nothing refused it"))
}

// fault logs why nobody can say anything now. The link is not in it.
func (p *Page) fault(err error) shown {
	p.Log.Warn().Err(err).Msg("the page that undoes a change could not be shown")
	return shown{state: stateLater}
}

// asked is the language that the browser asks for, of those that we write.
func asked(r *http.Request) string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return notify.Locale()
	}
	var wanted []string
	for _, t := range tags {
		wanted = append(wanted, t.String())
	}
	return notify.Locale(wanted...)
}
