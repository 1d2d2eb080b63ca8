//go:build !race

package esdb_test

const detecting = false
