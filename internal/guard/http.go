package guard

import (
	"context"
	"net/http"
	"time"

	"coffer/internal/fault"
	"coffer/internal/rest"
)

const tag = "Account"

func (s *Service) historyRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/sign-ins", ID: "list-sign-ins", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-G5",
		Summary: "My sign-in history, the newest first",
		Description: "Sign-ins, failures, fresh proofs, recoveries and changes of credentials: the newest 2,000, and apart from them the newest 500 failures, " +
			"within the time that the operator keeps them.",
	}, s.getSignIns)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/sign-ins/export", ID: "export-sign-ins", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-G5",
		Summary:     "My sign-in history as a table",
		Description: "CSV (RFC 4180) of what the list shows. A cell that a program could take for a formula begins with an apostrophe.",
		Produces:    "text/csv",
	}, s.getExport)
}

// FilterInput chooses happenings.
type FilterInput struct {
	Kind    string `query:"kind" maxLength:"64" pattern:"^[a-z0-9-]*$" doc:"Only happenings of this kind."`
	Outcome string `query:"outcome" enum:"ok,failed,held,noticed" doc:"Only happenings with this outcome."`
	Since   string `query:"since" maxLength:"64" doc:"Only happenings at this time (RFC 3339) or later."`
	Until   string `query:"until" maxLength:"64" doc:"Only happenings before this time (RFC 3339)."`
}

func (in *FilterInput) filter() (f Filter, err error) {
	f.Kind, f.Outcome = in.Kind, in.Outcome
	for _, bound := range []struct {
		name, text string
		to         *time.Time
	}{{"since", in.Since, &f.Since}, {"until", in.Until, &f.Until}} {
		if bound.text == "" {
			continue
		}
		if *bound.to, err = time.Parse(time.RFC3339, bound.text); err != nil {
			return f, fault.InvalidField("query."+bound.name, "invalid", "Give a time such as 2026-11-29T18:00:00Z.")
		}
	}
	return f, nil
}

type listInput struct {
	rest.Request
	rest.Paging
	FilterInput
}

type listOutput struct{ Body rest.Page[SignIn] }

func (s *Service) getSignIns(ctx context.Context, in *listInput) (*listOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	page, err := s.List(ctx, in.Caller, f, in.Paging)
	return &listOutput{page}, err
}

type exportInput struct {
	rest.Request
	FilterInput
}

func (s *Service) getExport(_ context.Context, in *exportInput) (*rest.Streamed, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	name := `attachment; filename="sign-ins-` + s.Now().UTC().Format(time.DateOnly) + `.csv"`
	return rest.Stream(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "private, no-store")
		headers := func(h http.Header) {
			h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
			h.Set("Content-Disposition", name)
		}
		return s.WriteCSV(r.Context(), in.Caller, f, &rest.Late{ResponseWriter: w, Headers: headers})
	}), nil
}
