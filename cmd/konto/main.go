// Command konto keeps the accounts that a business runs on: contacts that
// recover an account, cards that pay, what a partner may change. `konto dev`
// runs all of it on this machine; `konto help` lists the rest.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	code := run(ctx, os.Args[1:], environment{os.Stdin, os.Stdout, os.Stderr, os.Getenv})
	stop()
	os.Exit(code)
}

// environment is what the program gets from outside besides its arguments.
type environment struct {
	stdin  io.Reader
	stdout io.Writer // data, and nothing else
	stderr io.Writer // everything else
	getenv func(string) string
}

// run is the program: it returns its exit code.
func run(ctx context.Context, args []string, env environment) int {
	a := &app{environment: env, end: func() {}}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(env.stdin)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	defer a.end()
	if err != nil && cmd == root {
		err = usage(oneLine(err)) // root does nothing by itself: it did not understand
	}
	if err != nil && wantsJSON(args) {
		a.output = "json" // also when the flags were not understood
	}
	return a.exit(ctx, err)
}
