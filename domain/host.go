package domain

import "strings"

// Within reports whether a host is a mail domain or one below it. Both are
// A-labels in lower case; no host is within an empty domain.
func Within(host, name string) bool {
	return name != "" && (host == name || strings.HasSuffix(host, "."+name))
}
