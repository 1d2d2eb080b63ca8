package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/internal/httpapi"
	"konto/internal/testclock"
)

// Config says what to run and where. A zero field has the default that its
// comment names. Field tags are the names in configuration files, flags and
// environment variables.
type Config struct {
	Data string `koanf:"data"` // directory of everything that Konto keeps; required
	Addr string `koanf:"addr"` // HTTP listener, HOST:PORT; port 0 picks one; default 127.0.0.1:8080
	// Store is the connection string of an EventStoreDB, such as
	// esdb://user:password@a,b,c. Default: an embedded store in the data
	// directory. It may be away at the start, and later.
	Store string `koanf:"store"`
	// EsdbAddr is a HOST:PORT of this machine where clients of EventStoreDB may
	// read, but not write, the embedded event store: all of it, whoever they
	// are. Default: nowhere.
	EsdbAddr string `koanf:"esdb-addr"`
	// PublicURL is how people reach this system: links in messages begin with
	// it. Default: http:// and the listener's address.
	PublicURL string `koanf:"public-url"`
	// Dev runs the local issuer and the mailbox, and trusts that issuer.
	Dev bool `koanf:"-"`

	Keys     Keys     `koanf:"keys"`
	NATS     NATS     `koanf:"nats"`
	Identity Identity `koanf:"identity"`
	Mail     Mail     `koanf:"mail"`
	Stripe   Stripe   `koanf:"stripe"`
	Limits   Limits   `koanf:"limits"`
	Webhooks Webhooks `koanf:"webhooks"`

	// Prepared is closed by the caller once all is there that it begins with, such
	// as a demo company: until then /readyz says no. Nil waits for nothing.
	Prepared <-chan struct{} `koanf:"-"`

	// WriteOnly takes commands and keeps no read model, publishes nothing and
	// carries out no effect: the write side by itself, for measuring it.
	WriteOnly bool `koanf:"-"`

	// OpenStore opens the event store, which the system closes; nil means as
	// Store says.
	OpenStore func(context.Context) (eventstore.Store, error) `koanf:"-"`

	// FS is where the embedded event store's files are; nil means the operating system's.
	FS vfs.FS `koanf:"-"`

	// CacheStates is how many folded accounts are kept in memory; 0 means 65,536.
	CacheStates int `koanf:"cache-states"`

	Version httpapi.Version  `koanf:"-"`
	Log     zerolog.Logger   `koanf:"-"`
	Now     func() time.Time `koanf:"-"` // required
	// Clock is a clock that can be moved, of which Now is the time; in
	// development only. Nil means that time cannot be moved.
	Clock *testclock.Clock `koanf:"-"`
	// Moved is called when Clock was moved, before that is answered; nil for nobody.
	Moved  func(*System) error `koanf:"-"`
	Getenv func(string) string `koanf:"-"` // for OpenTelemetry's own variables; nil for none
	// Tracing makes the spans; nil means as OpenTelemetry's variables say.
	Tracing trace.TracerProvider `koanf:"-"`
}

// Keys says where the root key of personal data comes from.
type Keys struct {
	// RootFile holds the root key as 64 hex digits, readable by its owner
	// alone. Default: root.key in the data directory, made on the first start.
	RootFile string `koanf:"root-file"`
}

// NATS says where the bus is.
type NATS struct {
	URL         string `koanf:"url"`         // default: an embedded server
	Credentials string `koanf:"credentials"` // file
}

// Identity says whose access tokens are believed. In development it is the
// local issuer.
type Identity struct {
	Issuer      string `koanf:"issuer"`
	Audience    string `koanf:"audience"` // default "konto"
	JWKSURL     string `koanf:"jwks-url"` // default: from the issuer's discovery document
	TenantClaim string `koanf:"tenant-claim"`
	RolesClaim  string `koanf:"roles-claim"`
}

// Mail says how messages leave. In development it is the local mailbox.
type Mail struct {
	Addr        string `koanf:"addr"` // SMTP server, HOST:PORT
	TLS         string `koanf:"tls"`  // "starttls" (default), "implicit" or "none"
	Username    string `koanf:"username"`
	Password    string `koanf:"password"`
	From        string `koanf:"from"` // such as Konto <konto@example.com>
	SMSDomain   string `koanf:"sms-domain"`
	VoiceDomain string `koanf:"voice-domain"`
}

// Stripe says how Stripe's webhooks are verified.
type Stripe struct {
	Secrets []string `koanf:"secrets"` // signing secrets; none closes the inlet
}

// Limits hold callers to how much they may ask.
type Limits struct {
	// CustomerRequests is how many requests a minute each tenant may send about
	// customers; default 500.
	CustomerRequests int `koanf:"customer-requests"`
}

// Webhooks say how other systems are called.
type Webhooks struct {
	// Insecure allows calls without TLS, and to addresses that are not public:
	// for development, where it is the default.
	Insecure bool `koanf:"insecure"`
}

// Validate reports the first field that cannot be used, and fills in defaults.
func (c *Config) Validate() error {
	switch {
	case c.Data == "":
		return errors.New("data: want a directory")
	case c.Now == nil:
		return errors.New("now: want a clock")
	case c.Clock != nil && !c.Dev:
		return errors.New("clock: time is moved in development only")
	case c.Limits.CustomerRequests < 0:
		return fmt.Errorf("limits.customer-requests: %d is less than one request a minute", c.Limits.CustomerRequests)
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8080"
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return fmt.Errorf("addr: %q is not HOST:PORT", c.Addr)
	}
	if c.Store != "" {
		if err := esdb.Check(c.Store); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	if err := CheckEsdbAddr(c.EsdbAddr, c.Store); err != nil {
		return err
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" {
			return fmt.Errorf("public-url: %q is not an absolute URL", c.PublicURL)
		}
	}
	if c.Keys.RootFile == "" {
		c.Keys.RootFile = filepath.Join(c.Data, "root.key")
	}
	if c.Identity.Audience == "" {
		c.Identity.Audience = "konto"
	}
	if c.Getenv == nil {
		c.Getenv = func(string) string { return "" }
	}
	if c.Dev {
		c.Webhooks.Insecure = true
		return nil
	}
	switch {
	case c.Identity.Issuer == "":
		return errors.New("identity.issuer: want the URL of the OpenID Connect issuer whose tokens are believed (konto dev runs one)")
	case c.Mail.Addr == "":
		return errors.New("mail.addr: want the HOST:PORT of the SMTP server that messages leave through (konto dev runs a mailbox)")
	case c.Mail.From == "":
		return errors.New("mail.from: want the mailbox that messages come from, such as Konto <konto@example.com>")
	}
	return nil
}
