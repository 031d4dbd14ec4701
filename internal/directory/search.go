package directory

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// The limits of a search.
const (
	MaxQuery  = 200 // characters
	MaxLimit  = 100 // items
	maxWords  = 8   // of a query; more do not count
	maxSingle = 2000
	fewItems  = 10 // fewer are filled up with operations that lack one word
)

// Item is an operation that was found.
type Item struct {
	Provider    string `json:"provider"`
	API         string `json:"api"`
	Version     string `json:"version"`
	Method      string `json:"method"`
	Path        string `json:"path"`
	OperationID string `json:"operation_id"`
	Summary     string `json:"summary"` // "" where the company does not have the document
	DocumentURL string `json:"document_url"`
}

// hit is an operation with its score.
type hit struct {
	id    uint32
	score int32
}

// better orders hits: the higher score, then the place in the index, which is by merit as well.
func better(a, b hit) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) }

// query is what somebody typed, in words.
type query struct {
	words  []string
	method string // the one that the query names in capitals: "PATCH /api/v2/callcenters"
}

func parseQuery(text string) query {
	var q query
	for field := range strings.FieldsSeq(text) {
		if upper := strings.ToUpper(field); upper == field && q.method == "" &&
			slices.Contains(methods, strings.ToLower(field)) {
			q.method = upper
			continue
		}
		words(field, func(word string) {
			if len(q.words) < maxWords && !slices.Contains(q.words, word) {
				q.words = append(q.words, word)
			}
		})
	}
	return q
}

// scratch is what a search needs and the next one can use again.
type scratch struct {
	best  []uint8 // what the present word weighs in each operation
	total []int32
	seen  []uint8 // how many words were found in each operation
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

func (s *scratch) fit(n int) {
	if cap(s.best) < n {
		s.best, s.total, s.seen = make([]uint8, n), make([]int32, n), make([]uint8, n)
	}
	s.best, s.total, s.seen = s.best[:n], s.total[:n], s.seen[:n]
	clear(s.total)
	clear(s.seen)
}

// search gives the best operations, at most limit: those with the most words of the query, and some that lack one.
func (s *segment) search(q query, hidden map[string]bool, limit int) []hit {
	if len(s.ops) == 0 || len(q.words) == 0 && q.method == "" {
		return nil
	}
	work := scratches.Get().(*scratch)
	defer scratches.Put(work)
	work.fit(len(s.ops))
	single := len(q.words) == 1 && q.method == ""
	most := uint8(0)
	for i := range q.words {
		if verbs[q.words[i]] == nil || single {
			clear(work.best)
			s.weigh(q, i, work.best, single)
			most = max(most, work.sum())
		}
	}
	// Words that mean a method say little: where others were found, they only tell those operations apart.
	said := most > 0
	for i := range q.words {
		if verbs[q.words[i]] != nil && !single {
			clear(work.best)
			s.weigh(q, i, work.best, single)
			if said {
				most = max(most, s.addVerb(verbs[q.words[i]], work))
			} else {
				s.weighVerb(verbs[q.words[i]], work.best, len(s.ops))
				most = max(most, work.sum())
			}
		}
	}
	if len(q.words) == 0 {
		s.ofMethod(q.method, work)
		most = 1
	}
	if most == 0 {
		return nil
	}
	return s.pick(q, work, work.enough(most), hidden, limit)
}

// sum adds what one word weighs to what the words before it did, and says how many of them stand together somewhere.
func (s *scratch) sum() (most uint8) {
	total, seen := s.total[:len(s.best)], s.seen[:len(s.best)]
	for id := next(s.best, 0); id < len(s.best); id = next(s.best, id+1) {
		total[id] += int32(s.best[id])
		seen[id]++
		most = max(most, seen[id])
	}
	return most
}

// next is the first place from one on that is not 0; most are, and they are passed eight at a time.
func next(list []uint8, from int) int {
	for ; from < len(list); from++ {
		if list[from] != 0 {
			return from
		}
		for from+9 <= len(list) && binary.NativeEndian.Uint64(list[from+1:]) == 0 {
			from += 8
		}
	}
	return len(list)
}

// enough is how many words an operation must have to be among the results: all that stand together anywhere, or one
// less where few operations have all.
func (s *scratch) enough(most uint8) uint8 {
	if most < 2 || bytes.Count(s.seen, []byte{most}) >= fewItems {
		return most
	}
	return most - 1
}

// ofMethod finds all operations of a method, for a query that names nothing else.
func (s *segment) ofMethod(name string, work *scratch) {
	number := methodNumber(name)
	for id := range s.method[:min(len(s.ops), maxSingle)] {
		if s.method[id] == number {
			work.seen[id] = 1
		}
	}
}

// weigh notes in best what the i-th word of the query weighs in each operation. A single word looks at no more than
// maxSingle entries of each word of the index: entries are by merit, and nobody reads further.
func (s *segment) weigh(q query, i int, best []uint8, single bool) {
	text, part := q.words[i], 100
	if verbs[text] != nil {
		part = verbPart
	}
	found := s.weighWord(text, best, part, single)
	if singular := strings.TrimSuffix(text, "s"); len(text) > 3 && singular != text {
		found = s.weighWord(singular, best, 90, single) || found
	}
	// "call center" is "callcenter" as well.
	if i+1 < len(q.words) {
		found = s.weighWord(text+q.words[i+1], best, 95, single) || found
	}
	if i > 0 {
		found = s.weighWord(q.words[i-1]+text, best, 95, single) || found
	}
	switch {
	case verbs[text] != nil && single:
		s.weighVerb(verbs[text], best, maxSingle)
	case verbs[text] == nil && !found:
		s.weighHalves(text, best)
	}
}

// weighWord notes a word and all that begins with it; what is longer weighs less. part is in percent.
func (s *segment) weighWord(text string, best []uint8, part int, single bool) bool {
	from, to := s.byWord.prefixed(text)
	budget := len(s.byWord.list)
	if single {
		budget = 10 * maxSingle
	}
	for word := from; word < to && budget > 0; word++ {
		entries := s.byWord.entries(word)
		if single && len(entries) > maxSingle {
			entries = entries[:maxSingle]
		}
		budget -= len(entries)
		scale := part * nearness(text, s.byWord.words[word]) / 100
		for _, entry := range entries {
			weight := uint8(int(entry&0xff) * scale / 100)
			if id := entry >> 8; weight > best[id] {
				best[id] = weight
			}
		}
	}
	apis, behind := s.byOwner.prefixed(text)
	owned := 10 * maxSingle
	for word := apis; word < behind; word++ {
		scale := part * nearness(text, s.byOwner.words[word]) / 100
		for _, entry := range s.byOwner.entries(word) {
			weight := uint8(int(entry&0xff) * scale / 100)
			if owned -= int(s.first[entry>>8+1] - s.first[entry>>8]); owned < 0 && single {
				return true
			}
			for id := s.first[entry>>8]; id < s.first[entry>>8+1]; id++ {
				best[id] = max(best[id], weight)
			}
		}
	}
	return to > from || behind > apis
}

// nearness is how well a prefix fits a word, in percent. A plural is as good as the word.
func nearness(prefix, word string) int {
	switch len(word) - len(prefix) {
	case 0:
		return 100
	case 1:
		if word[len(word)-1] == 's' {
			return 97
		}
	}
	return 40 + 40*len(prefix)/len(word)
}

// verbPart is what a word that means a method counts, in percent: nearly every API has it.
const verbPart = 60

// weighVerb notes a word that means one of some methods, in the first operations that have one of them.
func (s *segment) weighVerb(names []string, best []uint8, most int) {
	means := meant(names)
	for id, method := range s.method {
		if means[method] && best[id] < weightVerb {
			best[id] = weightVerb
			if most--; most == 0 {
				return
			}
		}
	}
}

// addVerb adds such a word to the operations that other words found.
func (s *segment) addVerb(names []string, work *scratch) (most uint8) {
	means := meant(names)
	for id := next(work.seen, 0); id < len(work.seen); id = next(work.seen, id+1) {
		weight := work.best[id]
		if weight < weightVerb && means[s.method[id]] {
			weight = weightVerb
		}
		if weight > 0 {
			work.total[id] += int32(weight)
			work.seen[id]++
		}
		most = max(most, work.seen[id])
	}
	return most
}

func meant(names []string) (means [16]bool) {
	for _, name := range names {
		means[methodNumber(name)] = true
	}
	return means
}

// weighHalves finds "callcenter" where the index has call and center.
func (s *segment) weighHalves(text string, best []uint8) {
	for i := 3; i+3 <= len(text); i++ {
		if !utf8.RuneStart(text[i]) {
			continue
		}
		left, right := s.exactly(text[:i]), s.exactly(text[i:])
		if left == nil || right == nil {
			continue
		}
		for len(left) > 0 && len(right) > 0 {
			switch a, b := left[0]>>8, right[0]>>8; {
			case a < b:
				left = left[1:]
			case b < a:
				right = right[1:]
			default:
				best[a] = max(best[a], uint8(min(left[0]&0xff, right[0]&0xff)*9/10))
				left, right = left[1:], right[1:]
			}
		}
	}
}

func (s *segment) exactly(word string) []uint32 {
	if at, known := slices.BinarySearch(s.byWord.words, word); known {
		return s.byWord.entries(at)
	}
	return nil
}

// pick scores the operations that have enough words and gives the best.
func (s *segment) pick(q query, work *scratch, enough uint8, hidden map[string]bool, limit int) []hit {
	bonus := make([]int32, len(s.apis))
	for i := range s.apis {
		bonus[i] = s.merit(i, q, hidden)
	}
	method, named := methodNumber(q.method), q.method != ""
	var found []hit
	for id := next(work.seen, 0); id < len(work.seen); id = next(work.seen, id+1) {
		seen := work.seen[id]
		if seen < enough || named && s.method[id] != method {
			continue
		}
		merit := bonus[s.ops[id].api]
		if merit == hiddenMerit {
			continue
		}
		// An operation of few words of its own is the more about those that were asked for.
		brevity := 60 * int32(seen) / int32(s.size[id]+2)
		h := hit{uint32(id), work.total[id] + merit + brevity + int32(seen)*perWord}
		if len(found) == limit && better(h, found[limit-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(found, h, better)
		if len(found) == limit {
			found = found[:limit-1]
		}
		found = slices.Insert(found, at, h)
	}
	return found
}

// What an API adds to the scores of its operations.
const (
	meritTitle  = 60  // the query has all words of the title
	meritOwn    = 25  // the company has the document
	meritOld    = -60 // there is a newer version
	hiddenMerit = -1 << 30
)

// perWord is what a word that was found adds, more than all else together.
const perWord = 10_000

func (s *segment) merit(number int, q query, hidden map[string]bool) int32 {
	api := &s.apis[number]
	if hidden[api.URL] {
		return hiddenMerit
	}
	merit := int32(0)
	if api.Old {
		merit += meritOld
	}
	if len(s.titles[number]) == 0 {
		return merit
	}
	for _, word := range s.titles[number] {
		if !slices.Contains(q.words, word) {
			return merit
		}
	}
	return merit + meritTitle
}
