package domain

// Cautioner is a command that has consequences which a person should know of
// before and after they send it, such as that somebody signs in with another
// name from now on. The answer to the command lists them, also that of a dry
// run, which is where a caller reads them first.
type Cautioner interface {
	// Cautions returns the consequences. It must be pure.
	Cautions() []Caution
}

// Caution is a consequence that surprises people.
type Caution struct {
	Code   string `json:"code"`   // stable, kebab-case
	Detail string `json:"detail"` // for people; no personal data
}
