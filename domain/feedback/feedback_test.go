package feedback_test

import (
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/feedback"
)

func TestFeedback(t *testing.T) {
	t.Parallel()
	said := func(helpful bool, text string) []Event {
		e := FeedbackSubmitted{Helpful: helpful}
		if text != "" {
			e.Text = domain.About("f1", text)
		}
		return []Event{e}
	}
	var cases []domaintest.Case[Feedback]
	row := func(name string, given []Event, when SubmitFeedback, then []Event, err error) {
		cases = append(cases, domaintest.Case[Feedback]{Name: name, Given: given, When: when, Meta: Meta{ID: "f1", Tenant: "contoso"}, Then: then, Err: err})
	}
	row("C12: it helped", nil, SubmitFeedback{Helpful: true}, said(true, ""), nil)
	row("C12: it did not, and why", nil, SubmitFeedback{Text: " Where is step 3? "}, said(false, "Where is step 3?"), nil)
	row("C12: the same again", said(true, "Thanks"), SubmitFeedback{Helpful: true, Text: "Thanks"}, nil, nil)
	row("C12: another answer", said(true, "Thanks"), SubmitFeedback{Text: "Thanks"}, nil, ErrSubmitted)
	row("C12: another text", said(true, "Thanks"), SubmitFeedback{Helpful: true, Text: "No"}, nil, ErrSubmitted)
	row("C12: 255 characters", nil, SubmitFeedback{Text: strings.Repeat("å", 255)}, said(false, strings.Repeat("å", 255)), nil)
	row("C12: 256 characters", nil, SubmitFeedback{Text: strings.Repeat("å", 256)}, nil, ErrText)
	row("C12: two lines", nil, SubmitFeedback{Text: "a\nb"}, said(false, "a\nb"), nil)
	row("C12: a control character", nil, SubmitFeedback{Text: "a\x00b"}, nil, ErrText)
	row("C12: a text that turns what follows", nil, SubmitFeedback{Text: "a\u202eb"}, nil, ErrText)
	for _, text := range []string{
		"write to ann@contoso.se", "ann@home", "call 070-174 06 05", "+46 (70) 1740605", "2012 3456 ok", "card 4242 4242 4242 4242",
		"4242424242424242", "4242-4242-4242-4242", "٠٧٠١٧٤٠٦٠٥",
	} {
		row("C12: contact data: "+text, nil, SubmitFeedback{Text: text}, nil, ErrContact)
	}
	for _, text := range []string{"step 3 of 12", "error 404", "in 2024 it was @ the top", "903 26 is my city"} {
		row("C12: no contact data: "+text, nil, SubmitFeedback{Helpful: true, Text: text}, said(true, text), nil)
	}
	domaintest.Run(t, Aggregate, cases)
}
