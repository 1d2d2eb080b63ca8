package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"konto/internal/demo"
	"konto/internal/identity"
	receiver "konto/internal/mailbox"
)

// issuer starts an OpenID Connect issuer that is not konto's: $ISSUER is its
// URL, and issuer/NAME holds an access token for each person of the demo
// company:
//
//	issuer
func issuer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: issuer")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	dir := ts.MkAbs("issuer")
	ts.Check(os.MkdirAll(dir, 0o700))
	url := "http://" + l.Addr().String()
	i, err := identity.OpenIssuer(identity.IssuerConfig{URL: url, Audience: "konto", KeyFile: filepath.Join(dir, "key"), Now: now})
	ts.Check(err)
	server := &http.Server{Handler: i.Handler(), ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // until it is closed
	}()
	ts.Defer(func() {
		_ = server.Close() // what is still open ends with the script
		<-ended
	})
	for _, p := range demo.People() {
		token, err := i.Mint(p.Identity(), time.Hour)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, p.Name), []byte(token), 0o600))
	}
	ts.Setenv("ISSUER", url)
}

// smtpServer starts a mail server: $SMTP is its address. Checks whether a mail
// came, when it has been started:
//
//	smtp
//	smtp RECIPIENT TEXT
func smtpServer(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !neg && len(args) == 2 {
		box := ts.Value(mailServer{}).(*mailServer).box
		_, err := box.Wait(ctx, func(m receiver.Message) bool {
			return strings.Contains(strings.Join(m.Recipients, " "), args[0]) && strings.Contains(m.Subject+m.Text, args[1])
		})
		ts.Check(err)
		return
	}
	if neg || len(args) > 0 {
		ts.Fatalf("usage: smtp [RECIPIENT TEXT]")
	}
	box, err := receiver.Start(context.Background(), receiver.Config{Now: now})
	ts.Check(err)
	ts.Defer(func() { _ = box.Close() }) // it has no more to say
	ts.Value(mailServer{}).(*mailServer).box = box
	ts.Setenv("SMTP", box.Addr())
}

// mailServer is the script's mail server, and the key that it is kept under.
type mailServer struct{ box *receiver.Mailbox }
