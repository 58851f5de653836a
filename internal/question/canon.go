package question

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"coffer/internal/fault"
	"coffer/internal/text"
)

// Limits in code points. The least is that of an answer's canonical form.
const (
	maxText   = 200
	maxAnswer = 200
	minAnswer = 3
)

// Question is what an owner sets up.
type Question struct{ Question, Answer, Hint string }

// canon returns the one form of an answer that is hashed (protocols.md §4): NFKC, case
// folded, trimmed, each run of white space one space. The fold can undo NFKC, so that comes
// again. The canonical form of a canonical form is itself.
func canon(s string) string {
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.Join(strings.Fields(s), " ")
}

// checked returns the question in its stored form and the canonical answer, or names every
// field that is refused.
func (q Question) checked() (Question, string, error) {
	var fields []fault.Field
	refuse := func(f fault.Field) { fields = append(fields, f) }
	line := func(pointer, s string, most int) string {
		s = strings.TrimSpace(norm.NFC.String(s))
		switch {
		case utf8.RuneCountInString(s) > most:
			refuse(fault.Field{Pointer: pointer, Code: "too_long", Detail: fmt.Sprintf("At most %d characters.", most)})
		case strings.ContainsFunc(s, func(r rune) bool { return !text.Printable(r) }):
			refuse(fault.Field{Pointer: pointer, Code: "invalid_characters", Detail: "One line, without control, direction or invisible characters."})
		}
		return s
	}
	out := Question{Question: line("/question", q.Question, maxText), Hint: line("/hint", q.Hint, maxText)}
	answer := canon(line("/answer", q.Answer, maxAnswer))
	if len(fields) > 0 {
		return Question{}, "", fault.InvalidFields(fields...)
	}
	if !text.Visible(out.Question) {
		refuse(fault.Field{Pointer: "/question", Code: "required", Detail: "Write a question."})
	}
	if n := utf8.RuneCountInString(answer); n < minAnswer || !text.Visible(answer) {
		refuse(fault.Field{Pointer: "/answer", Code: "too_short", Detail: fmt.Sprintf("An answer has at least %d characters.", minAnswer)})
	} else if tells(out.Question, answer) {
		refuse(fault.Field{Pointer: "/answer", Code: "in_question", Detail: "The question must not hold its answer."})
	} else if tells(out.Hint, answer) {
		refuse(fault.Field{Pointer: "/answer", Code: "in_hint", Detail: "The hint must not hold the answer."})
	}
	if len(fields) > 0 {
		return Question{}, "", fault.InvalidFields(fields...)
	}
	return out, answer, nil
}

// tells reports whether a text holds a canonical answer, whatever stands between its letters
// and digits: a hint "St Johns" tells the answer "St. John's".
func tells(s, answer string) bool {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
				return r
			}
			return -1
		}, s)
	}
	s = canon(s)
	letters := bare(answer)
	return strings.Contains(s, answer) || utf8.RuneCountInString(letters) >= minAnswer && strings.Contains(bare(s), letters)
}
