package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/smtp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"konto/internal/mailbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func clock() time.Time { return time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC) }

func start(t *testing.T, c mailbox.Config) *mailbox.Mailbox {
	t.Helper()
	c.Now = clock
	m, err := mailbox.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return m
}

// send hands a mail to m as any program would.
func send(m *mailbox.Mailbox, raw string, to ...string) error {
	return smtp.SendMail(m.Addr(), nil, "konto@konto.example", to, []byte(strings.ReplaceAll(raw, "\n", "\r\n")))
}

func mustSend(t *testing.T, m *mailbox.Mailbox, raw string, to ...string) {
	t.Helper()
	if err := send(m, raw, to...); err != nil {
		t.Fatalf("send: %v", err)
	}
}

func plain(id string) string {
	return "From: konto@konto.example\nSubject: Mail " + id + "\nMessage-ID: <" + id + "@konto.example>\n\nBody of " + id + "\n"
}

const multipart = `From: =?utf-8?q?Konto_=C3=85?= <konto@konto.example>
To: asa@contoso.example
Subject: =?utf-8?q?Kortet_nekades_=E2=80=93_=C3=A5tg=C3=A4rda?=
Message-ID: <m1@konto.example>
Content-Language: sv
X-Konto-Template: card_declined
X-Konto-Channel: mail
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hej =C3=85sa! =C3=96ppna https://konto.example/cards/1?a=3Db. Sedan =
https://konto.example/cards/1?a=3Db
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+SGVqICI8Yj7DhXNhPC9iPiI8L3A+PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==
--b--
`

func TestReceive(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	mustSend(t, m, multipart, "asa@contoso.example", "asa@home.example")
	got := m.Messages("")
	if len(got) != 1 {
		t.Fatalf("Messages = %d, want 1", len(got))
	}
	x := got[0]
	for field, v := range map[string][2]string{
		"ID": {x.ID, "1"}, "MessageID": {x.MessageID, "m1@konto.example"}, "From": {x.From, "Konto Å <konto@konto.example>"},
		"Subject": {x.Subject, "Kortet nekades – åtgärda"}, "Language": {x.Language, "sv"}, "Template": {x.Template, "card_declined"},
		"Channel": {x.Channel, "mail"}, "Problem": {x.Problem, ""}, "HTML": {x.HTML, `<p>Hej "<b>Åsa</b>"</p><script>alert(1)</script>`},
		"Text":       {strings.TrimSpace(x.Text), "Hej Åsa! Öppna https://konto.example/cards/1?a=b. Sedan https://konto.example/cards/1?a=b"},
		"Links":      {strings.Join(x.Links, " "), "https://konto.example/cards/1?a=b"},
		"Recipients": {strings.Join(x.Recipients, " "), "asa@contoso.example asa@home.example"},
	} {
		if v[0] != v[1] {
			t.Errorf("%s = %q, want %q", field, v[0], v[1])
		}
	}
	if x.Arrivals != 1 || !x.ReceivedAt.Equal(clock()) || x.Size != len(x.Raw) || len(x.Headers) != 9 {
		t.Errorf("got %d arrivals at %v, %d of %d bytes, %d headers", x.Arrivals, x.ReceivedAt, x.Size, len(x.Raw), len(x.Headers))
	}
	if y, ok := m.Message("1"); !ok || y.MessageID != x.MessageID {
		t.Errorf("Message(1) = %q, %t", y.MessageID, ok)
	}
	if _, ok := m.Message("2"); ok {
		t.Error("Message(2) exists")
	}
}

func TestRepeatIsAnArrival(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	mustSend(t, m, plain("a"), "one@x.example")
	mustSend(t, m, plain("b"), "one@x.example")
	mustSend(t, m, plain("a"), "one@x.example", "two@x.example")
	mustSend(t, m, "Subject: no id\n\nx\n", "one@x.example")
	mustSend(t, m, "Subject: no id\n\nx\n", "one@x.example")
	var got []string
	for _, x := range m.Messages("") {
		got = append(got, fmt.Sprintf("%s %s %d %s", x.ID, x.Subject, x.Arrivals, strings.Join(x.Recipients, ",")))
	}
	want := []string{
		"4 no id 1 one@x.example", "3 no id 1 one@x.example", "2 Mail b 1 one@x.example", "1 Mail a 2 one@x.example,two@x.example",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Messages = %q, want %q", got, want)
	}
	if n := m.Arrivals(); n != 5 {
		t.Errorf("Arrivals = %d, want 5", n)
	}
	if n := len(m.Messages(" TWO@ ")); n != 1 {
		t.Errorf("Messages(TWO@) = %d, want 1", n)
	}
}

func TestOldestGoesFirst(t *testing.T) {
	t.Parallel()
	big := func(id string) string { return plain(id) + strings.Repeat("x", 900) + "\n" }
	for _, c := range []struct {
		name string
		c    mailbox.Config
		want string
	}{
		{"by number", mailbox.Config{MaxMessages: 2}, "d c"},
		{"by size", mailbox.Config{MaxBytes: 2200}, "d c"},
		{"one too big for all is kept", mailbox.Config{MaxBytes: 10}, "d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := start(t, c.c)
			for _, id := range []string{"a", "b", "c", "d"} {
				mustSend(t, m, big(id), "x@x.example")
			}
			var got []string
			for _, x := range m.Messages("") {
				got = append(got, strings.TrimPrefix(x.Subject, "Mail "))
			}
			if s := strings.Join(got, " "); s != c.want || m.Arrivals() != 4 {
				t.Errorf("Messages = %s of %d arrivals, want %s of 4", s, m.Arrivals(), c.want)
			}
		})
	}
}

func TestTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{MaxMessageBytes: 1000})
	if err := send(m, plain("a")+strings.Repeat("x\n", 600), "x@x.example"); err == nil {
		t.Error("send = nil for a mail above the limit")
	}
	if n := m.Arrivals(); n != 0 {
		t.Errorf("Arrivals = %d, want 0", n)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	type result struct {
		x   mailbox.Message
		err error
	}
	twice := make(chan result, 1)
	asked := make(chan struct{}, 100)
	go func() {
		x, err := m.Wait(t.Context(), func(x mailbox.Message) bool {
			asked <- struct{}{}
			return x.Arrivals == 2
		})
		twice <- result{x, err}
	}()
	mustSend(t, m, plain("a"), "x@x.example")
	<-asked
	mustSend(t, m, plain("a"), "x@x.example")
	if r := <-twice; r.err != nil || r.x.Subject != "Mail a" {
		t.Errorf("Wait = %q, %v", r.x.Subject, r.err)
	}
	// What is already here is found as well.
	if x, err := m.Wait(t.Context(), func(mailbox.Message) bool { return true }); err != nil || x.ID != "1" {
		t.Errorf("Wait = %q, %v", x.ID, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Wait(ctx, func(mailbox.Message) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v, want canceled", err)
	}
}

func TestStartAndClose(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", "192.0.2.1:25", "example.com:25", "nonsense", "[::]:0"} {
		if m, err := mailbox.Start(t.Context(), mailbox.Config{Addr: addr, Now: clock}); err == nil {
			_ = m.Close()
			t.Errorf("Start(%s) = nil error, want only loopback to be allowed", addr)
		}
	}
	if _, err := mailbox.Start(t.Context(), mailbox.Config{}); err == nil {
		t.Error("Start without a clock = nil error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	m, err := mailbox.Start(ctx, mailbox.Config{Addr: ":0", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, m, plain("a"), "x@x.example")
	cancel()
	for range 2 {
		if err := m.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	if err := send(m, plain("b"), "x@x.example"); err == nil {
		t.Error("a closed mailbox accepts mail")
	}
	if n := len(m.Messages("")); n != 1 {
		t.Errorf("Messages after Close = %d, want 1", n)
	}
}

// A mailbox that is closed at once must not go on receiving.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		m, err := mailbox.Start(t.Context(), mailbox.Config{Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatalf("Close = %v", err)
		}
	}
}
