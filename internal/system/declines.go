package system

import (
	"encoding/json"
	"strings"

	"konto/domain/collection"
	"konto/internal/command"
)

// watchDeclines tells whoever runs Konto of decline codes that the taxonomy
// has no place for. Until somebody finds out what such a code means, the card
// is charged as after a bank's plain no, and its owner told to call the bank.
// The log has the code alone; GET /v1/unknown-decline-codes has how often each
// came.
func (s *System) watchDeclines(o command.Observation) {
	for _, e := range o.Events {
		if e.Type != "ChargeDeclined" {
			continue
		}
		var d collection.ChargeDeclined
		if err := json.Unmarshal(e.Data, &d); err != nil || !d.UnknownCode {
			continue // an event that cannot be read is the reactor's to report
		}
		s.metrics.UnknownDeclineCode()
		s.declines.Warn().Str("decline_code", plainCode(d.Code)).Msg("unknown decline code")
	}
}

// plainCode is a code as decline codes are spelled: at most 64 small letters,
// digits and underscores. Anything else in it is a question mark.
func plainCode(code string) string {
	const longest = 64
	if len(code) > longest {
		code = code[:longest]
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '?'
	}, code)
}
