package db

import "coffer/internal/metric"

// Measure shows the caches of the database on the page of s. Call it before the first
// [Keep].
func (d *DB) Measure(s *metric.Set) { d.metrics = s }
