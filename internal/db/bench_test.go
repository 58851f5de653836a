package db_test

import (
	"fmt"
	"sync"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// BenchmarkWrite makes durable writes of one row from many callers: the limit of every
// writer.
func BenchmarkWrite(b *testing.B) {
	engines := map[string]func(testing.TB) *db.DB{"SQLite": dbtest.SQLite, "PostgreSQL": dbtest.PostgreSQL}
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		b.Run(engine, func(b *testing.B) {
			d := engines[engine](b)
			ctx := b.Context()
			if _, err := d.Exec(ctx, `CREATE TABLE things (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)`); err != nil {
				b.Fatal(err)
			}
			for id := range 16 {
				if _, err := d.Exec(ctx, `INSERT INTO things (id, n) VALUES ($1, 0)`, id); err != nil {
					b.Fatal(err)
				}
			}
			for _, how := range []struct {
				name  string
				write func(id int) error
			}{
				{"Exec", func(id int) error {
					_, err := d.Exec(ctx, `UPDATE things SET n = n + 1 WHERE id = $1`, id)
					return err
				}},
				{"Tx", func(id int) error {
					return d.Tx(ctx, func(tx *db.Tx) error {
						if err := tx.QueryRow(ctx, `SELECT n FROM things WHERE id = $1`, id).Scan(new(int64)); err != nil {
							return err
						}
						_, err := tx.Exec(ctx, `UPDATE things SET n = n + 1 WHERE id = $1`, id)
						return err
					})
				}},
			} {
				for _, callers := range []int{1, 8, 16} {
					b.Run(fmt.Sprintf("%s/%d", how.name, callers), func(b *testing.B) {
						b.ReportAllocs()
						var wg sync.WaitGroup
						for id := range callers {
							wg.Go(func() {
								for i := id; i < b.N; i += callers {
									if err := how.write(id); err != nil {
										b.Error(err)
										return
									}
								}
							})
						}
						wg.Wait()
						b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
					})
				}
			}
		})
	}
}
