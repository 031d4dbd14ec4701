package directory

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// What a word weighs by where it stands in an operation or in its API.
const (
	weightProvider  = 110
	weightTitle     = 100
	weightService   = 80
	weightID        = 80
	weightPath      = 76
	weightTag       = 50
	weightSummary   = 48
	weightVerb      = 30
	weightVersion   = 20
	weightParameter = 8
)

// Limits of a segment: ids of APIs and operations are packed.
const (
	maxSegmentAPIs       = 1 << 16
	maxSegmentOperations = 1 << 24
)

// segment is an index over APIs. It does not change once it is built.
type segment struct {
	apis  []API    // without their operations
	first []uint32 // first operation of each API, and behind the last
	text  string   // the paths, ids and summaries of all operations
	ops   []packed
	// Of each operation: its method as a place in methods, and how many words it has of its own.
	method []uint8
	size   []uint8
	titles [][]string // the words of each API's title, but for api

	byWord  postings // words of operations
	byOwner postings // words of APIs: provider, title, service, version
}

// packed is an operation: its API and where its texts are.
type packed struct {
	api                     uint16
	path, id, summary       uint32 // offsets
	pathLen, idLen, summLen uint16
}

// postings says for every word where it stands, and how much it weighs there.
type postings struct {
	words []string // sorted
	start []uint32 // where the entries of each word begin, and the end of the last
	list  []uint32 // id<<8 | weight, by id
}

// entries are those of one word.
func (p *postings) entries(word int) []uint32 { return p.list[p.start[word]:p.start[word+1]] }

// prefixed is the range of the words that begin with a text.
func (p *postings) prefixed(text string) (from, to int) {
	from = sort.SearchStrings(p.words, text)
	return from, from + sort.Search(len(p.words)-from, func(i int) bool {
		return !strings.HasPrefix(p.words[from+i], text)
	})
}

// gatherer collects the words of one posting list.
type gatherer struct {
	numbers map[string]uint32
	words   []string
	pairs   []uint64 // word<<32 | id<<8 | weight
}

func (g *gatherer) add(word string, id uint32, weight uint8) {
	number, known := g.numbers[word]
	if !known {
		number = uint32(len(g.words))
		word = strings.Clone(word)
		g.numbers[word] = number
		g.words = append(g.words, word)
	}
	g.pairs = append(g.pairs, uint64(number)<<32|uint64(id)<<8|uint64(weight))
}

// postings sorts what was gathered; a word that an id has twice weighs what it weighs most.
func (g *gatherer) postings() postings {
	order := make([]uint32, len(g.words))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(g.words[a], g.words[b]) })
	p := postings{words: make([]string, len(order)), start: make([]uint32, len(order)+1)}
	place := make([]uint32, len(order)) // of a word's number in the order
	for i, number := range order {
		p.words[i] = g.words[number]
		place[number] = uint32(i)
	}
	counts := make([]uint32, len(order)+1)
	for _, pair := range g.pairs {
		counts[place[pair>>32]+1]++
	}
	for i := range order {
		counts[i+1] += counts[i]
	}
	// Pairs are in the order of ids, and so are the entries of each word.
	sorted := make([]uint32, len(g.pairs))
	next := slices.Clone(counts)
	for _, pair := range g.pairs {
		at := place[pair>>32]
		sorted[next[at]] = uint32(pair)
		next[at]++
	}
	for i := range order {
		p.start[i] = uint32(len(p.list))
		for _, entry := range sorted[counts[i]:counts[i+1]] {
			if last := len(p.list) - 1; last >= int(p.start[i]) && p.list[last]>>8 == entry>>8 {
				p.list[last] = max(p.list[last], entry)
				continue
			}
			p.list = append(p.list, entry)
		}
	}
	p.start[len(order)] = uint32(len(p.list))
	p.list = slices.Clip(p.list)
	return p
}

// builder makes a segment, API by API, the best first.
type builder struct {
	segment
	texts  strings.Builder
	ops    gatherer
	owners gatherer
}

func newBuilder() *builder {
	return &builder{
		ops: gatherer{numbers: map[string]uint32{}}, owners: gatherer{numbers: map[string]uint32{}},
	}
}

// add indexes an API. One that has no room any more is left out.
func (b *builder) add(api API) {
	number := len(b.apis)
	if number == maxSegmentAPIs || len(b.segment.ops)+len(api.Operations) > maxSegmentOperations {
		return
	}
	owner := func(text string, weight uint8) {
		words(text, func(word string) { b.owners.add(word, uint32(number), weight) })
	}
	host, _, _ := strings.Cut(api.Provider, ":")
	if dot := strings.LastIndexByte(host, '.'); dot > 0 {
		host = host[:dot] // of stripe.com people type stripe
	}
	owner(api.Provider, weightProvider/3)
	owner(host, weightProvider)
	owner(api.Title, weightTitle)
	owner(api.Service, weightService)
	owner(api.Version, weightVersion)
	var title []string
	words(api.Title, func(word string) {
		if word != "api" {
			title = append(title, word)
		}
	})
	b.titles = append(b.titles, title)
	b.first = append(b.first, uint32(len(b.segment.ops)))
	var before packed
	for i, fact := range api.Operations {
		op := packed{api: uint16(number)}
		if i > 0 && api.Operations[i-1].Path == fact.Path {
			op.path, op.pathLen = before.path, before.pathLen
		} else {
			op.path, op.pathLen = b.keep(fact.Path)
		}
		op.id, op.idLen = b.keep(fact.ID)
		op.summary, op.summLen = b.keep(fact.Summary)
		b.index(fact)
		b.method = append(b.method, methodNumber(fact.Method))
		b.segment.ops = append(b.segment.ops, op)
		before = op
	}
	api.Operations = nil
	b.apis = append(b.apis, api)
}

func (b *builder) keep(text string) (offset uint32, length uint16) {
	at := b.texts.Len()
	text = text[:min(len(text), tableNote)]
	b.texts.WriteString(text)
	return uint32(at), uint16(len(text))
}

func (b *builder) index(fact Fact) {
	id, size := uint32(len(b.segment.ops)), 0
	add := func(text string, weight uint8) {
		words(text, func(word string) {
			b.ops.add(word, id, weight)
			if weight >= weightPath {
				size++
			}
		})
	}
	add(fact.ID, weightID)
	for step := range strings.SplitSeq(fact.Path, "/") {
		weight := uint8(weightPath)
		if strings.HasPrefix(step, "{") {
			weight = weightParameter
		}
		add(step, weight)
	}
	for _, tag := range fact.Tags {
		add(tag, weightTag)
	}
	add(fact.Summary, weightSummary)
	b.size = append(b.size, uint8(min(size, 255)))
}

func (b *builder) build() *segment {
	s := b.segment
	s.first = append(s.first, uint32(len(s.ops)))
	s.text = b.texts.String()
	s.byWord, s.byOwner = b.ops.postings(), b.owners.postings()
	s.ops, s.size = slices.Clip(s.ops), slices.Clip(s.size)
	return &s
}

func methodNumber(name string) uint8 {
	return uint8(max(0, slices.Index(methods, strings.ToLower(name))))
}

// item is an operation as searches answer it.
func (s *segment) item(id uint32) Item {
	op := s.ops[id]
	api := &s.apis[op.api]
	return Item{
		Provider: api.Provider, API: api.Title, Version: api.Version, Method: strings.ToUpper(methods[s.method[id]]),
		Path:        s.text[op.path:][:op.pathLen],
		OperationID: s.text[op.id:][:op.idLen], Summary: s.text[op.summary:][:op.summLen], DocumentURL: api.URL,
	}
}
