package tenant

import "slices"

// Variant is a cloud: the same product, run by others under other texts.
type Variant string

// The clouds that the product's pages tell apart.
const (
	Worldwide Variant = "worldwide"
	China     Variant = "21vianet" // run by 21Vianet
	Germany   Variant = "germany"  // closed to new organizations
)

// Variants are all clouds.
func Variants() []Variant { return []Variant{Worldwide, China, Germany} }

// SetCloudVariant records the cloud that the organization lives in. Texts that
// differ between clouds are chosen by it.
type SetCloudVariant struct {
	Variant Variant `json:"variant"`
}

// Decide implements [domain.Command].
func (c SetCloudVariant) Decide(t Tenant, _ Meta) ([]Event, error) {
	switch {
	case !t.Exists():
		return nil, ErrNotFound
	case !slices.Contains(Variants(), c.Variant):
		return nil, ErrVariant
	case t.Cloud() == c.Variant:
		return nil, nil
	}
	return []Event{CloudVariantSet{Old: t.Cloud(), New: c.Variant}}, nil
}

// CloudVariantSet records the cloud that the organization lives in.
type CloudVariantSet struct {
	Old Variant `json:"old"`
	New Variant `json:"new"`
}

// Evolve implements [domain.Event].
func (e CloudVariantSet) Evolve(t *Tenant) { t.Variant = e.New }
