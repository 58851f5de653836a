package share

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/file"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// TestTakenBackBuysNothing: a download that breaks off before its first byte is taken back only
// if no range was sent on its account meanwhile.
func TestTakenBackBuysNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sh := w.share(w.upload("", "a.bin", pattern(1000)), Read, `,"max_downloads":3`)
		ticket := w.guest(sh.Token, "GET", "/content", "").Header.Get(ticketHeader) // good for 3,000 bytes
		breaksOff := func(ranges int) int64 {
			t.Helper()
			v, err := w.visit(t.Context(), sh.Token, nil)
			if err != nil {
				t.Fatal(err)
			}
			e, o, about, err := w.Files.ContentAt(t.Context(), w.ada, v.Entry, "")
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set(ticketHeader, ticket)
			begun, err := w.begin(t.Context(), v, r, o, e.ID, about, use{Action: "download"})
			if err != nil {
				t.Fatal(err)
			}
			for range ranges {
				if a := w.guest(sh.Token, "GET", "/content", "", ticketHeader, ticket, "Range", "bytes=0-999"); a.StatusCode != 206 {
					t.Fatalf("%d %s", a.StatusCode, a.body)
				}
			}
			w.end(t.Context(), v, begun, &sending{})
			return good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200).Downloads
		}
		if n := breaksOff(2); n != 1 {
			t.Errorf("%d downloads; 1 paid for what was sent", n)
		}
		if n := breaksOff(2); n != 2 || w.rows("share_uses") != 2 {
			t.Errorf("%d downloads, %d lines; ranges of a second one were sent", n, w.rows("share_uses"))
		}
	})
}

// TestUsedUpTellsNothing: no question about a link that is used up has another answer than one
// about a link that never was.
func TestUsedUpTellsNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	sh := w.share(w.upload("", "a.txt", "hello"), Read, `,"max_downloads":1`)
	w.guest(sh.Token, "GET", "/content", "")
	for _, path := range []string{"", "/content", "/content?disposition=x", "/content?path=a%2fb", "/archive", "/thumbnail", "?limit=0", "?cursor=x"} {
		for _, header := range [][]string{nil, {"Range", "bytes=9-"}, {"If-Match", `"x"`}} {
			got, want := w.guest(sh.Token, "GET", path, "", header...).plain(), w.guest(newToken(), "GET", path, "", header...).plain()
			if got != want {
				t.Errorf("%s %v: %s, want %s", path, header, got, want)
			}
		}
	}
}

// TestLogIsBounded: a guest does not fill the database by names, which no quota counts.
func TestLogIsBounded(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	sh := w.share(w.folder("", "d"), Request, "")
	var files []string
	for range 100 {
		files = append(files, strings.Repeat("é", 120), "")
	}
	good[handedAnswer](w, w.handIn(sh.Token, nil, files...), 201)
	page := good[rest.Page[Use]](w, w.call(w.ada, "GET", "/shares/"+sh.ID+"/uses", ""), 200)
	path := page.Items[0].Path
	if lines := strings.Split(path, "\n"); len(path) > maxUsePath+4 || lines[0] != files[0] || lines[len(lines)-1] != "…" || lines[len(lines)-2] != files[0] {
		t.Errorf("%d bytes of names: %.300s", len(path), path)
	}
	if got := shorten(strings.Repeat("é", maxUsePath)); got != strings.Repeat("é", maxUsePath/2)+"…" {
		t.Errorf("%d bytes of one name", len(got))
	}
}

// TestPasswordsOfManyLinks: wrong passwords from an address are also limited across links. Who
// owns ten thousand links does not keep the server busy with hashes.
func TestPasswordsOfManyLinks(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	doc := w.upload("", "a.txt", "hello")
	sh, other := w.share(doc, Read, `,"password":"open sesame"`), w.share(doc, Read, `,"password":"open sesame"`)
	in := cookieOf(w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`), passCookie)
	w.is(w.guest(other.Token, "POST", "/unlock", `{"password":"wrong"}`), 403, "wrong_password")
	taken := 0
	for w.Limit.Take(t.Context(), addressLimit, limit.AddrKey(netip.MustParseAddr("127.0.0.1"))) == nil {
		taken++
	}
	if taken != addressLimit.Limit-1 {
		t.Errorf("%d tries were left, want %d: a wrong one counts, a right one does not", taken, addressLimit.Limit-1)
	}
	w.is(w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`), 429, "rate_limited")
	if a := w.guest(sh.Token, "GET", "/content", "", "Cookie", in); string(a.body) != "hello" {
		t.Errorf("who is in: %d %s", a.StatusCode, a.body)
	}
}

// TestOpenAgain: a change of a link that opens it again does not pass the bound of an entry.
func TestOpenAgain(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	doc := w.upload("", "a.txt", "hello")
	over := w.share(doc, Read, `,"max_downloads":1`)
	w.guest(over.Token, "GET", "/content", "")
	last := w.share(doc, Read, "")
	if _, err := w.DB.Exec(t.Context(), `
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO shares (`+columns+`) SELECT id || '-' || i, entry, account, kind, CAST(i AS BLOB), details, expires_at, max_downloads, downloads, max_files, files, max_file_bytes, blocked, created_at, used_at, told_at
		FROM shares CROSS JOIN n WHERE id = $2`, maxOpen-1, last.ID); err != nil {
		t.Fatal(err)
	}
	w.is(w.call(w.ada, "PATCH", "/shares/"+over.ID, `{"max_downloads":2}`), 409, "too_many_shares_of_entry")
	w.is(w.call(w.ada, "PATCH", "/shares/"+over.ID, `{"note":"over"}`), 200, "")
	w.is(w.call(w.ada, "PATCH", "/shares/"+last.ID, `{"note":"open"}`), 200, "")
	w.call(w.ada, "DELETE", "/shares/"+last.ID, "")
	w.is(w.call(w.ada, "PATCH", "/shares/"+over.ID, `{"max_downloads":2}`), 200, "")
}

// TestLengthAsksNoQuota: a guest who declares a length, and sends nothing, does not learn how
// much room the owner has.
func TestLengthAsksNoQuota(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.folder("", "d")
	most := int64(10 << 20)
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Contents.SetQuota(t.Context(), tx, w.ada, &most, nil) }); err != nil {
		t.Fatal(err)
	}
	for _, length := range []int64{1 << 10, 100 << 20} {
		body, contentType := form(nil, "a", "x")
		r := httptest.NewRequest(http.MethodPost, "/", body)
		r.Header.Set("Content-Type", contentType)
		r.ContentLength = length
		handed, err := w.Files.HandIn(r, w.ada, file.HandIn{
			Folder: folder,
			Check:  func(string, string) error { return nil },
			Hold:   func(context.Context, *db.Tx, int) error { return nil },
			Done:   func(context.Context, *db.Tx, int) error { return nil },
		})
		if err != nil || len(handed) != 1 {
			t.Errorf("%d bytes: %v, %v", length, handed, err)
		}
	}
	// Bytes that the guest sends do count, and nothing is left of them.
	sh := w.share(folder, Request, "")
	w.is(w.handIn(sh.Token, nil, "b", strings.Repeat("x", 11<<20)), 413, content.ErrQuota.Code)
}

// TestStoppedHasNoLog: a guest who gave the password while the link was stopped is not in a log
// that the owner has removed.
func TestStoppedHasNoLog(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sh := w.share(w.upload("", "a.txt", "hello"), Read, "")
		v, err := w.visit(t.Context(), sh.Token, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.call(w.ada, "DELETE", "/shares/"+sh.ID, "")
		if err := w.note(t.Context(), v, use{Action: "unlock"}, rest.Client{}); !isGone(err) || w.rows("share_uses") != 0 {
			t.Errorf("%v, %d lines", err, w.rows("share_uses"))
		}
	})
}

// TestTicketsAreBounded: a link keeps its newest tickets, with a bound of downloads or without. A
// guest who asks for a byte all day does not fill the database. A download that goes on is one, as
// long as its ticket is among them.
func TestTicketsAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		doc := w.upload("", "a.txt", "hello")
		free, bound := w.share(doc, Read, ""), w.share(doc, Read, `,"max_downloads":5000`)
		for _, sh := range []Share{free, bound} {
			before := w.rows("share_downloads")
			first := w.guest(sh.Token, "GET", "/content", "").Header.Get(ticketHeader)
			w.below.Advance(time.Second)
			sold := ticketRow{Share: sh.ID, Account: w.ada, Remaining: 20, ExpiresAt: w.Now().Add(ticketTTL).UnixMilli()}
			if err := d.QueryRow(t.Context(), `SELECT content FROM share_downloads WHERE ticket = $1`, ticketDigest(first)).Scan(&sold.Content); err != nil {
				t.Fatal(err)
			}
			err := d.Tx(t.Context(), func(tx *db.Tx) error {
				for range keepTickets - 1 {
					sold.Ticket = ticketDigest(newToken())
					if err := addTicket(t.Context(), tx, sold); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			w.below.Advance(time.Second)
			goesOn := func(ticket string) bool {
				before, _ := readByToken(t.Context(), d, digest(sh.Token))
				a := w.guest(sh.Token, "GET", "/content", "", ticketHeader, ticket, "Range", "bytes=1-")
				now, _ := readByToken(t.Context(), d, digest(sh.Token))
				return a.StatusCode == 206 && now.Downloads == before.Downloads
			}
			if got := w.rows("share_downloads") - before; got != keepTickets || !goesOn(first) {
				t.Errorf("bound %t: %d tickets, and the first of them does not go on", sh.MaxDownloads != nil, got)
			}
			newest := w.guest(sh.Token, "GET", "/content", "").Header.Get(ticketHeader)
			if got := w.rows("share_downloads") - before; got != keepTickets || !goesOn(newest) || goesOn(first) {
				t.Errorf("bound %t: %d tickets, or the first is still among them", sh.MaxDownloads != nil, got)
			}
		}
	})
}

// TestGuestsShareTheRoom: guests who send at once do not store more than the owner's quota
// leaves, also of what never appears. Who breaks off makes room.
func TestGuestsShareTheRoom(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.folder("", "d")
	sh := w.share(folder, Request, "")
	most := int64(10 << 20)
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Contents.SetQuota(t.Context(), tx, w.ada, &most, nil) }); err != nil {
		t.Fatal(err)
	}
	six := strings.Repeat("x", 6<<20)
	body, contentType := form(nil, "first", six, "second", "x")
	begun, rest := body.Bytes()[:len(six)], body.Bytes()[len(six):]
	for _, whole := range []bool{false, true} {
		arrives, sends := io.Pipe()
		r := httptest.NewRequest(http.MethodPost, "/", arrives)
		r.Header.Set("Content-Type", contentType)
		done := make(chan error)
		go func() {
			_, err := w.Files.HandIn(r, w.ada, file.HandIn{
				Folder: folder,
				Check:  func(string, string) error { return nil },
				Hold:   func(context.Context, *db.Tx, int) error { return nil },
				Done:   func(context.Context, *db.Tx, int) error { return nil },
			})
			arrives.Close() // a writer does not wait for ever
			done <- err
		}()
		if _, err := sends.Write(begun); err != nil { // returns when it is read
			t.Fatal(err)
		}
		w.is(w.handIn(sh.Token, nil, "other", six), 413, content.ErrQuota.Code)
		if whole {
			_, _ = sends.Write(rest)
		}
		sends.Close()
		if err := <-done; (err == nil) != whole {
			t.Fatal(whole, err)
		}
		good[handedAnswer](w, w.handIn(sh.Token, nil, "small", strings.Repeat("x", 1<<20)), 201)
	}
	if got := w.names(folder); !slices.Equal(got, []string{"first", "second", "small", "small (1)"}) {
		t.Errorf("%q", got)
	}
}
