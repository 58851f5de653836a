package drop

import (
	"crypto/rand"
	_ "embed" // the words of names
	"math/big"
	"strings"
)

//go:embed names.txt
var nameText string

// nameWords are the first and second words of names: two blocks of names.txt.
var nameWords = func() (lists [2][]string) {
	first, second, _ := strings.Cut(nameText, "\n\n")
	return [2][]string{strings.Fields(first), strings.Fields(second)}
}()

// newName returns two random words. Names are public; that they are hard to guess only
// keeps strangers from meeting by chance.
func (s *Service) newName() (string, error) {
	var words [2]string
	for i, list := range nameWords {
		n, err := rand.Int(s.Rand, big.NewInt(int64(len(list))))
		if err != nil {
			return "", err
		}
		words[i] = list[n.Int64()]
	}
	return words[0] + "-" + words[1], nil
}
