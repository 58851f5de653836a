// Package arch holds the plan of the house as tests, and no code.
//
// plan_test.go gives each package's floor and first sentence, rules_test.go the rules.
// broken_test.go has houses that break each rule, so a rule that detects nothing fails. A
// new package needs a line in the plan. If a rule refuses a change, the change is in the
// wrong place.
package arch
