// Package peerbench compares this library with other Go libraries, in one
// process, the candidates taking turns. It is a module of its own so that the
// library requires none of them. The table of BENCHMARKS.md comes from
//
//	cd internal/peerbench && go test -run '^$' -bench .
package peerbench
