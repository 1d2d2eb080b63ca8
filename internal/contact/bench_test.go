package contact_test

import (
	"testing"

	"konto/internal/contact"
)

func BenchmarkPhone(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if !contact.Phone("SE", "070-174 06 05").Valid {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkMail(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if !contact.Mail("Ann.Berg+konto@Bücher.example").OK {
			b.Fatal("not ok")
		}
	}
}
