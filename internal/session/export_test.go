package session

import "context"

// ParseRefresh takes a refresh token apart.
var ParseRefresh = parseRefresh

// FormatRefresh puts one together.
var FormatRefresh = refreshToken

// TryOf counts one try of an attempt, as Pass does before it looks at the answer.
func (s *Service) TryOf(ctx context.Context, id, token string) error {
	_, err := countTry(ctx, s.DB, id, tokenDigest([]byte(token)), s.Now().UnixMilli())
	return err
}
