// Package client calls a Konto over HTTP: what the command line, the demo and
// the benchmarks use.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Client calls one Konto as one caller. It is safe for concurrent use.
type Client struct {
	Base  string       // URL without a trailing slash
	Token string       // access token; empty for none
	HTTP  *http.Client // nil means http.DefaultClient
}

// Command is a command to send.
type Command struct {
	Collection string // such as "cards"
	ID         string // of the account
	Name       string // such as "AddCard"
	Body       any    // marshalled to JSON; a json.RawMessage goes as it is
	Key        string // Idempotency-Key; empty for none
	IfMatch    *int64 // the revision that the caller saw; nil for none
	Merge      bool   // carry it out also if others changed what it does not touch since then
	Reason     string
	DryRun     bool
}

// Accepted is the answer to a command.
type Accepted struct {
	Stream   string `json:"stream"`
	Revision int64  `json:"revision"`
	Position string `json:"position"`
	Events   []struct {
		ID   string          `json:"id"`
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"` // dry runs only
	} `json:"events"`
	Replayed bool     `json:"replayed"`
	Merged   []Change `json:"merged"` // what others changed since IfMatch
	// WebhookSecret signs an endpoint's calls, and is given once.
	WebhookSecret string `json:"webhookSecret"`
	// Cautions are consequences that people should know of.
	Cautions []Caution `json:"cautions"`
	// Of a dry run only: what would follow, and how the authorization got there.
	Effects []Effect        `json:"effects"`
	Trace   []Ruling        `json:"trace"`
	Raw     json.RawMessage `json:"-"` // the whole answer
}

// Caution is a consequence of a command that people should know of.
type Caution struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Effect is something that would follow from a command.
type Effect struct {
	Kind     string `json:"kind"` // "notice" or "command"
	To       string `json:"to"`
	Name     string `json:"name"`
	Channel  string `json:"channel"`
	AfterSec int64  `json:"afterSeconds"`
}

// Ruling is one check of the authorization.
type Ruling struct {
	Check  string `json:"check"`
	Passed bool   `json:"passed"`
	Why    string `json:"why"`
}

// Problem is what the API refused with (RFC 9457).
type Problem struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Rule    string `json:"rule"`
	Because struct {
		Says     string `json:"says"`
		Page     string `json:"page"`
		Sentence struct {
			ID   string `json:"id"`
			Says string `json:"says"`
		} `json:"sentence"`
	} `json:"because"`
	WhoMay    []string `json:"whoMay"`
	Instead   string   `json:"instead"`
	InsteadBy []string `json:"insteadBy"`
	RequestID string   `json:"requestId"`
	Errors    []struct {
		Pointer   string `json:"pointer"`
		Parameter string `json:"parameter"`
		Code      string `json:"code"`
		Detail    string `json:"detail"`
		Rule      string `json:"rule"`
		Instead   string `json:"instead"`
	} `json:"errors"`
	Facts struct {
		Revision *int64 `json:"revision"` // of the account now, if the caller has to name it
	} `json:"facts"`
	Changes []Change        `json:"changes"` // of an account that has moved on
	Raw     json.RawMessage `json:"-"`       // the whole problem
}

// Change is a field that somebody changed after the caller looked.
type Change struct {
	Field    string          `json:"field"` // JSON pointer
	Before   json.RawMessage `json:"before"`
	After    json.RawMessage `json:"after"`
	Conflict bool            `json:"conflict"` // the caller's command is about it, too
	By       string          `json:"by"`       // ID of an actor
	At       time.Time       `json:"at"`
	Revision int64           `json:"revision"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Send sends a command. A refusal is a [*Problem].
func (c *Client) Send(ctx context.Context, cmd Command) (Accepted, error) {
	body, err := json.Marshal(cmd.Body)
	if err != nil {
		return Accepted{}, fmt.Errorf("%s: %w", cmd.Name, err)
	}
	path := "/v1/" + cmd.Collection + "/" + cmd.ID + "/" + cmd.Name
	if cmd.DryRun {
		path += "?dry-run=true"
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if cmd.Key != "" {
		header.Set("Idempotency-Key", cmd.Key)
	}
	if cmd.IfMatch != nil {
		header.Set("If-Match", `"`+strconv.FormatInt(*cmd.IfMatch, 10)+`"`)
	}
	if cmd.Merge {
		header.Set("Prefer", "handling=lenient")
	}
	if cmd.Reason != "" {
		header.Set("Konto-Reason", url.PathEscape(cmd.Reason))
	}
	answer, err := c.Do(ctx, http.MethodPost, path, header, body)
	if err != nil {
		return Accepted{}, err
	}
	accepted := Accepted{Raw: answer}
	return accepted, json.Unmarshal(answer, &accepted)
}

// Get reads a resource into out, a pointer. A refusal is a [*Problem].
func (c *Client) Get(ctx context.Context, path string, out any) error {
	answer, err := c.Do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 20

// Do sends a request and returns the answer's body. An answer that is not a
// 2xx is a [*Problem], also one that is none by its form.
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body []byte) (json.RawMessage, error) {
	res, err := c.Open(ctx, method, path, header, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}

// Open is Do for answers that are read as they come. The caller closes the body.
func (c *Client) Open(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	h := c.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	res, err := h.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the URL is in our own words below
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			err = fmt.Errorf("%w: %w", ErrNobody, err)
		}
		return nil, fmt.Errorf("%s %s%s: %w", method, c.Base, path, err)
	}
	if res.StatusCode < http.StatusMultipleChoices {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	return nil, problem(res)
}

// ErrNobody says that nobody listens where a client calls.
var ErrNobody = errors.New("nobody listens there")

func problem(res *http.Response) error {
	p := &Problem{Status: res.StatusCode, Title: http.StatusText(res.StatusCode)}
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("answer %d: %w", res.StatusCode, err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") && json.Unmarshal(raw, p) == nil {
		p.Raw = raw
		return p
	}
	p.Code, p.Detail = "http-"+strconv.Itoa(res.StatusCode), res.Status
	p.Raw, _ = json.Marshal(p) //nolint:errchkjson // strings and numbers marshal
	return p
}
