package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"konto/eventstore/storetest"
)

// nodes is the key of a script's embedded nodes: the connection strings by
// data directory.
type nodes struct{}

// onNode adds to the arguments of konto dev and konto serve where their event
// store is, if KONTO_TEST_STORE says that it is a node: one for each data
// directory, which runs until the script ends.
func onNode(ts *testscript.TestScript, args []string) []string {
	if storetest.Embedded() || len(args) < 2 || args[0] != "konto" || args[1] != "dev" && args[1] != "serve" ||
		ts.Getenv("KONTO_STORE") != "" || slices.Contains(args, "--store") {
		return args
	}
	data := ts.Getenv("KONTO_DATA")
	if i := slices.Index(args, "--data"); i >= 0 && i+1 < len(args) {
		data = args[i+1]
	}
	data = ts.MkAbs(data)
	all := ts.Value(nodes{}).(map[string]string)
	if all[data] == "" {
		ts.Check(os.MkdirAll(data, 0o700)) // as konto would
		connection, end, err := storetest.Node(context.Background(), data, "127.0.0.1:0")
		ts.Check(err)
		ts.Defer(func() { _ = end() }) // the script has seen what it wanted
		all[data] = connection
	}
	return append(slices.Clone(args), "--store", all[data])
}

// condition knows [embedded]: scripts run with the embedded store.
func condition(name string) (bool, error) {
	if name == "embedded" {
		return storetest.Embedded(), nil
	}
	return false, fmt.Errorf("there is no condition %s", name)
}

// address sets a variable to a HOST:PORT where nothing listens yet:
//
//	address NAME
func address(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: address NAME")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}
