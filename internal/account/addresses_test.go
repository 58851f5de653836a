package account

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/event"
	"coffer/internal/lang"
	"coffer/internal/mail"
)

// happened is a kind of event that these tests record.
const happened = "happened"

func declareHappened(l *event.Log) {
	words := fstest.MapFS{}
	for _, tag := range lang.All() {
		words["words/"+happened+"."+tag+".txt"] = &fstest.MapFile{Data: []byte(`{{define "subject"}}s{{end}}{{define "lead"}}l{{end}}{{define "rest"}}r{{end}}`)}
	}
	l.Declare(mail.Kind{Name: happened}, words)
}

func (w *world) happen(tx *db.Tx, id ID) error {
	return w.Events.Record(context.Background(), tx, event.Event{Kind: happened, Account: string(id), Data: map[string]string{"device": "Firefox"}})
}

// address gives an account a further address, as the room of that kind would.
func (w *world) address(id ID, kind, email string, verified bool) {
	w.t.Helper()
	ctx := context.Background()
	key, err := w.DataKey(ctx, w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var at *int64
	if verified {
		now := w.Now().UnixMilli()
		at = &now
	}
	if _, err := w.DB.Exec(ctx, `INSERT INTO addresses (account, kind, email, verified_at) VALUES ($1, $2, $3, $4)`,
		string(id), kind, sealAddress(key, id, kind, at, email), at); err != nil {
		w.t.Fatal(err)
	}
}

// told are the recipients of the notice of one event, in order.
func (w *world) told(id ID) (to []string) {
	w.t.Helper()
	if err := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.happen(tx, id) }); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range w.Mails() {
		to = append(to, m.To)
	}
	slices.Sort(to)
	return to
}

// An event is told to every verified address of its account and to no other, once the
// transaction stands.
func TestNotices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id, other := w.join(person1("grace")), w.join(person1("other"))
		w.address(id, "second", "grace@second.example", true)
		w.address(id, "third", "grace@third.example", false)
		w.address(other, "second", "other@second.example", true)

		undone := errors.New("undone")
		err := w.DB.Tx(ctx, func(tx *db.Tx) error {
			if err := w.happen(tx, id); err != nil {
				return err
			}
			return undone
		})
		if got := w.Mails(); !errors.Is(err, undone) || len(got) != 0 {
			t.Errorf("%v and %d mails of a transaction that was undone", err, len(got))
		}

		if err := w.DB.Tx(ctx, func(tx *db.Tx) error { return w.happen(tx, id) }); err != nil {
			t.Fatal(err)
		}
		got := w.Mails()
		slices.SortFunc(got, func(a, b mail.Message) int { return slices.Compare([]byte(a.To), []byte(b.To)) })
		data := map[string]string{"name": "Ada", "device": "Firefox", "time": w.Now().UTC().Format(time.RFC3339)}
		want := []mail.Message{
			{Kind: happened, To: "grace@example.org", Lang: "en", Data: data},
			{Kind: happened, To: "grace@second.example", Lang: "en", Data: data},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		// A sign-up with the address is an event as well.
		if _, err := w.SignUp(ctx, person1("grace"), at(1)); err != nil {
			t.Fatal(err)
		}
		if got := w.Told(); len(got) != 2 {
			t.Errorf("told of a sign-up with the address: %q", got)
		}
		if err := w.DB.Tx(ctx, func(tx *db.Tx) error { return w.happen(tx, "nobody") }); !errors.Is(err, ErrNotFound) {
			t.Errorf("an event of nobody: %v", err)
		}
	})
}

// Of two who want one address at once, one gets it, also when the index key changes.
func TestOneAccountAnAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		names := []string{"one", "two", "three", "four", "five"}
		got := race(len(names), func(i int) error {
			in := person1(names[i])
			in.Email = "Same@example.org"
			_, err := w.Create(ctx, in, User)
			return err
		})
		if got[""] != 1 || got["account_exists"] != len(names)-1 {
			t.Errorf("%v", got)
		}
		// A username that is taken leaves the address free.
		in := person1("free")
		in.Username = "one"
		for _, name := range names {
			if _, err := w.CheckPassword(ctx, name, goodPassword); err == nil {
				in.Username = name
			}
		}
		a, err := w.applicant(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Tx(ctx, func(tx *db.Tx) error {
			if made, err := w.create(ctx, tx, a, User); made || err != nil {
				t.Errorf("a username twice: %t, %v", made, err)
			}
			return nil // what create wrote stays, if it wrote anything
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Create(ctx, person1("free"), User); err != nil {
			t.Errorf("the address of an account that was not made: %v", err)
		}
		var rows int
		if err := d.QueryRow(ctx, `SELECT COUNT(*) FROM addresses`).Scan(&rows); err != nil || rows != 2 {
			t.Errorf("%d addresses of 2 accounts, %v", rows, err)
		}
	})
}
