package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// passing reads a Go duration, or a number of days such as 90d. No command takes
// time in another way.
func passing(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err == nil && n <= math.MaxInt64/uint64(day) {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s: want a time that passes, such as 15m, 36h or 90d", s)
	}
	return d, nil
}

// passingFlag is a flag that takes what [passing] reads.
type passingFlag struct{ d *time.Duration }

// passingVar adds such a flag.
func passingVar(f *pflag.FlagSet, d *time.Duration, name string, otherwise time.Duration, help string) {
	*d = otherwise
	f.Var(passingFlag{d}, name, help)
}

// Set implements [pflag.Value].
func (p passingFlag) Set(s string) (err error) {
	*p.d, err = passing(s)
	return err
}

// String implements [pflag.Value]. Help shows no default that is "0".
func (p passingFlag) String() string {
	if p.d == nil || *p.d == 0 {
		return "0"
	}
	return p.d.String()
}

// Type implements [pflag.Value].
func (passingFlag) Type() string { return "duration" }
