package policy

import (
	"slices"

	"konto/domain"
)

// Reader says what an actor may read whom Grant lets pass.
type Reader struct {
	Grant
	Categories []string
	Personal   []string // the categories in which personal values are shown
}

// ReadNeeds implements [domain.Reading].
func (Rules) ReadNeeds(l domain.Look) []domain.Need {
	s := beholder(l)
	if s.Category == "rel" && s.in(OwnTenant) {
		return []domain.Need{domain.Of[Relation](s.ID)}
	}
	if (s.Category == "admin" || s.Category == "secinfo") && s.ID != "" && s.ID != s.Actor.ID && s.in(OwnTenant) {
		return []domain.Need{domain.Of[Entrusted](s.ID)}
	}
	return s.partnership()
}

// Read implements [domain.Reading]. Somebody who may read for several reasons
// sees what the best of them shows.
func (t Rules) Read(l domain.Look) (domain.Sight, error) {
	s := beholder(l)
	var sight domain.Sight
	may := false
	for _, r := range t.Readers {
		if slices.Contains(r.Categories, l.Category) && s.in(r.Scope) && r.has(l.Actor) {
			may = true
			sight.Personal = sight.Personal || slices.Contains(r.Personal, l.Category)
		}
	}
	if !may {
		return domain.Sight{}, NotFound(l.Category)
	}
	return sight, nil
}

func beholder(l domain.Look) standing {
	return standing{Category: l.Category, ID: l.ID, Owner: l.Owner, Actor: l.Actor, At: l.At, Facts: l.Facts}
}
