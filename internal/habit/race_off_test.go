//go:build !race

package habit

const people = 10_000
