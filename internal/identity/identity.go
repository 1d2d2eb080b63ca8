// Package identity says who is calling: it turns an OpenID Connect access
// token into a [domain.Actor], and issues such tokens for development.
//
// A token is believed if its issuer signed it with a key that the issuer
// publishes now, for this API, and it has not expired. Nothing in a token
// chooses its own key: headers that carry or point to keys are not read.
// Algorithms are a fixed list without symmetric ones (RFC 8725 section 3.1).
// When the issuer's keys cannot be had, nobody is believed.
//
// Signatures are checked once per token, not once per request: a believed
// token is remembered for some minutes by its hash. So a key that the issuer
// withdraws may be believed for up to 15 minutes more, see [Config]. Whether
// the session was ended since is asked every time; package session knows.
package identity

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"konto/domain"
)

// The errors of a token, tested with [errors.Is].
var (
	// ErrExpired reports a good token whose time is over. The caller can get a
	// new one.
	ErrExpired = errors.New("token has expired")
	// ErrInvalid reports a token that is not to be believed.
	ErrInvalid = errors.New("token is invalid")
	// ErrUnavailable reports that the issuer's keys cannot be had. Nothing is
	// said about the token; it may be good later.
	ErrUnavailable = errors.New("issuer is unavailable")
)

// Config says whose tokens are believed. Issuer, Audience and Now are
// required.
type Config struct {
	Issuer   string // exactly as in the claim iss; https, or http on this machine
	Audience string // that the claim aud must contain
	// JWKSURL is where the issuer's keys are; if empty it is looked up in the
	// issuer's discovery document on the first use.
	JWKSURL     string
	TenantClaim string // the claim that names the actor's tenant; default "tenant"
	RolesClaim  string // the claim that lists the actor's roles; default "roles"
	// AnyType also believes tokens whose header typ is JWT or missing. By
	// default typ must be at+jwt (RFC 9068 section 4), which keeps ID tokens
	// out.
	AnyType bool
	// Session says whether a token that is good by itself, issued to an actor
	// at a time, still counts; its error is [Verifier.Actor]'s. The time is
	// zero if the token does not say. It is asked on every use of a token. Nil:
	// all of them count.
	Session    func(ctx context.Context, actor domain.Actor, issued time.Time) error
	HTTPClient *http.Client // nil means one with the limits below
	Now        func() time.Time
	CacheSize  int // believed tokens to remember; 0 means 16,384
}

const (
	// skew is how far two honest clocks are apart at most.
	skew = time.Minute
	// believed is how long a checked token needs no new check.
	believed = 5 * time.Minute
	// fresh is how long fetched keys are used without asking again, and stale
	// how long they are used while asking fails.
	fresh = 10 * time.Minute
	stale = time.Hour
	// retry is the least time between two questions to the issuer, so that
	// tokens with invented key IDs do not become load on it.
	retry = 30 * time.Second
	// firstRetry is the same while there are no keys at all.
	firstRetry = time.Second
	// fetchTimeout bounds one question.
	fetchTimeout = 5 * time.Second
	// The sizes beyond which input is not honest.
	maxToken    = 16 << 10
	maxDocument = 1 << 20
	maxKeys     = 100
	maxID       = 255 // OpenID Connect Core section 2, sub
	minRSABits  = 2048

	defaultCacheSize = 1 << 14
)

// algorithms are the signatures that are believed.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256, jose.PS256}
}

// Validate reports the first field that cannot be used.
func (c Config) Validate() error {
	switch {
	case c.Audience == "":
		return errors.New("identity: Audience is empty, want the name of this API")
	case c.Now == nil:
		return errors.New("identity: Now is nil, want a clock")
	case c.CacheSize < 0:
		return fmt.Errorf("identity: CacheSize = %d, want 0 or more", c.CacheSize)
	}
	if err := safeURL(c.Issuer); err != nil {
		return fmt.Errorf("identity: Issuer: %w", err)
	}
	if c.JWKSURL != "" {
		if err := safeURL(c.JWKSURL); err != nil {
			return fmt.Errorf("identity: JWKSURL: %w", err)
		}
	}
	return nil
}

// safeURL allows what nobody between can change.
func safeURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("%q is no URL", raw)
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return fmt.Errorf("%q, want https, or http on this machine", raw)
	}
	return nil
}
