package esdb

// Exported for tests.
var (
	CurrentOf = currentOf
	Address   = func(text string) string {
		s, _ := parse(text)
		return s.address
	}
)
