package guard

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"coffer/internal/rest"
)

var columns = []string{"time", "kind", "outcome", "address", "place", "device", "methods", "session", "this session", "flags", "findings"}

// WriteCSV writes the caller's history as a table (RFC 4180), the newest first.
func (s *Service) WriteCSV(ctx context.Context, c rest.Caller, f Filter, w io.Writer) error {
	table := csv.NewWriter(w)
	table.UseCRLF = true
	if err := table.Write(columns); err != nil {
		return err
	}
	for one, err := range s.all(ctx, c, f) {
		if err != nil {
			return err
		}
		if err := table.Write(line(one.(SignIn))); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// line is a happening as a line of the table.
func line(one SignIn) []string {
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	here := ""
	if one.Here {
		here = "yes"
	}
	findings := make([]string, len(one.Findings))
	for i, f := range one.Findings {
		findings[i] = f.Rule + " " + strconv.Itoa(f.Score) + " " + f.Consequence
	}
	cells := []string{
		one.At.Format(time.RFC3339), one.Kind, one.Outcome, one.Address, text(one.Place), text(one.Device), strings.Join(one.Methods, " "),
		text(one.SessionID), here, strings.Join(one.Flags, " "), strings.Join(findings, ", "),
	}
	for i := range cells {
		cells[i] = defused(cells[i])
	}
	return cells
}

// defused is a cell that no program takes for a formula: clients choose what some cells say.
func defused(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
