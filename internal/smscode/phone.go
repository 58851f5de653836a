package smscode

import (
	"slices"
	"strings"

	"coffer/internal/fault"
	"coffer/internal/sms"
)

// parse returns a number that a person typed as E.164: without the spaces and hyphens that
// people group it with.
func (s *Service) parse(text string) (string, error) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(text)
	if !sms.Number(number) {
		return "", fault.InvalidField("/phone", "invalid_phone", "A number begins with a plus sign and the country, such as +49.")
	}
	may := !strings.Contains(global, " "+country(number)[1:]+" ")
	if countries := s.countries(); len(countries) > 0 {
		may = slices.ContainsFunc(countries, func(c string) bool { return strings.HasPrefix(number, c) })
	}
	if !may {
		return "", fault.InvalidField("/phone", "unsupported_country", "This server sends no text messages to that country.")
	}
	return number, nil
}

// global are the codes of no country (ITU-T E.164, list of assigned codes): shared cost,
// satellites, international networks, and premium rates. A message there can cost a hundred
// times that of a country, and a part of it may go to the owner of the number.
const global = " 800 808 870 878 881 882 883 888 979 "

// twoDigits are the country codes of two digits (ITU-T E.164, list of assigned codes).
const twoDigits = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "

// country returns the country code of a number in E.164. Countries 1 and 7 have one digit.
// The others that are not in the list have three.
func country(number string) string {
	switch {
	case number[1] == '1' || number[1] == '7':
		return number[:2]
	case strings.Contains(twoDigits, " "+number[1:3]+" "):
		return number[:3]
	}
	return number[:4]
}

// area is what messages are counted for by country. Country 1 is many countries: its area
// code tells which.
func area(number string) string {
	if c := country(number); c != "+1" {
		return c
	}
	return number[:5]
}

// plain is what messages are counted for by number: without the zeros after the country
// code. Some services drop them, so +49 0170… and +49 170… may be one telephone.
func plain(number string) string {
	c := country(number)
	return c + strings.TrimLeft(number[len(c):], "0")
}

// mask shows a number to its owner: the country and the last two digits.
func mask(number string) string {
	return country(number) + " ••• ••" + number[len(number)-2:]
}
