// Package feedback models what people say of a page: whether it helped, and a
// short text. Each is a stream of its own and is never kept with an account
// (C12).
//
// Guaranteed: no text is taken that holds a mail address, a phone number or a
// card number, as far as those can be told from other text. The text is sealed
// under the feedback's own ID, so that it can be erased alone.
package feedback

import (
	"regexp"
	"strings"

	"konto/domain"
)

// Event is a fact about feedback.
type Event = domain.Event[Feedback]

// Meta is what a decision may know besides the feedback and the command.
type Meta = domain.Meta

// Aggregate is the feedback's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"feedback", "feedback",
	domain.Accepts[SubmitFeedback]("SubmitFeedback", domain.Summary("Say whether a page helped; without contact data, please")),

	domain.Records[FeedbackSubmitted]("FeedbackSubmitted"),
)

// Feedback is what somebody said of a page.
type Feedback struct {
	Submitted bool                    `json:"submitted"`
	Helpful   bool                    `json:"helpful"`
	Text      domain.Personal[string] `json:"text,omitzero"`
}

// Rejections.
var (
	ErrText      = domain.Invalid("feedback-too-long", "the text has at most 255 characters, none of them a control character or an invisible one").ByRule("C12").At("/text")
	ErrContact   = domain.Invalid("feedback-with-contact-data", "leave out mail addresses, phone numbers and card numbers").ByRule("C12").At("/text")
	ErrSubmitted = domain.Conflict("feedback-submitted", "the feedback was given with another answer or text").ByRule("C12")
)

// maxText is the most characters of a text.
const maxText = 255

// SubmitFeedback says whether a page helped. The same again does nothing.
type SubmitFeedback struct {
	Helpful bool   `json:"helpful"`
	Text    string `json:"text,omitempty"`
}

// Decide implements [domain.Command].
func (c SubmitFeedback) Decide(f Feedback, m Meta) ([]Event, error) {
	text := strings.TrimSpace(c.Text)
	if domain.Blank(text) {
		text = ""
	}
	switch {
	case !domain.Text(text, maxText):
		return nil, ErrText
	case telling(text):
		return nil, ErrContact
	case f.Submitted && (f.Helpful != c.Helpful || f.Text.Value != text):
		return nil, ErrSubmitted
	case f.Submitted:
		return nil, nil
	}
	e := FeedbackSubmitted{Helpful: c.Helpful}
	if text != "" {
		e.Text = domain.About(m.ID, text)
	}
	return []Event{e}, nil
}

var (
	// mail is anything around an at sign: an address need not be one that works
	// to tell whose it is.
	mail = regexp.MustCompile(`[^\s@]@[^\s@]`)
	// digits are seven digits or more, however they are grouped: the shortest
	// numbers that reach a person, up to the longest of cards.
	digits = regexp.MustCompile(`\p{Nd}(?:[\p{Z}.\-/()]*\p{Nd}){6,}`)
)

// telling reports whether text holds a mail address or a number by which
// somebody could be called or charged.
func telling(text string) bool { return mail.MatchString(text) || digits.MatchString(text) }

// FeedbackSubmitted records what somebody said of a page.
type FeedbackSubmitted struct {
	Helpful bool                    `json:"helpful"`
	Text    domain.Personal[string] `json:"text,omitzero"` // about nobody but this feedback
}

// Evolve implements [domain.Event].
func (e FeedbackSubmitted) Evolve(f *Feedback) {
	*f = Feedback{Submitted: true, Helpful: e.Helpful, Text: e.Text}
}
