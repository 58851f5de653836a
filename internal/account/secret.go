package account

import "context"

// HashSecret returns the argon2id hash of a short secret that is no password, such as an
// answer to a question. It shares the slots of passwords: code "busy" when too many wait. The
// caller seals the hash under the pepper.
func (s *Service) HashSecret(ctx context.Context, text string) (string, error) {
	return s.hasher.hash(ctx, text)
}

// MatchSecret reports whether text has the hash. No hash costs the same and never matches.
func (s *Service) MatchSecret(ctx context.Context, hash, text string) (bool, error) {
	ok, _, err := s.hasher.verify(ctx, hash, text)
	return ok, err
}
