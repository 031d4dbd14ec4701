package transcript

import (
	"strings"
	"unicode"
)

// Words are the words of a text as they are compared: in lower case, without punctuation.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	})
}

// WordErrors is how many words of said are missing, wrong or too many in heard: the least number of changes that make
// one the other.
func WordErrors(said, heard []string) int {
	row := make([]int, len(heard)+1)
	for j := range row {
		row[j] = j
	}
	for i, want := range said {
		corner := row[0]
		row[0] = i + 1
		for j, got := range heard {
			change := corner
			if want != got {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(heard)]
}
