// Package rejection models what was refused to an organization's people: which
// command, by which rule, to whom. It holds neither the command's body nor
// anything personal, so that auditors see attempts without seeing what was
// attempted with. The aggregate's ID is the tenant's.
//
// Nobody sends a command here: whoever carries commands out records refusals
// directly, when there is time, and not all of them if somebody tries the same
// again and again. No decision depends on it.
package rejection

import "konto/domain"

// Aggregate is the contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"rejections", "rejections",
	domain.Records[CommandRejected]("CommandRejected"),
)

// Rejections are a tenant's.
type Rejections struct {
	Count int `json:"count"`
}

// CommandRejected records that a command was refused.
type CommandRejected struct {
	Category    string `json:"category"`    // of the aggregate
	CommandType string `json:"commandType"` // wire name
	RuleID      string `json:"ruleId,omitempty"`
	// RuleIDs are the rules that refused, each once, where there were several causes.
	RuleIDs     []string `json:"ruleIds,omitzero"`
	ProblemType string   `json:"problemType"` // the refusal's code; "several-problems" for several
}

// Evolve implements [domain.Event].
func (CommandRejected) Evolve(r *Rejections) { r.Count++ }
