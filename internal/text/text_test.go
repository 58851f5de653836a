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
