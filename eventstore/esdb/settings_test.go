package esdb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/eventstoretest"
	embedded "konto/eventstore/node"
)

func TestConnectionStrings(t *testing.T) {
	t.Parallel()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text    string
		address string // "": refused
	}{
		{"esdb://localhost", "localhost:2113"},
		{"esdb://localhost:2114?tls=false", "localhost:2114"},
		{"esdb://admin:changeit@es.example:2113?tlsVerifyCert=false", "es.example:2113"},
		{"esdb://admin:changeit@a:1,b:2,c?nodePreference=follower", "a:1,b:2,c:2113"},
		{"esdb+discover://cluster.example?gossipTimeout=3&discoveryInterval=50&maxDiscoverAttempts=3", "cluster.example:2113"},
		{"esdb://h?keepAliveInterval=10000&keepAliveTimeout=-1&DEFAULTDEADLINE=500", "h:2113"},
		{"esdb://h?connectionName=konto", "h:2113"},
		{"kurrentdb://h:1?tls=false", "h:1"},
		{"kurrentdb+discover://h", "h:2113"},

		{"", ""},
		{"localhost:2113", ""},
		{"http://localhost:2113", ""},
		{"esdb://", ""},
		{"esdb://h/path", ""},
		{"esdb://h:port", ""},
		{"esdb://h?tls=perhaps", ""},
		{"esdb://h?tsl=false", ""},
		{"esdb://h?defaultDeadline=0", ""},
		{"esdb://h?defaultDeadline=soon", ""},
		{"esdb://h?nodePreference=nearest", ""},
		{"esdb://h?userCertFile=a.pem", ""},
		{"esdb://h?tlsCaFile=/does/not/exist", ""},
		{"esdb://h?tlsCaFile=" + ca, ""},
		{"esdb://user:se%cret@h", ""},
	} {
		err := esdb.Check(test.text)
		if got := esdb.Address(test.text); got != test.address || (err == nil) != (test.address != "") {
			t.Errorf("%s: address %q, %v, want %q", test.text, got, err, test.address)
		}
		if err != nil && strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: the error repeats the password: %v", test.text, err)
		}
	}
	if _, err := esdb.Open(esdb.Config{ConnectionString: "esdb://h"}); err == nil {
		t.Error("Open without a clock = nil")
	}
	if _, err := esdb.Open(esdb.Config{ConnectionString: "esdb:/", Now: time.Now}); err == nil {
		t.Error("Open with a malformed connection string = nil")
	}
}

func FuzzConnectionString(f *testing.F) {
	for _, text := range []string{"esdb://u:p@a:1,b:2?tls=false", "esdb+discover://h?gossipTimeout=1", "kdb://h?tlsverifycert=true", "esdb://%zz,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "tlscafile") {
			return // it would be read
		}
		if err := esdb.Check(text); err == nil && esdb.Address(text) == "" {
			t.Errorf("Check(%q) has no address", text)
		}
	})
}

// Credentials travel only with TLS; who has none is refused, and told so by
// the log before.
func TestCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n, err := embedded.Open(t.Context(), embedded.Config{
		Dir: dir, Addr: "127.0.0.1:0", DevTLS: true, Now: time.Now, NewID: func() eventstore.ID { return eventstore.ID(uuid.New()) }, Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(n.Close(t.Context()), <-served); err != nil {
			t.Error(err)
		}
	})
	at := n.Addr().String() + "?tlsCAFile=" + n.CertFile()
	stream, events := eventstoretest.Stream(), eventstoretest.Events(1)
	admin := open(t, esdb.Config{ConnectionString: "esdb://admin:changeit@" + at, Now: time.Now, Log: zerolog.Nop()})
	if _, err := admin.Append(within(t, 10*time.Second), stream, eventstore.NoStream, events...); err != nil {
		t.Errorf("Append as admin = %v", err)
	}
	holds(t, admin, stream, events)
	for _, who := range []string{"admin:wrong@", ""} {
		s := open(t, esdb.Config{ConnectionString: "esdb://" + who + at, Now: time.Now, Log: zerolog.Nop()})
		for name, call := range calls(s, stream) {
			if err := call(within(t, 10*time.Second)); !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), "refuses") {
				t.Errorf("%s as %q = %v, want %v, because of a refusal", name, who, err, eventstore.ErrUnavailable)
			}
		}
		for _, err := range s.Subscribe(within(t, 10*time.Second), eventstore.Position{}) {
			if !errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("Subscribe as %q = %v, want %v", who, err, eventstore.ErrUnavailable)
			}
		}
	}
	var log lines
	open(t, esdb.Config{ConnectionString: "esdb://admin:changeit@127.0.0.1:1?tls=false", Now: time.Now, Log: zerolog.New(&log)})
	if text := log.String(); !strings.Contains(text, "no credentials") || strings.Contains(text, "changeit") {
		t.Errorf("log = %s, want a warning that credentials are not sent, and no password", text)
	}
}

func TestCurrentRevision(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want eventstore.Revision
		ok   bool
	}{
		{"wrong expected version: expecting 'any' but got '7'", 7, true},
		{"wrong expected version: expecting '3' but got 'no_stream'", eventstore.NoStream, true},
		{"wrong expected version: expecting '3' but got '9223372036854775807'", eventstore.Last, true},
		{"wrong expected version: expecting '3' but got '99223372036854775807'", 0, false},
		{"wrong expected version", 0, false},
	} {
		got, ok := esdb.CurrentOf(errors.New(test.text))
		if ok != test.ok || ok && got != test.want {
			t.Errorf("CurrentOf(%q) = %d, %v, want %d, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}
