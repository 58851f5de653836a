package session

import "coffer/internal/metric"

// measure shows sign-ins on the page of set.
func (s *Service) measure(set *metric.Set) {
	s.signIns = set.Counter("coffer_sign_ins_total", "Sessions opened, wrong proofs, and right ones that wait for a mailed link, by method; wrong fresh proofs are among them.", "method", "outcome")
}

// methods name the first proof of a session as [Failure] does.
var methods = map[string]string{AMRPassword: passwordMethod, AMRFederated: "social", "hwk": "passkey", "swk": "passkey"}

// countOpened counts a session that was opened with these proofs.
func (s *Service) countOpened(amr []string) {
	method := "none"
	if len(amr) > 0 {
		method = amr[0]
	}
	if name := methods[method]; name != "" {
		method = name
	}
	s.signIns.With(method, "opened").Inc()
}

// countFailed counts a proof that opened nothing.
func (s *Service) countFailed(f Failure) {
	outcome := "wrong"
	if f.Held {
		outcome = "held"
	}
	s.signIns.With(f.Method, outcome).Inc()
}
