package api

import (
	"encoding/base64"
	"sort"
	"strconv"
	"strings"

	"switchboard/internal/problem"
)

// MaxPage is the longest page and the usual one; a greater limit counts as this.
const MaxPage = 100

// cursor is an opaque text to clients. It names the list, so that one of another list is refused, and the last record
// seen: records never change their Seq, so pages neither skip nor repeat under inserts and deletes.
func (c *call) cursor(seq int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.route.ID + ":" + strconv.FormatInt(seq, 36)))
}

// after reads the cursor of the request: the Seq behind which the page begins.
func (c *call) after() (int64, error) {
	if !c.query.Has("cursor") {
		return 0, nil
	}
	bad := problem.InvalidQuery("cursor", "is not one that this list gave")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(c.query["cursor"])
	if err != nil {
		return 0, bad
	}
	text, ok := strings.CutPrefix(string(raw), c.route.ID+":")
	if !ok {
		return 0, bad
	}
	seq, err := strconv.ParseInt(text, 36, 64)
	if err != nil || seq < 1 || strconv.FormatInt(seq, 36) != text {
		return 0, bad
	}
	return seq, nil
}

// paged picks one page of a list that is in ascending order of seq, keeping those that want takes, and renders it.
func paged[R, B any](c *call, list []R, seq func(R) int64, want func(R) bool, body func(R) B) (page[B], error) {
	after, err := c.after()
	if err != nil {
		return page[B]{}, err
	}
	limit := int(min(c.query.Int("limit", MaxPage), MaxPage))
	first := sort.Search(len(list), func(i int) bool { return seq(list[i]) > after })
	p := page[B]{Items: []B{}}
	last := int64(0)
	for _, record := range list[first:] {
		if want != nil && !want(record) {
			continue
		}
		if len(p.Items) == limit {
			p.Cursor = c.cursor(last)
			break
		}
		last = seq(record)
		p.Items = append(p.Items, body(record))
	}
	return p, nil
}

// showPage answers with a page.
func showPage[R, B any](
	c *call, list []R, seq func(R) int64, want func(R) bool, body func(R) B,
) (answer, error) {
	p, err := paged(c, list, seq, want, body)
	if err != nil {
		return answer{}, err
	}
	return show(p)
}
