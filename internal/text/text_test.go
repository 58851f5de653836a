package text

import "testing"

func TestVisible(t *testing.T) {
	for _, s := range []string{
		"", " ", "\u00a0", "\u3000", "\u00ad", "\u034f", "\u061c", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u180e", "\u200b", "\u200c", "\u200d",
		"\u200e", "\u200f", "\u2028", "\u2060", "\u2064", "\u206f", "\u2800", "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\ufff0", "\U0001d159", "\U0001d173",
		"\U000e0001", "\U000e0020", "\U000e01ef", "\U000e0fff", "\u200b \u2800\u3164",
	} {
		if Visible(s) {
			t.Errorf("%+q shows nothing", s)
		}
	}
	for _, s := range []string{"a", ".", "\u0600", "\u0301", "日", "👨\u200d👩\u200d👧", "❤\ufe0f", "\u200ea", "می\u200cخواهم", "\ufffd", "\ue000"} {
		if !Visible(s) {
			t.Errorf("%+q is visible", s)
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, r := range "a Z9.日é\u00a0\u3000\u0301\u200c\u200d❤👨\U000e0100" {
		if !Printable(r) {
			t.Errorf("%+q may be shown", r)
		}
	}
	for _, r := range "\x00\n\t\x7f\u0085\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\ufffd\ufdd0\uffff\ue000\U000e0001\U000e0020" {
		if Printable(r) {
			t.Errorf("%+q may not be shown", r)
		}
	}
}

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		" a\nb\u202e ": "ab", "\t\u200b": "", "\u200d \u2800": "", "👨\u200d👩": "👨\u200d👩", "": "", "a\xffb": "ab",
	} {
		if got := Line(s); got != want {
			t.Errorf("%+q: %+q, want %+q", s, got, want)
		}
	}
}

func TestControlAndReorders(t *testing.T) {
	for r := rune(0); r < 0x2fff; r++ {
		control := r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
		reorders := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		if Control(r) != control || Reorders(r) != reorders {
			t.Errorf("%U: control %t, reorders %t", r, Control(r), Reorders(r))
		}
		if Printable(r) && (control || reorders) {
			t.Errorf("%U may be shown", r)
		}
	}
}
