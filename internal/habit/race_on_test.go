//go:build race

package habit

// The race detector makes the simulation six times as slow, and there is nothing to race: a
// quarter of the population runs under it. "make check" runs the whole.
const people = 2500
