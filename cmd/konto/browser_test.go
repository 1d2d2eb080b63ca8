package main

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestPages opens the API page and the mailbox of konto dev in Chromium, in
// the light and the dark theme: they show what they are for, ask nobody but
// konto for anything, and break none of their own content policy. It is
// skipped where there is no Chromium.
func TestPages(t *testing.T) {
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium")
	}
	base := devServer(t)
	browser, stop := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(chromedp.ExecPath(chromium), chromedp.NoSandbox))
	defer stop()
	tab, cancel := context.WithTimeout(browser, 4*patience) // every page in each theme
	defer cancel()
	seen := &complaints{base: base}
	if err := chromedp.Listen(tab, seen.watch); err != nil {
		t.Fatal(err)
	}
	for _, theme := range []string{"light", "dark"} {
		shows := func(path, script string, wants ...string) {
			t.Helper()
			err := chromedp.Do(tab, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
				_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
				})
				return err
			}), chromedp.Navigate(base+path))
			if err != nil {
				t.Fatalf("%s, %s: %v", path, theme, err)
			}
			text, err := chromedp.Run(tab, chromedp.Poll[string](script))
			if err != nil {
				t.Errorf("%s, %s: %s: %v", path, theme, script, err)
			}
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("%s, %s: %s is %q, want %q", path, theme, script, text, want)
				}
			}
		}
		shows("/-/mail", `document.body.innerText`, "Kortet som slutar på 4242 har lagts till")
		shows("/-/mail/1", `document.querySelector("iframe").srcdoc`, "4242")
		const page = `document.querySelector("rapi-doc")`
		if theme == "light" { // Chromium takes seconds to draw all of it, so once
			shows("/docs", `((text) => text.includes("by the gateway's token") && `+page+`.getAttribute("theme") + text)(`+page+`.shadowRoot.textContent)`,
				"light", "What differs between two moments of an account")
		} else {
			shows("/docs", page+`.getAttribute("theme")`, theme)
		}
	}
	if trouble := seen.String(); trouble != "" {
		t.Errorf("the browser complains:\n%s", trouble)
	}
}

// devServer runs konto dev until the test ends and returns its address.
func devServer(t *testing.T) string {
	t.Helper()
	p := startDev(t, "demo")
	t.Cleanup(p.stop)
	return p.url
}

// complaints are requests to other hosts, exceptions, and what a page does
// against its content policy.
type complaints struct {
	base string
	mu   sync.Mutex
	text strings.Builder
}

func (c *complaints) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

func (c *complaints) watch(event any) {
	line := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, c.base) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "about:") {
			line = "asks for " + u
		}
	case *runtime.EventExceptionThrown:
		line = e.ExceptionDetails.Text
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			line = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if line != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.text.WriteString(line + "\n")
	}
}
