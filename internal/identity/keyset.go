package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

// keySet is the issuer's keys as it published them last.
type keySet struct {
	issuer string
	client *http.Client
	now    func() time.Time
	fetch  singleflight.Group

	mu      sync.Mutex
	url     string // of the keys, "" until discovery
	keys    map[string]jose.JSONWebKey
	fetched time.Time // when keys were had; zero if never
	asking  bool      // a question is under way
	tried   time.Time // when the last one ended
	failed  error     // why it failed
}

func newKeySet(c Config) *keySet {
	client := http.Client{Timeout: fetchTimeout}
	if c.HTTPClient != nil {
		client = *c.HTTPClient
	}
	client.Transport = limited{client.Transport}
	return &keySet{issuer: c.Issuer, client: &client, now: c.Now, url: c.JWKSURL}
}

// find returns the key of a key ID. Fresh keys are used as they are; for an
// unknown ID, and now and then, the issuer is asked again.
func (s *keySet) find(ctx context.Context, id string) (jose.JSONWebKey, error) {
	if id == "" {
		return jose.JSONWebKey{}, fmt.Errorf("%w: no key ID", ErrInvalid)
	}
	key, known, ask, err := s.look(id)
	if !ask {
		return key, err
	}
	select {
	case <-s.fetch.DoChan("", func() (any, error) { // callers share one question
		if _, _, ask, _ := s.look(id); ask { // unless one has just ended
			s.refresh(context.WithoutCancel(ctx))
		}
		return nil, nil
	}):
	case <-ctx.Done():
		if known {
			return key, nil
		}
		return jose.JSONWebKey{}, context.Cause(ctx)
	}
	key, _, _, err = s.look(id)
	return key, err
}

// look finds a key among those at hand, and says whether to ask the issuer.
func (s *keySet) look(id string) (key jose.JSONWebKey, known, ask bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	age, since := now.Sub(s.fetched), now.Sub(s.tried)
	key, known = s.keys[id]
	known = known && age < stale
	switch {
	case known && age < fresh:
		return key, true, false, nil
	case known:
		return key, true, since >= retry && !s.asking, nil // one caller waits, the others go on
	case s.fetched.IsZero() || age >= stale:
		return jose.JSONWebKey{}, false, since >= firstRetry, fmt.Errorf("%w: %w", ErrUnavailable, s.failed)
	case s.failed != nil:
		return jose.JSONWebKey{}, false, since >= retry, fmt.Errorf("%w: %w", ErrUnavailable, s.failed)
	default:
		return jose.JSONWebKey{}, false, since >= retry, fmt.Errorf("%w: unknown key", ErrInvalid)
	}
}

// refresh asks the issuer for its keys.
func (s *keySet) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	s.mu.Lock()
	url := s.url
	s.asking = true
	s.mu.Unlock()

	var err error
	if url == "" {
		url, err = s.discover(ctx)
	}
	var keys map[string]jose.JSONWebKey
	if err == nil {
		keys, err = s.get(ctx, url)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking, s.tried, s.failed = false, s.now(), err
	if err == nil {
		s.url, s.keys, s.fetched = url, keys, s.now()
	}
}

// discover asks the issuer where its keys are.
func (s *keySet) discover(ctx context.Context) (string, error) {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), s.issuer)
	if err != nil {
		return "", fmt.Errorf("discovery: %w", err)
	}
	var found struct {
		JWKSURL string `json:"jwks_uri"`
	}
	if err := p.Claims(&found); err != nil {
		return "", fmt.Errorf("discovery: %w", err)
	}
	if err := safeURL(found.JWKSURL); err != nil {
		return "", fmt.Errorf("discovery: jwks_uri: %w", err)
	}
	return found.JWKSURL, nil
}

func (s *keySet) get(ctx context.Context, url string) (keys map[string]jose.JSONWebKey, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("keys: status %d", resp.StatusCode)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("keys: %d of them, want %d at most", len(set.Keys), maxKeys)
	}
	return usable(set.Keys), nil
}

// usable returns the keys that tokens can be checked with, by ID. Others are
// passed over, as RFC 7517 section 5 asks.
func usable(raw []json.RawMessage) map[string]jose.JSONWebKey {
	keys := make(map[string]jose.JSONWebKey, len(raw))
	for _, r := range raw {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(r) != nil || key.KeyID == "" || !key.IsPublic() || !key.Valid() || key.Use != "" && key.Use != "sig" {
			continue
		}
		keys[key.KeyID] = key
	}
	return keys
}

// fits reports whether key is one for signatures of alg.
func fits(key jose.JSONWebKey, alg string) bool {
	if key.Algorithm != "" && key.Algorithm != alg {
		return false
	}
	switch k := key.Key.(type) {
	case ed25519.PublicKey:
		return alg == string(jose.EdDSA)
	case *ecdsa.PublicKey:
		return alg == string(jose.ES256) && k.Curve == elliptic.P256()
	case *rsa.PublicKey:
		return (alg == string(jose.RS256) || alg == string(jose.PS256)) && k.N.BitLen() >= minRSABits
	default:
		return false
	}
}

// limited bounds what the issuer can make us read.
type limited struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	next := l.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxDocument), resp.Body}
	}
	return resp, err
}
