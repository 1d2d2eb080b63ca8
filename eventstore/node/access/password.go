package access

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what EventStoreDB's own users have
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"konto/eventstore"
)

const (
	// owaspIterations is what OWASP's Password Storage Cheat Sheet asks for
	// with HMAC-SHA-256: a tenth of a second or two.
	owaspIterations = 600_000
	// weakIterations is for the one password that everybody knows: no number
	// would protect it, and the first start should not take half a second.
	weakIterations = 1000
	// maxIterations bounds what a record can ask of the processor: some ten seconds.
	maxIterations = 50_000_000

	saltBytes = 16
	hashBytes = 32
	// maxHeader is longer than any honest login and password.
	maxHeader = 4 << 10
	// verifying is how many passwords are verified at a time.
	verifying = 2
	// rememberedGood and rememberedBad bound what is remembered, at some 200
	// bytes each. Clients that retry a wrong password cost little then.
	rememberedGood, rememberedBad = 1 << 14, 1 << 10

	sha256Name = "pbkdf2-sha256"
)

// Authenticate returns whom the value of an authorization header stands for:
// [Anonymous] if it is empty or everybody is allowed everything. A password
// that is new to this process takes a tenth of a second or more, others
// microseconds. Errors: [ErrBadCredentials], the store's, ctx's.
func (c *Control) Authenticate(ctx context.Context, header string) (Principal, error) {
	if header == "" || c.cfg.Insecure {
		return Anonymous(), nil
	}
	login, password, ok := parseBasic(header)
	if !ok {
		return Principal{}, ErrBadCredentials
	}
	at, err := c.userRevision(ctx, login)
	if err != nil {
		return Principal{}, fmt.Errorf("authenticate: %w", err)
	}
	name := c.known.name(header)
	if p, err, ok := c.known.recall(name, at); ok {
		return p, err
	}
	return c.verify(ctx, name, login, password)
}

// parseBasic reads credentials (RFC 7617).
func parseBasic(header string) (login, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if len(header) > maxHeader || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	login, password, ok = strings.Cut(string(plain), ":")
	return login, password, ok && validLogin(login) == nil
}

// verify compares a password with the user's and remembers what it found.
func (c *Control) verify(ctx context.Context, name digest, login, password string) (Principal, error) {
	select {
	case c.known.slots <- struct{}{}:
		defer func() { <-c.known.slots }()
	case <-ctx.Done():
		return Principal{}, ctx.Err()
	}
	user, err := c.read(ctx, login)
	if err != nil && !errors.Is(err, ErrUserNotFound) {
		return Principal{}, fmt.Errorf("authenticate: %w", err)
	}
	if p, err, ok := c.known.recall(name, user.revision); ok {
		return p, err // somebody was faster
	}
	if !user.matches(password, c.cfg.Iterations) || user.Disabled {
		c.known.bad.Add(name, user.revision)
		return Principal{}, ErrBadCredentials
	}
	if password == defaultPassword {
		c.warn(user)
	}
	p := Principal{Login: login, Groups: user.Groups}
	c.known.good.Add(name, recalled{p, user.revision})
	return p, nil
}

// verified remembers credentials that were verified, under a keyed hash.
type verified struct {
	keyed sync.Pool // of hash.Hash; all with the same key
	good  *lru.Cache[digest, recalled]
	bad   *lru.Cache[digest, eventstore.Revision]
	slots chan struct{} // holds a token for each verification under way
}

type digest [sha256.Size]byte

// recalled is true as long as the user's stream is at the revision.
type recalled struct {
	principal Principal
	revision  eventstore.Revision
}

func newVerified() (*verified, error) {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	v := &verified{slots: make(chan struct{}, verifying)}
	v.keyed.New = func() any { return hmac.New(sha256.New, key) }
	var err, err2 error
	v.good, err = lru.New[digest, recalled](rememberedGood)
	v.bad, err2 = lru.New[digest, eventstore.Revision](rememberedBad)
	return v, errors.Join(err, err2)
}

func (v *verified) name(header string) (d digest) {
	h := v.keyed.Get().(hash.Hash)
	defer v.keyed.Put(h)
	h.Reset()
	_, _ = h.Write([]byte(header)) // never fails
	h.Sum(d[:0])
	return d
}

// recall returns what is known of credentials if the user's stream is still
// at a revision.
func (v *verified) recall(name digest, at eventstore.Revision) (Principal, error, bool) {
	if r, ok := v.good.Get(name); ok && r.revision == at {
		return r.principal, nil, true
	}
	if revision, ok := v.bad.Get(name); ok && revision == at {
		return Principal{}, ErrBadCredentials, true
	}
	return Principal{}, nil, false
}

// secret is how a password is stored.
type secret struct {
	Salt string `json:"salt"` // base64
	Hash string `json:"hash"` // base64
	// Algorithm is "pbkdf2-sha256". Empty is what EventStoreDB writes: PBKDF2
	// with HMAC-SHA-1, 1,000 iterations and 20 bytes.
	Algorithm  string `json:"algorithm,omitempty"`
	Iterations int    `json:"iterations,omitempty"`
}

// newSecret hashes a password.
func newSecret(password string, iterations int) (secret, error) {
	if password == defaultPassword {
		iterations = weakIterations
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	key, err := pbkdf2.Key(sha256.New, password, salt, iterations, hashBytes)
	if err != nil {
		return secret{}, fmt.Errorf("hash password: %w", err)
	}
	text := base64.StdEncoding.EncodeToString
	return secret{Salt: text(salt), Hash: text(key), Algorithm: sha256Name, Iterations: iterations}, nil
}

// matches reports whether password is the one. A secret that is not there or
// cannot be read takes as long as one that does not match.
func (s secret) matches(password string, iterations int) bool {
	salt, err := base64.StdEncoding.DecodeString(s.Salt)
	want, err2 := base64.StdEncoding.DecodeString(s.Hash)
	digest, size := sha256.New, hashBytes
	switch {
	case err != nil || err2 != nil || s.Hash == "":
		want = nil
	case s.Algorithm == "":
		digest, size, iterations = sha1.New, sha1.Size, 1000
	case s.Algorithm == sha256Name && s.Iterations > 0 && s.Iterations <= maxIterations:
		iterations = s.Iterations
	default:
		want = nil
	}
	key, err := pbkdf2.Key(digest, password, salt, iterations, size)
	return err == nil && subtle.ConstantTimeCompare(key, want) == 1
}
