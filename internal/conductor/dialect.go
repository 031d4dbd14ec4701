package conductor

import (
	"fmt"
	"strings"
	"unicode"
)

// condition is one of those that a search joins with AND: FIELD = VALUE, FIELD IN (VALUE, ...), FIELD < or > VALUE.
type condition struct {
	field  string
	op     string // =, IN, <, >, <=, >=
	values []string
}

// MaxConditions bounds the conditions of one search, and the values of one IN.
const MaxConditions = 1000

// parseQuery reads the query of a search (docs/reference/automation-api.md, Searching).
func parseQuery(query string) ([]condition, error) {
	words, err := split(query)
	if err != nil {
		return nil, err
	}
	var found []condition
	for len(words) > 0 {
		var c condition
		if c, words, err = parseCondition(words); err != nil {
			return nil, err
		}
		if found = append(found, c); len(found) > MaxConditions {
			return nil, fmt.Errorf("more than %d conditions", MaxConditions)
		}
		if len(words) == 0 {
			break
		}
		if words[0].quoted || !strings.EqualFold(words[0].text, "AND") {
			return nil, fmt.Errorf("there must be AND in place of %s", words[0].text)
		}
		if words = words[1:]; len(words) == 0 {
			return nil, fmt.Errorf("a condition is missing behind AND")
		}
	}
	return found, nil
}

type word struct {
	text   string
	quoted bool
}

func parseCondition(words []word) (condition, []word, error) {
	if len(words) < 3 {
		return condition{}, nil, fmt.Errorf("%s is no condition", words[0].text)
	}
	c := condition{field: words[0].text, op: strings.ToUpper(words[1].text)}
	rest := words[2:]
	switch c.op {
	case "=", "<", ">", "<=", ">=":
		c.values = []string{rest[0].text}
		return c, rest[1:], nil
	case "IN":
	default:
		return c, nil, fmt.Errorf("%s is none of =, <, >, <=, >= and IN", words[1].text)
	}
	if rest[0].quoted || rest[0].text != "(" {
		return c, nil, fmt.Errorf("there must be ( behind IN")
	}
	for rest = rest[1:]; len(rest) > 0; rest = rest[1:] {
		switch {
		case rest[0].quoted:
		case rest[0].text == ",":
			continue
		case rest[0].text == ")":
			if len(c.values) == 0 || len(c.values) > MaxConditions {
				return c, nil, fmt.Errorf("IN must have from 1 to %d values", MaxConditions)
			}
			return c, rest[1:], nil
		}
		c.values = append(c.values, rest[0].text)
	}
	return c, nil, fmt.Errorf("the ) of IN is missing")
}

// split takes a query apart: words, texts in ' or ", and signs.
func split(query string) ([]word, error) {
	var words []word
	for rest := strings.TrimSpace(query); rest != ""; rest = strings.TrimSpace(rest) {
		switch c := rest[0]; {
		case c == '\'' || c == '"':
			end := strings.IndexByte(rest[1:], c)
			if end < 0 {
				return nil, fmt.Errorf("the closing %c is missing", c)
			}
			words = append(words, word{rest[1 : end+1], true})
			rest = rest[end+2:]
		case strings.IndexByte("(),", c) >= 0:
			words = append(words, word{text: rest[:1]})
			rest = rest[1:]
		case strings.IndexByte("=<>", c) >= 0:
			n := 1
			if len(rest) > 1 && rest[1] == '=' && c != '=' {
				n = 2
			}
			words = append(words, word{text: rest[:n]})
			rest = rest[n:]
		default:
			end := strings.IndexFunc(rest, func(r rune) bool {
				return unicode.IsSpace(r) || strings.ContainsRune("(),=<>'\"", r)
			})
			if end < 0 {
				end = len(rest)
			}
			words = append(words, word{text: rest[:end]})
			rest = rest[end:]
		}
	}
	return words, nil
}
