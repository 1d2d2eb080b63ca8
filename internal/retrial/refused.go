package retrial

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"konto/domain/rejection"
	"konto/eventstore"
	"konto/internal/envelope"
)

// refusals are the recorded refusals of commands that left no event behind, by
// command ID. One that did is replayed with its events, and is not counted.
type refusals map[string]Refusal

func (f refusals) replayed(command string) { f[command] = Refusal{} }

// add counts rec if it is a refusal that q asks about.
func (f refusals) add(rec eventstore.Recorded, q Question) error {
	category, _, _ := envelope.Split(rec.Stream)
	if category != rejection.Aggregate.Category() || rec.At.Before(q.From) || !bytes.Contains(rec.Meta, []byte(`"`+q.Policy+`":`)) {
		return nil
	}
	m, err := envelope.ParseMeta(rec.Meta)
	if err != nil {
		return err
	}
	if _, there := f[m.Command]; there || m.PolicyVersions[q.Policy] == 0 || q.Tenant != "" && m.Tenant != q.Tenant {
		return nil
	}
	var e rejection.CommandRejected // holds nothing that is sealed
	if err := json.Unmarshal(rec.Data, &e); err != nil {
		return fmt.Errorf("%s: %w", rec.Stream, err)
	}
	f[m.Command] = Refusal{Command: e.CommandType, Rule: e.RuleID, Code: e.ProblemType}
	return nil
}

// list returns the refusals by command, rule and code, the most frequent
// first, and how many there are.
func (f refusals) list() (all []Refusal, total int) {
	count := map[Refusal]int{}
	for _, r := range f {
		if r != (Refusal{}) {
			count[r]++
			total++
		}
	}
	all = make([]Refusal, 0, len(count))
	for r, n := range count {
		r.Commands = n
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Refusal) int {
		return cmp.Or(b.Commands-a.Commands, cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Command, b.Command), cmp.Compare(a.Code, b.Code))
	})
	return all, total
}
