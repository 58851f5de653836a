package jobs

import (
	"context"
	"time"

	"coffer/internal/metric"
)

// measures count what became of jobs and of periodic work.
type measures struct {
	ended, turns  metric.Counters
	took, turning metric.Histograms
}

func (q *Queue) newMeasures(s *metric.Set) measures {
	s.Read(q.readQueue)
	return measures{
		ended:   s.Counter("coffer_jobs_total", "Attempts at jobs by their outcome: done, failed, released at a shutdown, or dead.", "kind", "outcome"),
		took:    s.Histogram("coffer_job_duration_seconds", "Time of an attempt at a job.", metric.Work, "kind"),
		turns:   s.Counter("coffer_periodic_total", "Runs of periodic work by their outcome.", "name", "outcome"),
		turning: s.Histogram("coffer_periodic_duration_seconds", "Time of a run of periodic work.", metric.Work, "name"),
	}
}

// readQueue reads the state of the queue, which all nodes share.
func (q *Queue) readQueue(ctx context.Context, r *metric.Reading) error {
	waiting, oldest, dead, err := readQueue(ctx, q.db)
	if err != nil {
		return err
	}
	r.Gauge("coffer_jobs_waiting", "Jobs that are not finished, of all nodes.", float64(waiting))
	r.Gauge("coffer_jobs_dead", "Jobs that are on the dead list, of all nodes.", float64(dead))
	age := time.Duration(0)
	if waiting > 0 {
		age = max(0, q.cfg.Now().Sub(time.UnixMilli(oldest)))
	}
	r.Gauge("coffer_jobs_oldest_seconds", "How long the job that is due for longest has been due.", age.Seconds())
	return nil
}
