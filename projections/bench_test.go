package projections_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/projections"
)

// BenchmarkRebuild applies charge results of 1,000 invoices, in transactions of
// 4,096 events with prepared statements, as a rebuild does.
func BenchmarkRebuild(b *testing.B) {
	// The others do not handle charge results.
	for _, p := range []projections.Projection{projections.PaymentMethods, projections.DeclineExplanations, projections.AccountTimeline} {
		b.Run(p.Name, func(b *testing.B) { benchmarkRebuild(b, p) })
	}
	b.Run("all", func(b *testing.B) { benchmarkRebuild(b, projections.All...) })
}

func benchmarkRebuild(b *testing.B, ps ...projections.Projection) {
	b.Helper()
	db := open(b, ps...)
	h := startHistory(northwind)
	for i := range 100 {
		addCard(h, id(3, i), anna, "visa", 12, 2029)
	}
	db.apply(h.events...)
	const batch = 4096
	events := make([]domain.Recorded[any], batch)
	n := 0
	var used time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for i := range events {
			events[i] = chargeResult(h, n)
			n++
		}
		b.StartTimer()
		before := processorTime(b)
		db.apply(events...)
		used += processorTime(b) - before
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(n), "cpu-ns/event")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// chargeResult returns the nth event of a history in which each invoice is
// declined, declined again and paid.
func chargeResult(h *history, n int) domain.Recorded[any] {
	e := domain.Recorded[any]{
		ID: id(5, n/3), Category: "collection", Tenant: h.tenant, EventID: id(8, n), Type: "ChargeDeclined",
		Revision: int64(n % 3), Position: uint64(1000 + n), At: start.Add(time.Duration(n) * time.Millisecond),
		Actor: domain.Actor{ID: "stripe", Kind: domain.KindGateway}, Correlation: fmt.Sprintf("correlation-%d", n),
	}
	d := declinedWith("insufficient_funds", "", collection.Checks{Line1: "pass", Postal: "pass"}, n%3+1, e.At)
	d.CardID, d.ValidUntil = id(3, n/3%100), card.ValidUntil(12, 2029)
	e.Data = d
	if n%3 == 2 {
		e.Type = "ChargeSucceeded"
		e.Data = collection.ChargeSucceeded{SubscriptionID: mail, CardID: d.CardID, AmountMinor: 1, Currency: "SEK", Attempt: 3, At: e.At}
	}
	return e
}

// processorTime returns what the process has used, which a busy machine
// changes less than it changes the time that passes.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
