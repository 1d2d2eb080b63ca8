package place_test

import (
	"testing"

	"konto/internal/place"
)

func BenchmarkNewBook(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		place.NewBook()
	}
}

func BenchmarkVerdict(b *testing.B) {
	book, a := place.NewBook(), in("US", "WA", "Redmond", "98052")
	b.ReportAllocs()
	for b.Loop() {
		book.Verdict(a)
	}
}
