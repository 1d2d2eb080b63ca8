package esdb

// Exported for tests.
var (
	CurrentOf = currentOf
	Parse     = func(text string) error {
		_, err := parse(text)
		return err
	}
	Address = func(text string) string {
		s, _ := parse(text)
		return s.address
	}
)
