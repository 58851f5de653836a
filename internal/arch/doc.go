// Package arch holds the plan of the house as tests, and no code.
//
// plan_test.go says which package stands on which floor and what its first sentence is;
// rules_test.go what a house must keep to; broken_test.go, for each rule, houses that
// break it, so that a rule which notices nothing is noticed. A new package needs a line
// in the plan. If a rule refuses a change, the change is in the wrong place.
package arch
