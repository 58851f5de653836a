package search

import "errors"

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	Memory int64 `name:"search-memory" env:"COFFER_SEARCH_MEMORY" default:"268435456" group:"Limits" help:"Bytes of memory for the indexes of names that searches use, on one node. An index that finds no room is not kept: each search of that account reads all its names."`
}

// AfterApply refuses a bound below zero. Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.Memory < 0 {
		return errors.New("COFFER_SEARCH_MEMORY: must not be negative")
	}
	return nil
}
