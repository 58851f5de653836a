package blob

import "time"

// SettleFor sets how long a Put asks for an object that the store does not confirm.
func (s *S3) SettleFor(d time.Duration) { s.settleFor = d }
