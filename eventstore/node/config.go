package node

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// DefaultAddr is the loopback address with EventStoreDB's port.
const DefaultAddr = "127.0.0.1:2113"

// Config says what a [Node] keeps, where, and for whom. One of Dir, Memory and
// Store is required, and one of Insecure, DevTLS and CertFile with KeyFile; so
// are Now and NewID. Field tags are the names of settings.
type Config struct {
	Dir    string `koanf:"data"` // directory of everything that the node keeps
	Memory bool   `koanf:"mem"`  // keep everything in memory; it is gone at the end
	// Store is served instead of one of the node's own, and not closed.
	Store *engine.Store `koanf:"-"`
	// ReadOnly refuses whatever changes something, also to admins, and does not
	// write by itself: a store without users gets none.
	ReadOnly bool `koanf:"read-only"`

	Addr string `koanf:"addr"` // HOST:PORT; port 0 picks one; default [DefaultAddr]
	// Advertise is the HOST:PORT that clients are told to dial, if that is not
	// where they have reached the node, such as behind a translated port.
	Advertise string `koanf:"advertise"`

	// Insecure serves plain text, asks nobody who they are and allows
	// everything to everybody who can reach the address.
	Insecure bool   `koanf:"insecure"`
	CertFile string `koanf:"tls-cert"` // PEM; read anew for each start
	KeyFile  string `koanf:"tls-key"`  // PEM
	// DevTLS makes a certificate for this machine in Dir, with TLS for trying.
	DevTLS bool `koanf:"tls-dev"`

	AllowAnonymous bool `koanf:"allow-anonymous"`  // see access.Config
	MaxAppendBytes int  `koanf:"max-append-bytes"` // of the events of one append, at most 16 MiB; 0 means 1 MiB
	MaxEventBytes  int  `koanf:"max-event-bytes"`  // of one event; 0 means MaxAppendBytes
	// PasswordIterations is access.Config's Iterations; 0 means what that means.
	PasswordIterations int `koanf:"-"`
	// Grace is how long a stop waits for calls under way; 0 means 1 s.
	Grace time.Duration `koanf:"-"`

	FS    vfs.FS               `koanf:"-"` // of Dir; nil means the operating system's
	Now   func() time.Time     `koanf:"-"`
	NewID func() eventstore.ID `koanf:"-"`
	Log   zerolog.Logger       `koanf:"-"`
}

// Validate reports the first field that cannot be used, and fills in defaults.
func (c *Config) Validate() error {
	if c.Now == nil || c.NewID == nil {
		return errors.New("node: want Now and NewID")
	}
	if c.Addr == "" {
		c.Addr = DefaultAddr
	}
	if c.Grace == 0 {
		c.Grace = time.Second
	}
	if count(c.Dir != "", c.Memory, c.Store != nil) != 1 {
		return errors.New("data, mem: want a directory, or memory, and not both")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return errors.New("tls-cert, tls-key: want both, or none")
	}
	switch count(c.Insecure, c.DevTLS, c.CertFile != "") {
	case 0:
		return errors.New("want TLS: tls-cert and tls-key, or tls-dev to try; insecure serves plain text to everybody who can reach it")
	case 1:
	default:
		return errors.New("insecure, tls-dev, tls-cert: want one of them")
	}
	if err := validAddress("addr", c.Addr); err != nil {
		return err
	}
	if c.Advertise != "" {
		if err := validAddress("advertise", c.Advertise); err != nil {
			return err
		}
	}
	const top = 16 << 20 // what the engine and the protocol carry
	if c.MaxAppendBytes < 0 || c.MaxAppendBytes > top {
		return fmt.Errorf("max-append-bytes: %d, want 1 to %d", c.MaxAppendBytes, top)
	}
	if c.MaxEventBytes < 0 || c.MaxEventBytes > top {
		return fmt.Errorf("max-event-bytes: %d, want 1 to %d", c.MaxEventBytes, top)
	}
	return nil
}

func validAddress(name, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is not HOST:PORT", name, address)
	}
	return nil
}

func count(all ...bool) int {
	n := 0
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}
