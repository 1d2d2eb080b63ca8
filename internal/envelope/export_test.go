package envelope

// Encode is encode, for tests.
func (m Meta) Encode() ([]byte, error) { return m.encode() }
