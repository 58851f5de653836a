package db

import "strconv"

// Places returns n placeholders from $first on: "$2, $3".
func Places(first, n int) string {
	all := make([]byte, 0, 6*n)
	for i := range n {
		if i > 0 {
			all = append(all, ", "...)
		}
		all = strconv.AppendInt(append(all, '$'), int64(first+i), 10)
	}
	return string(all)
}

// List returns placeholders for values after the arguments before, and all arguments.
func List[T any](values []T, before ...any) (places string, args []any) {
	args = before
	for _, v := range values {
		args = append(args, v)
	}
	return Places(len(before)+1, len(values)), args
}

// maxAtOnce is the most values of a list in one statement.
const maxAtOnce = 128

// InPieces calls do with pieces of all whose lengths are powers of two. Statements over
// them have few different texts, and each text is prepared once.
func InPieces[T any](all []T, do func([]T) error) error {
	for size := maxAtOnce; len(all) > 0; {
		for size > len(all) {
			size /= 2
		}
		if err := do(all[:size]); err != nil {
			return err
		}
		all = all[size:]
	}
	return nil
}

// Strings reads the only column of every row and closes the rows.
func (r *Rows) Strings() ([]string, error) {
	defer r.Close()
	var all []string
	for r.Next() {
		var s string
		if err := r.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, r.Err()
}
