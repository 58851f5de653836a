package question

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/limit/limittest"
)

const path = "/account/security-question"

func (w *world) line(id account.ID) account.Protection {
	w.t.Helper()
	lines, err := w.Accounts.Security(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return lines[name]
}

// The whole life of the layer: on, asked, changed, off.
func TestSecurityQuestion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		in := w.is(w.signIn("ada", fields{"remember_device": true}), 201, "")
		bearer := "Bearer " + in.AccessToken
		w.below.Told()
		body := fields{"question": rosebud.Question, "answer": rosebud.Answer, "hint": rosebud.Hint}
		w.is(w.call("PUT", path, "", body), 401, "unauthenticated")
		w.is(w.call("PUT", path, bearer, body), 204, "")
		if p := w.line(id); !p.Enabled || p.Since == nil || p.LastUsed != nil || p.Hint != "" {
			t.Errorf("the security page: %+v", p)
		}

		at := w.is(w.signIn("ada", nil), 202, "")
		if len(at.Layers) != 1 || at.Layers[0].Layer != name || at.Layers[0].Question != rosebud.Question || at.Layers[0].Hint != rosebud.Hint {
			t.Errorf("the challenge: %s", at.Raw)
		}
		w.is(w.try(at, "rose"), 401, "wrong_answer")
		shown := w.is(w.call("GET", "/auth/attempts/"+at.AttemptID, "Attempt "+at.AttemptToken, nil), 200, "")
		if shown.Layers[0].Question != rosebud.Question {
			t.Errorf("after a wrong answer another question: %s", shown.Raw)
		}
		got := w.is(w.try(at, "ｒｏｓｅ\u2003bud"), 201, "")
		if got.AAL != "aal1" || !slices.Contains(got.AMR, "kba") {
			t.Errorf("the session: %s", got.Raw)
		}
		if n := w.count(`SELECT COUNT(*) FROM question_failures`); n != 1 {
			t.Errorf("%d failures are counted, want the wrong answer alone", n)
		}
		if p := w.line(id); p.LastUsed == nil || !p.LastUsed.Equal(w.Now()) {
			t.Errorf("last used: %+v", p)
		}

		// A change voids the old answer, attempts that wait, and the devices that were spared.
		waits := w.is(w.signIn("ada", nil), 202, "")
		device := fields{"device_token": w.is(w.try(w.is(w.signIn("ada", fields{"remember_device": true}), 202, ""), "rose bud"), 201, "").DeviceToken}
		w.is(w.signIn("ada", device), 201, "")
		w.is(w.call("PUT", path, bearer, fields{"question": "And the cat's name?", "answer": "Pyewacket"}), 204, "")
		w.is(w.try(waits, "rose bud"), 410, "attempt_over")
		w.is(w.try(waits, "PYEWACKET"), 410, "attempt_over")
		w.is(w.try(w.is(w.signIn("ada", nil), 202, ""), "rose bud"), 401, "wrong_answer")
		w.is(w.try(w.is(w.signIn("ada", nil), 202, ""), "PYEWACKET"), 201, "")
		if at = w.is(w.signIn("ada", device), 202, ""); at.Layers[0].Question != "And the cat's name?" || at.Layers[0].Hint != "" {
			t.Errorf("after the change: %s", at.Raw)
		}

		for range 2 {
			w.is(w.call("DELETE", path, bearer, nil), 204, "")
		}
		w.is(w.signIn("ada", nil), 201, "")
		want := []string{"ada@canary.example security-question-enabled", "ada@canary.example security-question-changed", "ada@canary.example security-question-disabled"}
		if got := w.below.Told(); !cmp.Equal(got, want) {
			t.Errorf("mails %v, want %v", got, want)
		}
		w.below.Advance(w.Sessions.StepUpTTL + time.Second)
		w.is(w.call("PUT", path, bearer, body), 403, "step_up_required")
		w.is(w.call("DELETE", path, bearer, nil), 403, "step_up_required")
	})
}

// The question is shown, and answers are taken, only when all other layers are passed.
func TestSecurityQuestionComesLast(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.on("ada")
		w.pin.on[id] = true
		at := w.is(w.signIn("ada", nil), 202, "")
		if len(at.Layers) != 2 || strings.Contains(at.Raw, "Kane") || strings.Contains(at.Raw, "sledge") {
			t.Errorf("the challenge tells of the question: %s", at.Raw)
		}
		for range 6 { // an answer that comes too early costs no try, and is not looked at
			w.is(w.try(at, "rose bud"), 409, "earlier_layers_open")
		}
		if n := w.count(`SELECT COUNT(*) FROM question_failures`); n != 0 {
			t.Errorf("%d early answers were looked at", n)
		}
		next := w.is(w.passPin(at), 202, "")
		if !strings.Contains(next.Raw, rosebud.Question) || !strings.Contains(next.Raw, rosebud.Hint) || next.AccessToken != "" {
			t.Errorf("after the others: %s", next.Raw)
		}
		w.is(w.try(at, "wrong one"), 401, "wrong_answer")
		if got := w.is(w.try(at, "rose bud"), 201, ""); got.AAL != "aal1" || strings.Join(got.AMR, " ") != "pwd kba pin" {
			t.Errorf("%s %v", got.AAL, got.AMR)
		}
	})
}

func TestSecurityQuestionIsChecked(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	bearer := "Bearer " + w.is(w.signIn("ada", nil), 201, "").AccessToken
	long := strings.Repeat("é", 201)
	for _, tt := range []struct{ question, answer, hint, pointer, code string }{
		{"", "Pyewacket", "", "/question", "required"},
		{" \u3164 ", "Pyewacket", "", "/question", "required"},
		{long, "Pyewacket", "", "/question", "too_long"},
		{"Cat?\nDog?", "Pyewacket", "", "/question", "invalid_characters"},
		{"Cat\u202e?", "Pyewacket", "", "/question", "invalid_characters"},
		{"Cat?", "", "", "/answer", "too_short"},
		{"Cat?", " a  b"[:3], "", "/answer", "too_short"},
		{"Cat?", "\u200d\u200d\u200d\u200d", "", "/answer", "too_short"},
		{"Cat?", "Pye\u200bwacket", "", "/answer", "invalid_characters"},
		{"Cat?", "Pye\x00wacket", "", "/answer", "invalid_characters"},
		{"Cat?", long, "", "/answer", "too_long"},
		{"Is it PYEWACKET?", "pyewacket", "", "/answer", "in_question"},
		{"Cat?", "Pyewacket", "ｐｙｅｗａｃｋｅｔ", "/answer", "in_hint"},
		{"Cat?", "Pyewacket", "it is Pyewacket, you know", "/answer", "in_hint"},
		{"Cat?", "Pyewacket", "P-y-e-w-a-c-k-e-t", "/answer", "in_hint"},
		{"Which college, St Johns?", "St. John's", "", "/answer", "in_question"},
		{"Cat?", "Pyewacket", "a\x1bb", "/hint", "invalid_characters"},
		{"Cat?", "Pyewacket", long, "/hint", "too_long"},
	} {
		got := w.is(w.call("PUT", path, bearer, fields{"question": tt.question, "answer": tt.answer, "hint": tt.hint}), 422, "validation_failed")
		if !strings.Contains(got.Raw, `"pointer":"`+tt.pointer+`"`) || !strings.Contains(got.Raw, `"code":"`+tt.code+`"`) {
			t.Errorf("%+v: %s", tt, got.Raw)
		}
	}
	for what, body := range map[string]fields{"no answer": {"question": "Cat?"}, "no question": {"answer": "Pyewacket"}, "an unknown field": {"question": "Cat?", "answer": "Pyewacket", "x": 1}} {
		if got := w.call("PUT", path, bearer, body); got.Status != 422 && got.Status != 400 {
			t.Errorf("%s: %d %s", what, got.Status, got.Raw)
		}
	}
	w.is(w.signIn("ada", nil), 201, "") // nothing is on
	w.is(w.call("PUT", path, bearer, fields{"question": "Where were you born?", "answer": "Côte d’Or", "hint": "with an accent"}), 204, "")
	at := w.is(w.signIn("ada", nil), 202, "")
	w.is(w.call("POST", "/auth/attempts/"+at.AttemptID+"/security-question", "Attempt "+at.AttemptToken, fields{"answer": strings.Repeat("a", 2000)}), 422, "validation_failed")
	w.is(w.try(at, "cote d’or"), 401, "wrong_answer") // an accent counts
	w.is(w.try(at, "CO\u0302TE  D’OR"), 201, "")
}

func TestCanon(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  Rose \t BUD\n": "rose bud", "Straße": "strasse", "STRASSE": "strasse", "ｆｕｌｌ": "full", "ﬁn": "fin", "e\u0301": "é", "\u00a0x\u3000y": "x y", "ΣΑΣ": "σασ", "": "", " ": "",
	} {
		if got := canon(in); got != want {
			t.Errorf("canon(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzCanon(f *testing.F) {
	for _, s := range []string{"Rose Bud", "ﬃ", "ẞ", "\u0345α", "Å", "a\u0300\u0345", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := canon(s); canon(once) != once {
			t.Errorf("canon(%q) = %q, and of that %q", s, once, canon(once))
		}
	})
}

// Of 200 answers at once the server judges five at most, and a right one opens one session.
func TestSecurityQuestionGuesses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.on("ada")
		at := w.is(w.signIn("ada", nil), 202, "")
		var looked, opened atomic.Int64
		limittest.AtOnce(200, func() error {
			switch got := w.try(at, "a guess"); got.Code {
			case "wrong_answer":
				looked.Add(1)
			case "attempt_over":
			default:
				t.Errorf("%d %s", got.Status, got.Raw)
			}
			return nil
		})
		if n := w.count(`SELECT COUNT(*) FROM question_failures`); looked.Load() > 5 || n > 5 || n == 0 {
			t.Errorf("%d guesses were looked at, %d counted", looked.Load(), n)
		}
		w.is(w.try(at, "rose bud"), 410, "attempt_over")

		bob := w.on("bob")
		at = w.is(w.signIn("bob", nil), 202, "")
		limittest.AtOnce(20, func() error {
			switch got := w.try(at, "rose bud"); {
			case got.Status == 201:
				opened.Add(1)
			case got.Code != "attempt_over":
				t.Errorf("%d %s", got.Status, got.Raw)
			}
			return nil
		})
		if n := w.count(`SELECT COUNT(*) FROM question_failures WHERE account = $1`, string(bob)); opened.Load() != 1 || n != 0 {
			t.Errorf("twenty right answers at once opened %d sessions; %d count as wrong", opened.Load(), n)
		}

		w.below.Told()
		limittest.AtOnce(20, func() error { return w.Disable(context.Background(), by(id), false) })
		if got := w.below.Told(); len(got) != 1 {
			t.Errorf("turned off at once: %v", got)
		}
		limittest.AtOnce(20, func() error { return w.Put(context.Background(), by(id), rosebud) })
		on := 0
		for _, m := range w.below.Told() {
			if strings.HasSuffix(m, enabled) {
				on++
			}
		}
		if on != 1 {
			t.Errorf("turned on at once: %d mails say so", on)
		}
	})
}

// An account bears ten wrong answers an hour over all attempts, also at once; a right answer
// and one that nobody could judge do not count.
func TestSecurityQuestionLimitOfAnAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.on("ada")
		attempts := make(chan answer, 60)
		for range 60 {
			attempts <- w.is(w.signIn("ada", nil), 202, "")
		}
		var looked atomic.Int64
		limittest.AtOnce(40, func() error {
			switch got := w.try(<-attempts, "a guess"); got.Code {
			case "wrong_answer":
				looked.Add(1)
			case "rate_limited":
			default:
				t.Errorf("%d %s", got.Status, got.Raw)
			}
			return nil
		})
		if looked.Load() != maxFailures {
			t.Errorf("%d answers were looked at, want %d", looked.Load(), maxFailures)
		}
		if got := w.is(w.try(<-attempts, "rose bud"), 429, "rate_limited"); got.RetryAfter != "3600" || got.Limit != `"question-wrong";r=0;t=3600 "question-wrong";q=10;w=3600` {
			t.Errorf("retry after %s, limit %s", got.RetryAfter, got.Limit)
		}
		w.below.Advance(failureTime)
		at := w.is(w.signIn("ada", nil), 202, "")
		w.is(w.try(at, "rose bud"), 201, "")
		if err := prune(t.Context(), d, w.Now().Add(-failureTime).UnixMilli()); err != nil || w.count(`SELECT COUNT(*) FROM question_failures`) != 0 {
			t.Errorf("failures are left behind: %v", err)
		}
	})
}

// An answer that the server cannot judge counts neither for the attempt nor for the account.
func TestSecurityQuestionNotJudged(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.on("ada")
	var good []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT answer FROM questions`).Scan(&good); err != nil {
		t.Fatal(err)
	}
	broken, err := w.Ring.Seal(t.Context(), keyring.Pepper, []byte("no hash"), answerAAD(id))
	if err != nil {
		t.Fatal(err)
	}
	put := func(answer []byte) {
		t.Helper()
		if _, err := w.DB.Exec(t.Context(), `UPDATE questions SET answer = $1`, answer); err != nil {
			t.Fatal(err)
		}
	}
	at := w.is(w.signIn("ada", nil), 202, "")
	put(broken)
	for range 6 {
		w.is(w.try(at, "rose bud"), 500, "internal_error")
	}
	if n := w.count(`SELECT COUNT(*) FROM question_failures`); n != 0 {
		t.Errorf("%d count as wrong", n)
	}
	put(good)
	w.is(w.try(at, "rose bud"), 201, "")
}

// An answer that was right for the question before a change passes nothing after it.
func TestSecurityQuestionChangesMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.on("ada")
		right, err := w.judge(t.Context(), id, "rose bud")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Put(t.Context(), by(id), Question{Question: "And the cat?", Answer: "Pyewacket"}); err != nil {
			t.Fatal(err)
		}
		err = d.Tx(t.Context(), func(tx *db.Tx) error { return w.settle(t.Context(), tx, id, right) })
		if !errors.Is(err, errAnswer) {
			t.Errorf("after the change: %v", err)
		}
		if w.line(id).LastUsed != nil {
			t.Error("the layer counts as passed")
		}
	})
}

// Nothing of question, answer and hint stands in the database.
func TestSecurityQuestionIsSealed(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	id := w.on("ada")
	w.is(w.try(w.is(w.signIn("ada", nil), 202, ""), "rose bud"), 201, "")
	w.is(w.signIn("ada", nil), 202, "") // an attempt holds question and hint
	for _, q := range []string{`SELECT question || hint || answer FROM questions WHERE account = $1`, `SELECT data FROM attempts WHERE account = $1`} {
		var raw []byte
		if err := d.QueryRow(t.Context(), q, string(id)).Scan(&raw); err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"Kane", "sledge", "rose", "Rose", "argon2id"} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s shows %q", q, word)
			}
		}
	}
}

// A rotated pepper takes the answers along, and the old key can go.
func TestSecurityQuestionRewrap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, name := range []string{"ada", "bob", "eve"} {
			w.on(name)
		}
		before := w.count(`SELECT COUNT(DISTINCT answer) FROM questions`)
		var old []byte
		if err := d.QueryRow(t.Context(), `SELECT answer FROM questions ORDER BY account LIMIT 1`).Scan(&old); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Ring.Rotate(t.Context(), keyring.Pepper); err != nil {
			t.Fatal(err)
		}
		if err := w.Ring.RewrapAll(t.Context(), w.Ring.Rewraps(), nil); err != nil {
			t.Fatal(err)
		}
		if n := w.count(`SELECT COUNT(*) FROM questions WHERE answer = $1`, old); n != 0 || before != 3 {
			t.Error("an answer stays under the old key")
		}
		for _, name := range []string{"ada", "bob", "eve"} {
			w.is(w.try(w.is(w.signIn(name, nil), 202, ""), "rose bud"), 201, "")
		}
	})
}

// An attempt that waits for the question opens nothing: as a bearer its token is refused.
func TestSecurityQuestionAttemptOpensNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.on("ada")
	at := w.is(w.signIn("ada", nil), 202, "")
	for _, authorization := range []string{"Bearer " + at.AttemptToken, "Attempt " + at.AttemptToken} {
		for _, call := range [][2]string{{"GET", "/account"}, {"GET", "/account/security"}, {"GET", "/sessions"}, {"DELETE", path}, {"DELETE", "/sessions"}} {
			w.is(w.call(call[0], call[1], authorization, nil), 401, "unauthenticated")
		}
		w.is(w.call("PUT", "/account/always-ask", authorization, fields{"always_ask": false}), 401, "unauthenticated")
		w.is(w.call("POST", "/account/reauthenticate", authorization, fields{"password": accounttest.Password}), 401, "unauthenticated")
	}
}

// An attacker who writes to the database turns nothing off and moves no answer.
func TestAttackWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, eve := w.on("ada"), w.below.Join("eve")
		if err := w.Put(t.Context(), by(eve), Question{Question: "Mine?", Answer: "chosen by eve"}); err != nil {
			t.Fatal(err)
		}
		do := func(q string, args ...any) {
			t.Helper()
			if _, err := d.Exec(t.Context(), q, args...); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range []string{
			`UPDATE questions SET answer = (SELECT answer FROM questions o WHERE o.account <> questions.account) WHERE account = $1`,
			`UPDATE questions SET question = (SELECT question FROM questions o WHERE o.account <> questions.account) WHERE account = $1`,
			`DELETE FROM questions WHERE account = $1`,
		} {
			do(q, string(ada))
			at := w.is(w.signIn("ada", nil), 202, "")
			if len(at.Layers) != 1 || at.Layers[0].Layer != name || strings.Contains(at.Raw, "Mine?") || !w.line(ada).Enabled {
				t.Errorf("%s: %s", q, at.Raw)
			}
			w.is(w.try(at, "chosen by eve"), 401, "wrong_answer")
		}
		// eve's row, made ada's, opens nothing either.
		do(`UPDATE questions SET account = $1 WHERE account = $2`, string(ada), string(eve))
		w.is(w.try(w.is(w.signIn("ada", nil), 202, ""), "chosen by eve"), 401, "wrong_answer")
		// The owner, in a session from before, sets it up anew.
		if err := w.Put(t.Context(), by(ada), rosebud); err != nil {
			t.Fatal(err)
		}
		w.is(w.try(w.is(w.signIn("ada", nil), 202, ""), "rose bud"), 201, "")
	})
}
