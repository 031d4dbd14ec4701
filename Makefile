# One command runs the demo (make run), one passes the tests (make test). The rest is for those who build Switchboard.
GO ?= go
BIN := bin/switchboard
WEB := web/dist/manifest.json
WEB_SOURCES := $(shell find web/src web/package.json web/package-lock.json web/*.mjs web/tsconfig.json 2>/dev/null)
TOOL := $(GO) tool -modfile=tools/go.mod
SEEDS ?= 1000

.PHONY: run build web test check sim fuzz interop bench ci clean

run: build            ## build everything and start the demo company
	$(BIN) demo

build: $(WEB)         ## bin/switchboard, with the pages in it
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN) ./cmd/switchboard

web: $(WEB)           ## the pages

$(WEB): $(WEB_SOURCES)
	cd web && npm ci --no-audit --no-fund && npm run build

test: $(WEB)          ## everything a fresh machine with Go and Node can run
	cd web && npm run check && npm test
	$(GO) vet ./...
	$(GO) test ./...

check:                ## formatting, static analysis, dead code
	@test -z "$$($(TOOL) gofumpt -l cmd internal openapi web/*.go test)" || \
		{ $(TOOL) gofumpt -d cmd internal openapi web/*.go test; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	@dead="$$($(TOOL) deadcode -test ./...)"; test -z "$$dead" || { echo "$$dead"; exit 1; }

sim:                  ## SEEDS seeded worlds, with invariants and an oracle for each strategy
	SWITCHBOARD_SEEDS=$(SEEDS) $(GO) test -count=1 -timeout 30m ./internal/sim

fuzz:                 ## each fuzz target for FUZZTIME
	sh test/fuzz.sh $(or $(FUZZTIME),20s)

interop: $(WEB)       ## real peers: sipp, baresip, Chromium (installs them where it may)
	sh test/interop/install.sh
	SWITCHBOARD_INTEROP=1 $(GO) test -count=1 -timeout 25m ./test/...

bench: build          ## the figures of docs/internals/benchmarks.md, measured here
	sh test/bench/run.sh

ci: check test interop ## what .ci/run runs once the machine is ready
	$(GO) test -race -timeout 25m ./...
	$(MAKE) sim

clean:
	rm -rf bin web/node_modules web/dist/*.js web/dist/*.css web/dist/*.gz web/dist/*.html web/dist/manifest.json
