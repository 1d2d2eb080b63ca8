// Package privacy keeps personal values unreadable to everybody without the
// keys, in a log that can never be changed.
//
// A value about a person travels in event JSON as {"$personal": {"subject",
// "value"}}; see [konto/domain.Personal]. Seal replaces it by {"$sealed": {…}}
// before the event is appended, Open brings it back after the event is read,
// and every other byte of the document stays as it was. Each subject of each
// tenant has keys of its own, so that destroying them makes what was said of
// that subject unreadable for ever, in the log and in every copy of it, while
// the log's bytes and the proofs over them stay the same.
//
// # Envelope
//
//	{"$sealed": {"e": scheme, "s": subject, "k": key version, "p": path,
//	             "n": nonce, "c": ciphertext and tag, "h": commitment}}
//
// With lp writing a big-endian uint32 length before each field, and r 32
// random bytes:
//
//	h          = HMAC-SHA256(r, lp(CommitScheme, tenant, event, path, value))
//	plaintext  = r || lp(path, value) || zeros to a multiple of 64 bytes
//	associated = lp(Scheme, tenant, subject, k, stream, event, type, path, h)
//	c          = AES-256-GCM(key, n, plaintext, associated)
//
// The value is the JSON text as the event had it. The associated data fixes an
// envelope to its place: moved to another event, path, subject or tenant it
// does not open. GCM alone does not commit to a key; h does, and lets one value
// be shown to an auditor, with r, without any key. Padding hides lengths below
// 64 bytes.
//
// # Keys
//
// The root key is a local file's, or given. It wraps one key-encryption key a
// tenant and generation, which wraps the data key of each (tenant, subject,
// version). All but the root live in an SQLite file of their own, that must not
// be in the backups of the event store; lose it, and all personal values are
// lost. [Keys.Rotate] starts a new generation and destroys the old.
// [Keys.Destroy] destroys a subject's keys and leaves a tombstone, so that no
// new one can be made.
//
// Not guaranteed: an old backup of the key file opens with the root key it was
// made under; what a mail or an export has carried away is not called back; and
// another process with the same file keeps a destroyed key for up to a minute,
// unless it is told ([Keys.Forget]), as every process is that follows the
// events of the erasure.
package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Names of the constructions, first in what they authenticate, so that bytes
// made for one use pass for no other.
const (
	Scheme       = "konto-pii/1"
	CommitScheme = "konto-commit/1"
)

// The errors of this package, tested with [errors.Is].
var (
	// ErrErased refuses to seal a value about a subject whose keys are destroyed.
	ErrErased = errors.New("the subject's keys are destroyed")
	// ErrForged reports an envelope that was changed, or that is not where it was sealed.
	ErrForged = errors.New("sealed value does not open here")
	// ErrMalformed reports a document or an envelope that cannot be read.
	ErrMalformed = errors.New("malformed personal value")
	// ErrNoKey reports an envelope whose key is not in the key file.
	ErrNoKey = errors.New("no such key")
	// ErrRootKey reports a root key that is missing, exposed or another one
	// than the key file was made with.
	ErrRootKey = errors.New("root key")
	// ErrClosed reports a use after Close.
	ErrClosed = errors.New("key file is closed")
)

// Context is where a document belongs. Values are sealed to it.
type Context struct {
	Tenant  string // whose keys
	Stream  string
	EventID string // canonical UUID text
	Type    string // of the event
}

// Metadata is the context of the event's metadata, which is a document of its
// own: a value sealed in one does not open in the other.
func (c Context) Metadata() Context {
	c.Type += "#metadata"
	return c
}

// Config says where the keys are. Path, Now and one of RootKey and RootKeyFile
// are required.
type Config struct {
	Path string // of the key database; made with mode 0600 if missing
	// RootKey is the root key, 32 bytes, if it does not come from a file.
	RootKey []byte
	// RootKeyFile holds the root key as 64 hex digits. It is made with mode
	// 0600 together with the database. A file that others may read is refused.
	RootKeyFile string
	Now         func() time.Time
	// CacheSize is how many data keys are held in memory; 0 means 65,536,
	// about 70 MB when full.
	CacheSize int
}

const (
	defaultCacheSize = 1 << 16
	// cacheLife bounds how long another process may use a destroyed key.
	cacheLife = time.Minute
)

// Validate reports the first field that cannot be used.
func (c Config) Validate() error {
	switch {
	case c.Path == "":
		return errors.New("privacy: Path is empty, want a file name")
	case c.Now == nil:
		return errors.New("privacy: Now is nil, want a clock")
	case (len(c.RootKey) == 0) == (c.RootKeyFile == ""):
		return errors.New("privacy: want exactly one of RootKey and RootKeyFile")
	case c.RootKeyFile == "" && len(c.RootKey) != keySize:
		return fmt.Errorf("privacy: RootKey has %d bytes, want %d", len(c.RootKey), keySize)
	case c.CacheSize < 0:
		return fmt.Errorf("privacy: CacheSize = %d, want 0 or more", c.CacheSize)
	}
	return nil
}

// Keys is an open key file. All methods are safe for concurrent use.
type Keys struct {
	now   func() time.Time
	root  box
	write *sql.DB // one connection: SQLite has one writer
	read  *sql.DB

	creations chan *creation
	quit      chan struct{}
	closing   sync.Once
	running   sync.WaitGroup

	rotating sync.Mutex // one rotation at a time

	mu    sync.Mutex // orders epoch and the filling of deks
	epoch uint64     // counts what makes loaded keys stale
	deks  *lru.Cache[dekName, *dek]

	tenants *lru.Cache[string, *Tenant]
}

// Open opens the key file, and makes it and the root key on the first start.
// A root key that does not fit is an [ErrRootKey]. Close it after use.
func Open(ctx context.Context, c Config) (*Keys, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	k := &Keys{now: c.Now, creations: make(chan *creation, maxBatch), quit: make(chan struct{})}
	size := c.CacheSize
	if size == 0 {
		size = defaultCacheSize
	}
	var err error
	if k.deks, err = lru.New[dekName, *dek](size); err != nil {
		return nil, fmt.Errorf("key cache: %w", err)
	}
	if k.tenants, err = lru.New[string, *Tenant](maxTenants); err != nil {
		return nil, fmt.Errorf("key cache: %w", err)
	}
	if err := k.connect(ctx, c.Path); err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if err := k.unlock(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("open key file: %w", err), k.disconnect())
	}
	k.running.Go(func() { k.create(context.WithoutCancel(ctx)) })
	return k, nil
}

// Close waits for the work under way and closes the file. What is called after
// it is an [ErrClosed].
func (k *Keys) Close() error {
	k.closing.Do(func() { close(k.quit) })
	k.running.Wait()
	return k.disconnect()
}
