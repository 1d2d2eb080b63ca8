package bench

import (
	"fmt"
	"io"
	"slices"
)

// Figures that DESIGN.md asks for.
const (
	wantAppends     = 80_000
	wantWriters     = 256
	wantRatio       = 0.6
	wantAll         = 3_000_000
	wantStream      = 1_000_000
	wantShort       = 200_000
	wantAllClient   = 150_000
	wantStartMS     = 1000
	wantStartEvents = 1_000_000
	wantPeakMB      = 300
)

func atLeast(what string, want, have float64) Figure {
	return Figure{What: what, Want: want, Have: have, Reached: have >= want}
}

func atMost(what string, want, have float64) Figure {
	return Figure{What: what, Want: want, Have: have, Reached: have > 0 && have <= want, AtMost: true}
}

// figures are those that were measured.
func (r StoreReport) figures() []Figure {
	var out []Figure
	for _, s := range r.Stores {
		i := slices.IndexFunc(s.Appends, func(c StoreCell) bool { return c.Writers == wantWriters })
		switch s.Kind {
		case StoreEngine:
			if i >= 0 {
				out = append(out, atLeast("durable appends/s in process, 256 writers", wantAppends, s.Appends[i].PerSecond))
			}
			if s.Reads != nil {
				out = append(out, atLeast("events/s read of $all in process", wantAll, s.Reads.All),
					atLeast("events/s read of one stream in process", wantStream, s.Reads.Stream),
					atLeast("events/s read of short streams in process", wantShort, s.Reads.Short))
			}
		case StoreNode:
			if i >= 0 {
				out = append(out, atLeast("appends through the client, of a bare gRPC echo, 256 writers", wantRatio, s.Appends[i].Ratio))
			}
			if s.Reads != nil {
				out = append(out, atLeast("events/s read of $all through the client", wantAllClient, s.Reads.All))
			}
		case StorePostgres, StoreJetStream: // for comparison
		}
	}
	return out
}

// Table writes the report for people: columns separated by tabs, for a
// tabwriter.
func (r StoreReport) Table(w io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("%s/%s, %d cores, %s; events of about 600 bytes; every append is on disk when it returns.", r.Machine.OS, r.Machine.Arch, r.Machine.Cores, r.Machine.Go)
	line("write and sync a file, 1 writer: %.0f/s, P50 %.2f ms, P99 %.2f ms", r.Sync.PerSecond, r.Sync.Latency.P50, r.Sync.Latency.P99)
	line("\nAPPENDS\tWRITERS\tPER SECOND\tP50 ms\tP99 ms\tPER SYNC\tECHO/s\tOF ECHO\tUNSTORED/s\tOF UNSTORED\tCPU µs\tOTHERS' CPU")
	for _, s := range r.Stores {
		for _, c := range s.Appends {
			line("%s\t%d\t%.0f\t%.2f\t%.2f\t%.1f\t%s\t%s\t%.0f\t%.1f", s.Kind, c.Writers, c.PerSecond, c.Latency.P50, c.Latency.P99,
				c.PerSync, ceilingCells(c.Ceiling, c.Ratio), ceilingCells(c.Unstored, c.UnstoredRatio), c.CPUMicros(), c.CPU.Others)
		}
	}
	line("\nREADS, EVENTS/s\t$all\tUNSTORED/s\tOF UNSTORED\tONE STREAM\tSTREAMS OF %d\tPEAK MB", shortStream)
	for _, s := range r.Stores {
		if s.Reads != nil {
			var unstored *Rate
			if s.Reads.Unstored > 0 {
				unstored = &Rate{PerSecond: s.Reads.Unstored}
			}
			line("%s\t%.0f\t%s\t%.0f\t%.0f\t%.0f", s.Kind, s.Reads.All, ceilingCells(unstored, s.Reads.Ratio), s.Reads.Stream, s.Reads.Short, s.PeakMB)
		}
	}
	line("")
	for _, s := range r.Stores {
		if line("%s: %s", s.Kind, s.What); s.Left != "" {
			line("%s: NOT MEASURED: %s", s.Kind, s.Left)
		}
	}
	line("Peak memory is this process's, load included; PostgreSQL's own processes count as others' CPU and not as memory.")
	figureLines(line, r.Figures)
}

// ceilingCells are a ceiling and the ratio to it, or two empty cells.
func ceilingCells(ceiling *Rate, ratio float64) string {
	if ceiling == nil {
		return "\t"
	}
	return fmt.Sprintf("%.0f\t%.2f", ceiling.PerSecond, ratio)
}

func figureLines(line func(string, ...any), figures []Figure) {
	if len(figures) > 0 {
		line("\nFIGURES OF THE DESIGN\tWANT\tHAVE\t")
	}
	for _, f := range figures {
		sign, outcome := "≥", "reached"
		if f.AtMost {
			sign = "≤"
		}
		if !f.Reached {
			outcome = "NOT REACHED"
		}
		line("%s\t%s %s\t%s\t%s", f.What, sign, short3(f.Want), short3(f.Have), outcome)
	}
}

// short3 prints large numbers whole and small ones with two decimals.
func short3(f float64) string {
	if f >= 10 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// Table writes the report for people, as that of [StoreReport.Table].
func (r LargeReport) Table(w io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("%s/%s, %d cores, %s; %d events of about 600 bytes in streams of %d, in a node of its own", r.Machine.OS, r.Machine.Arch, r.Machine.Cores, r.Machine.Go, r.Events, largeStream)
	line("filled one by one in process:\t%.0f events/s", r.FillPerSecond)
	line("start until it serves, %d events:\t%.0f ms", r.StartEvents, r.StartMS)
	line("start until it serves, %d events:\t%.0f ms", r.Events, r.EndStartMS)
	line("memory of the node when it serves:\t%.0f MB", r.IdleMB)
	line("\nTHROUGH THE CLIENT, AT THE SAME TIME\tPER SECOND\tP50 ms\tP99 ms\tOTHERS' CPU, THE NODE'S INCLUDED")
	line("appends, %d writers\t%.0f\t%.2f\t%.2f\t%.1f", r.Writers, r.Appends.PerSecond, r.Appends.Latency.P50, r.Appends.Latency.P99, r.Appends.CPU.Others)
	line("events of $all, 1 reader\t%.0f", r.ReadAll)
	line("events of streams of %d, %d readers\t%.0f", largeStream, largeShort, r.ReadShort)
	line("largest memory of the node:\t%.0f MB", r.PeakMB)
	figureLines(line, r.LoadFigures)
}
