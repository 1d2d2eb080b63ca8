package node_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"konto/eventstore/node"
)

// TestDevCertificate checks that a certificate is kept, and replaced before it
// runs out.
func TestDevCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Now()
	start := func() string {
		cfg := config(t, node.Config{Dir: dir, DevTLS: true})
		cfg.Now = func() time.Time { return at }
		n, err := node.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = n.Close(context.Background()) }() // it served nobody
		cert, err := os.ReadFile(n.CertFile())
		if err != nil {
			t.Fatal(err)
		}
		return string(cert)
	}
	first := start()
	if start() != first {
		t.Error("a second start makes another certificate")
	}
	key, err := os.Stat(filepath.Join(dir, "tls-dev.key"))
	if err != nil || key.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v, %v, want 0600", key.Mode(), err)
	}
	at = at.Add(340 * 24 * time.Hour)
	if start() == first {
		t.Error("a month before its end the certificate is not replaced")
	}
	if err := os.WriteFile(filepath.Join(dir, "tls-dev.crt"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Open(t.Context(), config(t, node.Config{Dir: dir, DevTLS: true})); err == nil || !strings.Contains(err.Error(), "remove") {
		t.Errorf("Open() with a broken certificate = %v, want what to do about it", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := node.Config{Memory: true, Insecure: true, Now: time.Now, NewID: newID}
	for want, spoil := range map[string]func(*node.Config){
		"directory, or memory":  func(c *node.Config) { c.Memory = false },
		"and not both":          func(c *node.Config) { c.Dir = "x" },
		"want TLS":              func(c *node.Config) { c.Insecure = false },
		"want one of them":      func(c *node.Config) { c.DevTLS = true },
		"want both, or none":    func(c *node.Config) { c.CertFile = "x" },
		"addr: \"x\"":           func(c *node.Config) { c.Addr = "x" },
		"addr: \"x:y\"":         func(c *node.Config) { c.Addr = "x:y" },
		"advertise: \"x\"":      func(c *node.Config) { c.Advertise = "x" },
		"max-append-bytes: -1":  func(c *node.Config) { c.MaxAppendBytes = -1 },
		"max-event-bytes: 1677": func(c *node.Config) { c.MaxEventBytes = 16<<20 + 1 },
		"want Now and NewID":    func(c *node.Config) { c.Now = nil },
	} {
		cfg := good
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q", err, want)
		}
	}
	if err := good.Validate(); err != nil || good.Addr != node.DefaultAddr {
		t.Errorf("Validate() = %v with address %s, want nil and %s", err, good.Addr, node.DefaultAddr)
	}
}
