package habit

import "time"

// Crowd is what one network did in the windows of [Suspect] and [Hostile]. The zero value is
// a network of which nothing is known.
type Crowd struct{ Hour, Day Tally }

// Tally counts one network's sign-ins in one window.
type Tally struct {
	Failed    int // accounts that failed and did not sign in; unknown names count as accounts
	Succeeded int // accounts that signed in
	Tries     int // failures to the accounts of Failed
}

// Judge returns what stands out: nothing, or one finding, whose consequence is Block for a
// network that is hostile and Hold for one that is suspect.
func (c Crowd) Judge() []Finding {
	if name := c.rule(Hostile); name != "" {
		return []Finding{finding(name)}
	}
	if name := c.rule(Suspect); name != "" {
		f := finding(name)
		f.Consequence = Hold
		return []Finding{f}
	}
	return nil
}

// rule names the attack that some thresholds see, "" for none.
func (c Crowd) rule(all []Threshold) string {
	for _, t := range all {
		n := c.Day
		if t.Window == time.Hour {
			n = c.Hour
		}
		if n.Failed < t.Failed || float64(n.Failed) < t.Share*float64(n.Failed+n.Succeeded) {
			continue
		}
		if n.Succeeded >= FewHits && float64(n.Tries) <= OnceEach*float64(n.Failed) {
			return Stuffing
		}
		return Spraying
	}
	return ""
}
