# One command runs the demo (make run), one passes the tests (make test). The rest is for those who build Switchboard.
GO ?= go
BIN := bin/switchboard
WORKER := bin/switchboard-speech
WEB := web/dist/manifest.json
WEB_SOURCES := $(shell find web/src web/package.json web/package-lock.json web/*.mjs web/tsconfig.json 2>/dev/null)
TOOL := $(GO) tool -modfile=tools/go.mod
SEEDS ?= 1000
FLOWS ?= 10000

.PHONY: run build web test race check sim fuzz interop soak bench ci clean

run: build            ## build everything and start the demo company
	$(BIN) demo

build: $(WEB)         ## bin/switchboard, with the pages in it, and the speech worker beside it
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN) ./cmd/switchboard
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(WORKER) ./cmd/switchboard-speech

web: $(WEB)           ## the pages

$(WEB): $(WEB_SOURCES)
	cd web && npm ci --no-audit --no-fund && npm run build

test: $(WEB)          ## everything a fresh machine with Go and Node can run
	cd web && npm run check && npm test
	$(GO) vet ./...
	$(GO) test -timeout 25m ./...

check:                ## formatting, static analysis, dead code
	@test -z "$$($(TOOL) gofumpt -l cmd internal openapi web/*.go test)" || \
		{ $(TOOL) gofumpt -d cmd internal openapi web/*.go test; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	@dead="$$($(TOOL) deadcode -test ./...)"; test -z "$$dead" || { echo "$$dead"; exit 1; }

sim:                  ## SEEDS seeded worlds, with invariants and an oracle for each strategy; FLOWS calls on a bad network
	SWITCHBOARD_SEEDS=$(SEEDS) $(GO) test -count=1 -timeout 30m ./internal/sim
	SWITCHBOARD_FLOWS=$(FLOWS) $(GO) test -count=1 -timeout 30m ./internal/chaos

fuzz:                 ## each fuzz target for FUZZTIME
	sh test/fuzz.sh $(or $(FUZZTIME),20s)

interop: export SWITCHBOARD_INTEROP = 1
interop: $(WEB)       ## real peers: sipp, baresip, Chromium (installs them where it may)
	sh test/interop/install.sh
	cd test/conductor && npm ci --no-audit --no-fund
	$(GO) test -count=1 -timeout 25m ./test/...

soak: $(WEB)          ## kill -9 under load, every few seconds, for SOAK
	SWITCHBOARD_SOAK=$(or $(SOAK),10m) $(GO) test -count=1 -timeout 1h -v -run TestKillSoak ./test/interop

bench: build          ## the figures of docs/internals/benchmarks.md, measured here
	sh test/bench/run.sh

race: $(WEB)          ## all tests again, under the race detector
	$(GO) test -race -timeout 25m ./...

# In ci a real peer that is missing is a failure, so test and race drive all that interop does.
ci: export SWITCHBOARD_INTEROP = 1
ci: check test race sim ## what .ci/run runs once the machine is ready

clean:
	rm -rf bin web/node_modules
	find web/dist -type f ! -name .placeholder -delete
