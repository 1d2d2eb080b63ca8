//go:build race

package esdb_test

const detecting = true
