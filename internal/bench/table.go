package bench

import (
	"fmt"
	"io"
)

// Table writes the report for people: columns separated by tabs, for a
// tabwriter.
func (r Report) Table(w io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("%s/%s, %d cores, %s", r.Machine.OS, r.Machine.Arch, r.Machine.Cores, r.Machine.Go)
	if c := r.Commands; c != nil {
		c.table(line)
	}
	if i := r.Idle; i != nil {
		line("\nNOTHING ELSE TO DO\tP50 ms\tP99 ms\tMAX ms\tN")
		row := func(name string, s Spread) { line("%s\t%.2f\t%.2f\t%.2f\t%d", name, s.P50, s.P99, s.Max, s.N) }
		row("command", i.Command)
		row("accepted → visible to a query", i.Visible)
		row("declined charge → mail server has the alert", i.Mail)
		line("an empty system serves after %.0f ms", i.StartMS)
	}
	if e := r.Engine; e != nil {
		line("\nEVENT STORE, IN PROCESS\tAPPENDS/s\tP50 ms\tP99 ms\tPER SYNC\tOTHERS' CPU")
		line("write and sync a file, 1 writer\t%.0f\t%.2f\t%.2f\t1.0\t%.1f", e.Sync.PerSecond, e.Sync.Latency.P50, e.Sync.Latency.P99, e.Sync.CPU.Others)
		for _, c := range e.Appends {
			line("%d writers\t%.0f\t%.2f\t%.2f\t%.1f\t%.1f", c.Writers, c.PerSecond, c.Latency.P50, c.Latency.P99, c.PerSync, c.CPU.Others)
		}
		line("reads, events/s: $all %.0f, one stream %.0f, streams of %d %.0f", e.ReadAll, e.ReadStream, shortStream, e.ReadShort)
	}
	if p := r.Replay; p != nil {
		line("\nREPLAY OF ONE ACCOUNT\t%d events of a %s in %.1f ms", p.Events, p.Account, p.ReplayMS)
		line("one after the other, µs/event\tread %.2f, open %.2f, metadata %.2f, decode %.2f, fold %.2f", p.ReadUS, p.OpenUS, p.MetaUS, p.DecodeUS, p.FoldUS)
	}
	if b := r.Rebuild; b != nil {
		line("\nREBUILD OF %d READ MODELS\t%d events of %d accounts in %.1f s: %.0f events/s, peak %.0f MB, others' CPU %.1f",
			b.Models, b.Events, b.Accounts, b.Seconds, b.PerSecond, b.PeakMB, b.CPU.Others)
	}
}

func (c *CommandReport) table(line func(string, ...any)) {
	line("\n%s.", c.Command)
	line("%d accounts; load in the same process; the ceiling is a bare net/http server with the same bytes.", c.Accounts)
	line("\nEVERYTHING ON\tCOMMANDS/s\tP50 ms\tP99 ms\tVISIBLE P50 ms\tP99 ms\tBACKLOG\tDRAINED ms\tCEILING/s\tRATIO\tCPU µs\tOTHERS' CPU")
	for _, x := range c.Full {
		line("%d callers\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t%.0f\t%.0f\t%.2f\t%.0f\t%.1f", x.Callers, x.PerSecond, x.Latency.P50, x.Latency.P99,
			x.Visible.P50, x.Visible.P99, *x.Backlog, *x.Drained, x.Ceiling.PerSecond, x.Ratio, x.CPUMicros(), x.CPU.Others)
	}
	line("peak memory %.0f MB, load included; %d commands in the history at the end", c.PeakMB, c.Events)
	line("\nREAD SIDE STOPPED\tCOMMANDS/s\tP50 ms\tP99 ms\tCEILING/s\tRATIO\tCPU µs\tOTHERS' CPU")
	for _, x := range c.Write {
		line("%d callers\t%.0f\t%.2f\t%.2f\t%.0f\t%.2f\t%.0f\t%.1f", x.Callers, x.PerSecond, x.Latency.P50, x.Latency.P99,
			x.Ceiling.PerSecond, x.Ratio, x.CPUMicros(), x.CPU.Others)
	}
}
