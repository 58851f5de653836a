package sms

import (
	"fmt"
	"net/netip"
	"strings"

	"coffer/internal/lang"
)

// maxSeptets is the room of one segment in the GSM alphabet (3GPP TS 23.040 §9.2.3.24).
const maxSeptets = 160

// words hold the product's name twice; the code comes first, where a notification shows it.
var words = map[string]string{
	"en": "%[1]s is your %[2]s code. Never share it: %[2]s never asks for it.",
	"de": "%[1]s ist Ihr %[2]s-Code. Geben Sie ihn niemandem: %[2]s fragt nie danach.",
}

// CodeText returns the message that carries a code, in the language of a tag. Its last line
// binds the code to a host (the origin-bound one-time code format of WebOTP), if host is a
// name and the line fits.
func CodeText(tag, product, code, host string) string {
	text := fmt.Sprintf(words[lang.Of(tag)], code, product)
	if _, err := netip.ParseAddr(host); host == "" || err == nil {
		return text
	}
	if bound := text + "\n\n@" + host + " #" + code; septets(bound) <= maxSeptets {
		return bound
	}
	return text
}

// The GSM 7-bit alphabet (3GPP TS 23.038 §6.2.1). A character of the extension takes two
// septets. Any other character would make a message of 16-bit characters, 70 a segment.
const (
	gsm = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	ext = "\f^{}\\[~]|€"
)

// septets returns the length of a text in the GSM alphabet, or a length beyond every segment
// for a text that the alphabet cannot write.
func septets(text string) (n int) {
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm, r):
			n++
		case strings.ContainsRune(ext, r):
			n += 2
		default:
			return maxSeptets * maxSeptets
		}
	}
	return n
}
